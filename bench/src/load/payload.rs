//! Bytes that are never the same twice, so that no server can save by knowing them.

use std::hash::{BuildHasher, RandomState};

/// Bytes of one write.
const WRITE_BYTES: usize = 256 * 1024;
/// Each stretch of this size gets a stamp of its own.
const STRETCH_BYTES: usize = 4096;

/// An endless source of bytes without pattern.
pub struct Payload {
    bytes: Vec<u8>,
    stamp: u64,
}

impl Payload {
    /// Fills the buffer once; afterwards only stamps change.
    pub fn new() -> Self {
        // The seed of a hash map differs from thread to thread and from run to run.
        let mut state = RandomState::new().hash_one(0_u8) | 1;
        let stamp = state;
        let mut bytes = Vec::with_capacity(WRITE_BYTES);
        while bytes.len() < WRITE_BYTES {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        Self { bytes, stamp }
    }

    /// The next bytes, at most as many as asked for and never none of some.
    pub fn next(&mut self, wanted: u64) -> &[u8] {
        let size = wanted.min(WRITE_BYTES as u64) as usize;
        let bytes = self.bytes.get_mut(..size).unwrap_or_default();
        for stretch in bytes.chunks_mut(STRETCH_BYTES) {
            self.stamp = self.stamp.wrapping_add(0x9e37_79b9_7f4a_7c15);
            for (to, from) in stretch.iter_mut().zip(self.stamp.to_le_bytes()) {
                *to = from;
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_stretches_are_equal() {
        let mut payload = Payload::new();
        let first = payload.next(10_000).to_vec();
        let second = payload.next(10_000).to_vec();
        assert_eq!((first.len(), second.len()), (10_000, 10_000));
        let all: std::collections::HashSet<&[u8]> = first
            .chunks(STRETCH_BYTES)
            .chain(second.chunks(STRETCH_BYTES))
            .collect();
        assert_eq!(all.len(), 6);
        assert_eq!(payload.next(u64::MAX).len(), WRITE_BYTES);
    }
}
