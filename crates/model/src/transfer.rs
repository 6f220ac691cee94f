use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    AuditId, DecisionId, FileId, FilePath, FolderPath, Glob, PrincipalId, RemoteName, Timestamp,
    TransferId,
};

/// Where a transfer is. The wire shows [`TransferState::public`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// Waiting for a runner, or for its next try.
    Queued,
    /// Opening both ends.
    Opening,
    /// Moving bytes.
    Moving,
    /// Comparing what arrived with what was sent.
    Verifying,
    /// Renaming to the final name, once.
    Settling,
    /// Done. Final.
    Completed,
    /// Held by an operator.
    Paused,
    /// Ended otherwise; [`TransferOutcome`] says how. Final.
    Failed,
}

impl TransferState {
    /// All states.
    pub const ALL: &'static [Self] = &[
        Self::Queued,
        Self::Opening,
        Self::Moving,
        Self::Verifying,
        Self::Settling,
        Self::Completed,
        Self::Paused,
        Self::Failed,
    ];

    /// What is not listed cannot happen. A step may fall back to `queued` when its runner lost its lease or waits for
    /// the next try.
    pub const fn may_become(self, next: Self) -> bool {
        use TransferState::{
            Completed, Failed, Moving, Opening, Paused, Queued, Settling, Verifying,
        };
        matches!(
            (self, next),
            (Queued, Opening)
                | (Opening, Moving)
                | (Moving, Verifying)
                | (Verifying, Settling)
                // A transfer of many files has no bytes of its own to verify.
                | (Moving | Settling, Completed)
                | (Opening | Moving | Verifying | Settling | Paused, Queued)
                | (Queued | Opening | Moving, Paused)
                | (
                    Queued | Opening | Moving | Verifying | Settling | Paused,
                    Failed
                )
        )
    }

    /// Whether nothing can follow.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }

    /// The five words of the wire.
    pub const fn public(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Opening | Self::Moving | Self::Verifying | Self::Settling => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// The step under way, if one is.
    pub const fn step(self) -> Option<TransferStep> {
        match self {
            Self::Opening => Some(TransferStep::Opening),
            Self::Moving => Some(TransferStep::Moving),
            Self::Verifying => Some(TransferStep::Verifying),
            Self::Settling => Some(TransferStep::Settling),
            _ => None,
        }
    }
}

/// A row of the state table that does work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferStep {
    /// Opening both ends.
    Opening,
    /// Moving bytes.
    Moving,
    /// Comparing.
    Verifying,
    /// Renaming.
    Settling,
}

impl TransferStep {
    /// The step as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Moving => "moving",
            Self::Verifying => "verifying",
            Self::Settling => "settling",
        }
    }
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferOutcome {
    /// The file is there, whole.
    Succeeded,
    /// Some of its files are there.
    Partial,
    /// Somebody cancelled it.
    Cancelled,
    /// Policy refused it.
    Rejected,
    /// Its deadline passed.
    Expired,
    /// A fault that no retry mends, or one too many.
    Error,
}

impl TransferOutcome {
    /// The outcome as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Error => "error",
        }
    }
}

/// Why a transfer, or one try of it, ended early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferFault {
    /// A stable word: `remote_unreachable`, `host_key_changed`, …
    pub code: String,
    /// What happened, in plain words.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// One end of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum End {
    /// A path in Bailee.
    Path {
        /// The path.
        path: FilePath,
    },
    /// A folder in Bailee.
    Folder {
        /// The folder.
        path: FolderPath,
    },
    /// A file version in Bailee. Only as source.
    File {
        /// The version.
        file: FileId,
    },
    /// A path at a remote.
    Remote {
        /// Which remote.
        remote: RemoteName,
        /// The path there, as the remote understands it.
        path: String,
    },
}

impl std::fmt::Display for End {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path { path } => path.fmt(out),
            Self::Folder { path } if path.is_root() => path.fmt(out),
            Self::Folder { path } => write!(out, "{path}/"),
            Self::File { file } => file.fmt(out),
            Self::Remote { remote, path } => write!(out, "{remote}:{path}"),
        }
    }
}

/// How the copy at the destination is compared with the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verify {
    /// By reading it back and hashing it.
    #[default]
    Hash,
    /// By its size.
    Size,
    /// Not at all.
    None,
}

/// By what a copy was found to be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyProof {
    /// The far system told the SHA-256 of what it holds.
    RemoteDigest,
    /// It was read back from the far system and hashed.
    ReadBack,
    /// The far system told its size.
    Size,
    /// It was hashed while it was sealed into Bailee.
    Sealed,
}

impl CopyProof {
    /// The word as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RemoteDigest => "remote_digest",
            Self::ReadBack => "read_back",
            Self::Size => "size",
            Self::Sealed => "sealed",
        }
    }
}

