//! What a transfer stores to go on at the byte, and what follows from it.

use bailee_core::model::{FileId, Timestamp, UploadId};
use serde::{Deserialize, Serialize};

/// How far a transfer has come. Unknown members are ignored and missing ones are empty, so that nodes of two releases
/// can hand transfers to each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Checkpoint {
    /// Which part of the way.
    pub(super) phase: Phase,
    /// Exactly what is moved.
    pub(super) source: Option<Pin>,
    /// Where it was meant to go, before a free name was looked for.
    pub(super) wanted: Option<String>,
    /// Where it goes: the path at the remote, or in Bailee.
    pub(super) target: Option<String>,
    /// Where its bytes wait at a remote.
    pub(super) temporary: Option<String>,
    /// Where its parts wait in Bailee.
    pub(super) upload: Option<UploadId>,
    /// What the connector needs to go on with a write that it began.
    pub(super) token: Option<String>,
    /// Bytes that the far side confirmed without a gap.
    pub(super) confirmed_bytes: u64,
    /// Since when the final name may be there.
    pub(super) settling_since: Option<Timestamp>,
}

/// How far a write is confirmed, and what is needed to go on there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Confirmed {
    /// Bytes without a gap from the start.
    pub(super) bytes: u64,
    /// The connector's token.
    pub(super) token: Option<String>,
}

/// The part of the way that a crash leaves a transfer on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// Nothing is under the final name.
    #[default]
    Moving,
    /// The final name may be there or not.
    Settling,
}

/// Exactly what is moved: other bytes under the same name are another source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "snake_case")]
pub(super) enum Pin {
    /// A version in Bailee, which never changes.
    Bailee {
        /// The version.
        file: FileId,
    },
    /// A file at a remote as it was when first seen.
    Remote {
        /// Its size, where the remote tells.
        size_bytes: Option<u64>,
        /// When it was last changed, where the remote tells.
        modified: Option<Timestamp>,
        /// The remote's mark of this content, where it has one.
        #[serde(default)]
        version: Option<String>,
    },
}

impl Checkpoint {
    /// From a transfer's row; anything unreadable is no checkpoint.
    pub(super) fn read(stored: Option<&serde_json::Value>) -> Self {
        stored
            .and_then(|stored| Self::deserialize(stored).ok())
            .unwrap_or_default()
    }

    /// For a transfer's row.
    pub(super) fn to_value(&self) -> Option<serde_json::Value> {
        serde_json::to_value(self).ok()
    }

    /// This checkpoint if it belongs to `source`, else an empty one.
    pub(super) fn for_source(self, source: &Pin) -> Self {
        let is_same = self.source.as_ref() == Some(source);
        let kept = if is_same { self } else { Self::default() };
        Self {
            source: Some(source.clone()),
            ..kept
        }
    }
}

/// Where to go on writing a temporary file: at what was confirmed, or at what is there if that is less. What lies behind
/// the confirmed bytes may have gaps and is written again.
pub(super) fn resume_plan(
    confirmed_bytes: u64,
    there_bytes: Option<u64>,
    can_write_at: bool,
) -> u64 {
    match there_bytes {
        Some(there) if can_write_at => confirmed_bytes.min(there),
        _ => 0,
    }
}

/// What to do with a transfer that stopped while settling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// The temporary file is whole and waits for its rename.
    Not,
    /// The final name may be the effect of our rename: look at its bytes.
    Perhaps,
    /// Neither is there as it should: begin again.
    Lost,
}

/// Judges by the sizes of the temporary and of the final file; `None` where there is none.
pub(super) fn settle_plan(temporary: Option<u64>, last: Option<u64>, total_bytes: u64) -> Settled {
    match (temporary, last) {
        (Some(size), _) if size == total_bytes => Settled::Not,
        (None, Some(size)) if size == total_bytes => Settled::Perhaps,
        _ => Settled::Lost,
    }
}

/// The size of the next part, so that a file of `total_bytes` fits into the parts that an upload may have.
pub(super) fn part_bytes(total_bytes: Option<u64>) -> u64 {
    use bailee_core::model::limit;
    // Half of the numbers: parts that were cut short by time leave the other half.
    let least = total_bytes
        .unwrap_or(0)
        .div_ceil(u64::from(limit::PARTS_MAX) / 2);
    least.clamp(limit::CHECKPOINT_BYTES, limit::PART_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_goes_on_at_what_was_confirmed_and_is_there() {
        assert_eq!(resume_plan(8, Some(100), true), 8);
        assert_eq!(resume_plan(8, Some(8), true), 8);
        assert_eq!(resume_plan(100, Some(8), true), 8);
        assert_eq!(resume_plan(100, Some(0), true), 0);
        assert_eq!(
            resume_plan(100, None, true),
            0,
            "the temporary file is gone"
        );
        assert_eq!(
            resume_plan(100, Some(100), false),
            0,
            "the remote cannot write inside a file"
        );
    }

    #[test]
    fn a_rename_is_done_once() {
        assert_eq!(settle_plan(Some(5), None, 5), Settled::Not);
        assert_eq!(
            settle_plan(Some(5), Some(9), 5),
            Settled::Not,
            "an older file is at the final name"
        );
        assert_eq!(settle_plan(None, Some(5), 5), Settled::Perhaps);
        assert_eq!(
            settle_plan(None, Some(9), 5),
            Settled::Lost,
            "somebody else's file"
        );
        assert_eq!(settle_plan(None, None, 5), Settled::Lost);
        assert_eq!(settle_plan(Some(3), Some(5), 5), Settled::Lost);
    }

    #[test]
    fn a_checkpoint_of_another_source_is_forgotten() {
        let pin = |size| Pin::Remote {
            size_bytes: Some(size),
            modified: None,
            version: None,
        };
        let old = Checkpoint {
            source: Some(pin(3)),
            confirmed_bytes: 2,
            ..Checkpoint::default()
        };
        assert_eq!(old.clone().for_source(&pin(3)), old);
        let fresh = old.for_source(&pin(4));
        assert_eq!((fresh.confirmed_bytes, fresh.source), (0, Some(pin(4))));
    }

    #[test]
    fn checkpoints_read_back_and_strange_ones_are_none() {
        let full = Checkpoint {
            phase: Phase::Settling,
            source: Some(Pin::Bailee {
                file: FileId::from_bits(7),
            }),
            target: Some("/in/a".to_owned()),
            temporary: Some("/in/.a.part".to_owned()),
            token: Some("upload-7".to_owned()),
            upload: Some(UploadId::from_bits(8)),
            confirmed_bytes: 9,
            wanted: Some("/in/a".to_owned()),
            settling_since: Some(Timestamp::from_ms(10)),
        };
        assert_eq!(Checkpoint::read(full.to_value().as_ref()), full);
        assert_eq!(
            Checkpoint::read(Some(&serde_json::json!({ "phase": "flying" }))),
            Checkpoint::default()
        );
        let newer = serde_json::json!({ "confirmed_bytes": 3, "colour": "green" });
        assert_eq!(Checkpoint::read(Some(&newer)).confirmed_bytes, 3);
        assert_eq!(Checkpoint::read(None), Checkpoint::default());
    }

    #[test]
    fn large_files_get_large_parts() {
        use bailee_core::model::limit;
        assert_eq!(part_bytes(None), limit::CHECKPOINT_BYTES);
        assert_eq!(part_bytes(Some(1)), limit::CHECKPOINT_BYTES);
        let total = limit::FILE_BYTES_MAX;
        assert!(total.div_ceil(part_bytes(Some(total))) <= u64::from(limit::PARTS_MAX));
    }
}
