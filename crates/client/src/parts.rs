//! Which parts a file of a given size is sent in.

use crate::limit;

/// How an upload is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartPlan {
    /// Bytes of each part but the last.
    pub(crate) part_size: u64,
    /// How many there are.
    pub(crate) count: u64,
    /// How many are sent at once.
    pub(crate) parallel: usize,
}

/// Parts grow, in whole MiB, only when a file would need more than [`limit::PARTS_MAX`] of them; then fewer go at once.
pub(crate) fn plan(size: u64, parallel: usize) -> PartPlan {
    const MIB: u64 = 1024 * 1024;
    let needed = size.div_ceil(limit::PARTS_MAX).div_ceil(MIB) * MIB;
    of_size(size, needed.max(limit::PART_SIZE), parallel)
}

/// The plan with parts of a size that is settled already.
pub(crate) fn of_size(size: u64, part_size: u64, parallel: usize) -> PartPlan {
    let part_size = part_size.max(1);
    let in_memory = (limit::PARTS_MEMORY_BYTES / part_size).max(1);
    let most = usize::try_from(in_memory).unwrap_or(usize::MAX);
    PartPlan {
        part_size,
        count: size.div_ceil(part_size),
        parallel: parallel.clamp(1, limit::PARALLEL_PARTS_MAX).min(most),
    }
}

/// Bytes of part `number` of a stream whose length nobody knows: doubled after each thousand parts up to
/// [`limit::STREAM_PART_SIZE_MAX`], so that ten thousand parts hold about 490 GiB.
pub(crate) fn stream_part_size(number: u32) -> u64 {
    let doubled = 1u64.checked_shl(number / 1000).unwrap_or(u64::MAX);
    limit::PART_SIZE
        .saturating_mul(doubled)
        .min(limit::STREAM_PART_SIZE_MAX)
}

impl PartPlan {
    /// Bytes of part `index` of a file of `size` bytes.
    pub(crate) fn len(&self, index: u64, size: u64) -> u64 {
        size.saturating_sub(index.saturating_mul(self.part_size))
            .min(self.part_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn parts_are_eight_mebibytes_until_there_would_be_too_many() {
        assert_eq!(plan(0, 4).count, 0);
        assert_eq!(
            plan(8 * MIB, 4),
            PartPlan {
                part_size: 8 * MIB,
                count: 1,
                parallel: 4
            }
        );
        assert_eq!(plan(8 * MIB + 1, 4).count, 2);
        let full = plan(8 * MIB * 10_000, 4);
        assert_eq!((full.part_size, full.count), (8 * MIB, 10_000));
        let larger = plan(8 * MIB * 10_000 + 1, 4);
        assert_eq!(larger.part_size, 9 * MIB);
        let largest = plan(5 * 1024 * 1024 * MIB, 16);
        assert!(largest.count <= limit::PARTS_MAX && largest.parallel == 1);
    }

    #[test]
    fn parts_cover_the_file_exactly() {
        for size in [0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 123 * MIB + 7] {
            let plan = plan(size, 4);
            let sum: u64 = (0..plan.count).map(|index| plan.len(index, size)).sum();
            assert_eq!(sum, size);
        }
    }

    #[test]
    fn parts_of_a_stream_grow() {
        assert_eq!(stream_part_size(0), 8 * MIB);
        assert_eq!(stream_part_size(999), 8 * MIB);
        assert_eq!(stream_part_size(1000), 16 * MIB);
        assert_eq!(stream_part_size(u32::MAX), 64 * MIB);
        let most: u64 = (0..10_000).map(stream_part_size).sum();
        assert!(most > 490 * 1024 * MIB, "{most}");
    }

    #[test]
    fn parallelism_has_bounds() {
        assert_eq!(plan(100 * MIB, 0).parallel, 1);
        assert_eq!(plan(100 * MIB, 99).parallel, 16);
    }
}