/// What happens when the destination is occupied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// The transfer fails.
    #[default]
    Fail,
    /// The old file is replaced, at once and whole.
    Replace,
    /// The new file takes a free name beside the old one.
    Rename,
    /// The transfer succeeds without moving anything.
    Skip,
}

/// What makes a file at the destination the same as its source, so that it is not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Same {
    /// That it is there.
    Exists,
    /// Its size.
    Size,
    /// Its size, and that it was changed no earlier than the source.
    Mtime,
    /// Its content.
    Hash,
}

/// What a transfer of many files moves. It never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bundle {
    /// Files and folders.
    pub sources: Vec<End>,
    /// Only files that one of these means; every file when empty.
    pub include: Vec<Glob>,
    /// No files that one of these means.
    pub exclude: Vec<Glob>,
    /// Instead of all that: the files that this transfer could not move.
    pub failed_of: Option<TransferId>,
}

impl Bundle {
    /// Whether the file at `path`, relative to its source folder, belongs to it.
    pub fn holds(&self, path: &str) -> bool {
        let meets = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(path));
        (self.include.is_empty() || meets(&self.include)) && !meets(&self.exclude)
    }
}

/// How the files of a transfer of many stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileCounts {
    /// Whether all are known.
    pub is_listed: bool,
    /// Files that are known.
    pub files_total: u64,
    /// Files that arrived.
    pub files_done: u64,
    /// Files that did not need to move.
    pub files_skipped: u64,
    /// Files that did not arrive.
    pub files_failed: u64,
    /// Their bytes, where known.
    pub bytes_total: u64,
    /// Bytes of files that arrived.
    pub bytes_done: u64,
    /// When one of them last ended.
    pub updated_at: Timestamp,
}

impl FileCounts {
    /// Whether there is nothing more to come.
    pub fn is_over(&self) -> bool {
        self.is_listed
            && self.files_done + self.files_skipped + self.files_failed >= self.files_total
    }
}

/// When a transient fault is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryRule {
    /// Tries in all.
    pub max_attempts: u32,
    /// Wait before the second try; doubles with each.
    pub initial_delay_seconds: u32,
    /// The wait never exceeds this.
    pub max_delay_seconds: u32,
}

impl Default for RetryRule {
    fn default() -> Self {
        Self {
            max_attempts: crate::limit::TRANSFER_ATTEMPTS,
            initial_delay_seconds: 2,
            max_delay_seconds: 120,
        }
    }
}

impl RetryRule {
    /// The wait after try number `attempt` (from 1), with full jitter: `chance` is between 0 and `u16::MAX`.
    pub fn delay_ms(self, attempt: u32, chance: u16) -> u64 {
        let doubled = u64::from(self.initial_delay_seconds) << attempt.saturating_sub(1).min(20);
        let cap_ms = doubled
            .min(u64::from(self.max_delay_seconds))
            .saturating_mul(1000);
        // At least a tenth of the cap, so that a run of low draws does not hammer the remote.
        cap_ms / 10 + (cap_ms - cap_ms / 10) * u64::from(chance) / u64::from(u16::MAX)
    }
}

/// Why a transfer waits though it could be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// A remote does not answer at the moment.
    Remote,
    /// A remote may not be used at this time of the day.
    Window,
}

