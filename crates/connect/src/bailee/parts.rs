//! How a file is cut into parts, so that an offset tells which parts are held.

use serde::{Deserialize, Serialize};

use crate::limit;

const MIB: u64 = 1024 * 1024;
/// After so many parts of a file of unknown size the next are twice as large.
const PARTS_OF_A_SIZE: u64 = 750;

/// What goes on after a writer is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    pub(super) session: String,
    #[serde(flatten)]
    pub(super) plan: Plan,
}

/// How large each part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// Bytes of the first part, and of all others unless they grow. The last is as large as what is left.
    part_bytes: u64,
    /// Parts grow, since the size is not known.
    grows: bool,
}

/// The first parts of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) parts: u32,
    pub(super) last: Last,
}

/// How large the last of some parts is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// As large as planned, or there is none.
    Full,
    /// Smaller: the file ends with it.
    Short,
}

impl Prefix {
    fn of(parts: u64, last: Last) -> Option<Self> {
        let parts = u32::try_from(parts).ok()?;
        Some(Self { parts, last })
    }
}

impl Plan {
    /// For a file of `size_bytes`, if that is known.
    pub(super) fn of(size_bytes: Option<u64>) -> Self {
        let needed = size_bytes
            .unwrap_or_default()
            .div_ceil(limit::BAILEE_PARTS_MAX)
            .div_ceil(MIB)
            * MIB;
        Self {
            part_bytes: needed.max(limit::PART_BYTES_MIN),
            grows: size_bytes.is_none(),
        }
    }

    /// Bytes of part `number` unless it is the last.
    pub(super) fn part_bytes(self, number: u64) -> u64 {
        if !self.grows {
            return self.part_bytes;
        }
        let doubled =
            1_u64.checked_shl(u32::try_from(number / PARTS_OF_A_SIZE).unwrap_or(u32::MAX));
        self.part_bytes
            .saturating_mul(doubled.unwrap_or(u64::MAX))
            .min(limit::BAILEE_PART_BYTES_MAX)
    }

    /// The parts that have `offset` bytes together. `None` for what no session can hold.
    pub(super) fn parts_to(self, offset: u64) -> Option<Prefix> {
        let (mut left, mut number) = (offset, 0);
        while left > 0 {
            if number == limit::BAILEE_PARTS_MAX || self.part_bytes == 0 {
                return None;
            }
            let part = self.part_bytes(number);
            number += 1;
            if left < part {
                return Prefix::of(number, Last::Short);
            }
            left -= part;
        }
        Prefix::of(number, Last::Full)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    const TIB: u64 = 1024 * 1024 * MIB;

    #[test]
    fn five_tebibytes_fit_with_and_without_a_known_size() {
        let known = Plan::of(Some(5 * TIB));
        assert!(known.parts_to(5 * TIB).is_some());
        assert!(known.part_bytes(0) <= limit::BAILEE_PART_BYTES_MAX);
        assert!(Plan::of(None).parts_to(5 * TIB).is_some());
        assert_eq!(Plan::of(Some(10)).part_bytes(0), 8 * MIB);
        assert_eq!(Plan::of(None).part_bytes(749), 8 * MIB);
        assert_eq!(Plan::of(None).part_bytes(750), 16 * MIB);
        assert_eq!(Plan::of(None).part_bytes(9_999), 1024 * MIB);
    }

    #[test]
    fn an_offset_tells_the_parts() {
        let plan = Plan::of(None);
        assert_eq!(plan.parts_to(0), Prefix::of(0, Last::Full));
        assert_eq!(plan.parts_to(1), Prefix::of(1, Last::Short));
        assert_eq!(plan.parts_to(8 * MIB), Prefix::of(1, Last::Full));
        assert_eq!(plan.parts_to(8 * MIB + 1), Prefix::of(2, Last::Short));
        assert_eq!(plan.parts_to(6_000 * MIB), Prefix::of(750, Last::Full));
        assert_eq!(plan.parts_to(6_016 * MIB), Prefix::of(751, Last::Full));
        assert_eq!(Plan::of(Some(1)).parts_to(u64::MAX), None);
        let empty = Plan {
            part_bytes: 0,
            grows: true,
        };
        assert_eq!(empty.parts_to(5), None);
    }

    #[test]
    fn a_token_reads_back() {
        let token = Token {
            session: "upl_1".to_owned(),
            plan: Plan::of(None),
        };
        let text = serde_json::to_string(&token).unwrap();
        assert_eq!(serde_json::from_str::<Token>(&text).unwrap(), token);
        assert!(serde_json::from_str::<Token>("{}").is_err());
    }
}