/// Bytes from here to there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Its id.
    pub id: TransferId,
    /// Where it is.
    pub state: TransferState,
    /// How it ended.
    pub outcome: Option<TransferOutcome>,
    /// Why it ended, or why its last try did.
    pub fault: Option<TransferFault>,
    /// From where.
    pub source: End,
    /// To where.
    pub destination: End,
    /// For people.
    pub label: Option<String>,
    /// Lower runs first.
    pub priority: i32,
    /// How the copy is checked.
    pub verify: Verify,
    /// What happens when the destination is occupied.
    pub on_conflict: OnConflict,
    /// When transient faults are tried again.
    pub retry: RetryRule,
    /// After this it ends with outcome `expired`.
    pub deadline: Option<Timestamp>,
    /// Not before this.
    pub start_at: Option<Timestamp>,
    /// Whether its owner wants a notice of their own.
    pub notify_on_completion: bool,
    /// Custom entries.
    pub metadata: BTreeMap<String, String>,
    /// The transfer that this one repeats.
    pub retry_of: Option<TransferId>,
    /// The transfer of many files that this one is a part of.
    #[serde(default)]
    pub parent: Option<TransferId>,
    /// How its files stand, if it moves many.
    #[serde(default)]
    pub counts: Option<FileCounts>,
    /// Its size when it was listed.
    #[serde(default)]
    pub listed_bytes: u64,
    /// Whether it ended well without moving anything.
    #[serde(default)]
    pub is_skipped: bool,
    /// What is not sent again.
    #[serde(default)]
    pub same: Option<Same>,
    /// Whether the source is removed once the copy is verified and in its place.
    #[serde(default)]
    pub delete_source: bool,
    /// Whether the copy shall have the source's time.
    #[serde(default)]
    pub preserve_time: bool,
    /// Whether the file is in its place, compared, and only its source is left to be removed.
    #[serde(default)]
    pub has_arrived: bool,
    /// Whether the source was removed; `None` where that was not asked for, or it did not come so far.
    #[serde(default)]
    pub source_removed: Option<bool>,
    /// By what the copy was found to be whole.
    #[serde(default)]
    pub proof: Option<CopyProof>,
    /// Where the file came to lie: it differs from the destination where a free name was looked for.
    #[serde(default)]
    pub placed_at: Option<String>,
    /// What its owner should know although it ended well.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The journal's entry of its end.
    #[serde(default)]
    pub ended_entry: Option<AuditId>,
    /// The policy decision that admitted it.
    #[serde(default)]
    pub decision: Option<DecisionId>,
    /// Bytes per second, for all its files together.
    #[serde(default)]
    pub bandwidth: Option<u64>,
    /// Whether somebody asked for it to end; the runner obeys at its next step.
    pub cancel_requested: bool,
    /// Size of the source, once known.
    pub bytes_total: Option<u64>,
    /// Bytes known to have arrived.
    pub bytes_done: u64,
    /// Which try is under way or was last.
    pub attempt: u32,
    /// When the next try starts.
    pub next_attempt_at: Option<Timestamp>,
    /// What it waits for until then, if not for its next try.
    #[serde(default)]
    pub waits_for: Option<WaitReason>,
    /// The file it made in Bailee, when Bailee is the destination.
    pub result_file: Option<FileId>,
    /// SHA-256 of what was moved, lower-case hex, once known.
    pub hash: Option<String>,
    /// What the runner needs to go on at the byte; the engine's own words.
    pub checkpoint: Option<serde_json::Value>,
    /// Whose rights it runs with.
    pub created_by: PrincipalId,
    /// Whether folders at the destination are made that are missing.
    #[serde(default)]
    pub makes_folders: bool,
    /// Which credential asked for it; its limits bind the transfer too.
    pub created_with: Option<crate::KeyId>,
    /// What a flow left it to do in somebody's name, instead of a credential.
    #[serde(default)]
    pub mandate: Option<crate::Mandate>,
    /// The run of a flow that asked for it.
    #[serde(default)]
    pub flow_run: Option<crate::FlowRunId>,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// When a runner first took it.
    pub started_at: Option<Timestamp>,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Rises with every write of the row: a stale writer is refused.
    pub revision: u64,
}

impl Transfer {
    /// Notes something, once.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) && self.notes.len() < crate::limit::TRANSFER_NOTES_MAX {
            self.notes.push(text);
        }
    }

    /// How a transfer ends whose file is in its place while its source is not removed: whoever stopped it then stopped
    /// only that, and a fault is one of half the work.
    pub fn arrived_end(
        &mut self,
        outcome: TransferOutcome,
        fault: Option<TransferFault>,
    ) -> (TransferOutcome, Option<TransferFault>) {
        if !self.has_arrived || self.source_removed.is_some() {
            return (outcome, fault);
        }
        match outcome {
            TransferOutcome::Cancelled | TransferOutcome::Expired => {
                let why = fault.map_or_else(String::new, |fault| format!(" {}", fault.message));
                self.source_removed = Some(false);
                self.note(format!("The source was left in its place.{why}"));
                (TransferOutcome::Succeeded, None)
            }
            TransferOutcome::Rejected | TransferOutcome::Error => {
                self.source_removed = Some(false);
                let fault = fault.map(|fault| TransferFault {
                    message: format!(
                        "The file arrived, but its source could not be removed. {}",
                        fault.message
                    ),
                    ..fault
                });
                (TransferOutcome::Partial, fault)
            }
            TransferOutcome::Succeeded | TransferOutcome::Partial => (outcome, fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_a_final_state() {
        for from in TransferState::ALL.iter().filter(|state| state.is_final()) {
            assert!(
                TransferState::ALL.iter().all(|to| !from.may_become(*to)),
                "{from:?}"
            );
        }
    }

    #[test]
    fn every_state_can_be_reached_and_every_open_one_can_fail() {
        for to in TransferState::ALL
            .iter()
            .filter(|state| **state != TransferState::Queued)
        {
            assert!(
                TransferState::ALL.iter().any(|from| from.may_become(*to)),
                "{to:?}"
            );
        }
        for from in TransferState::ALL.iter().filter(|state| !state.is_final()) {
            assert!(from.may_become(TransferState::Failed), "{from:?}");
        }
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let rule = RetryRule::default();
        assert_eq!(rule.delay_ms(1, u16::MAX), 2_000);
        assert_eq!(rule.delay_ms(3, u16::MAX), 8_000);
        assert_eq!(rule.delay_ms(40, u16::MAX), 120_000);
        assert_eq!(rule.delay_ms(1, 0), 200);
    }
}
