use std::str::FromStr;

use crate::{JobId, TenantId, Timestamp};

/// What a job does. The payload is one id, or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Runs a transfer; the payload is its id.
    RunTransfer,
    /// Hands an event to a webhook; the payload is the delivery's id, or the webhook's to recover what it missed.
    Deliver,
    /// Looks after the times of a schedule; the payload is its id.
    FireSchedule,
    /// Looks whether an alert rule's condition holds, and after its alerts; the payload is the rule's id.
    WatchRule,
    /// Looks at a remote; the payload is its id.
    CheckRemote,
    /// Runs a flow; the payload is the run's id.
    RunFlow,
    /// Looks for new files at the remotes that a flow watches; the payload is the flow's id.
    WatchFlow,
}

impl JobKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::RunTransfer,
        Self::Deliver,
        Self::FireSchedule,
        Self::WatchRule,
        Self::CheckRemote,
        Self::RunFlow,
        Self::WatchFlow,
    ];

    /// The kind as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunTransfer => "run_transfer",
            Self::Deliver => "deliver",
            Self::FireSchedule => "fire_schedule",
            Self::WatchRule => "watch_rule",
            Self::CheckRemote => "check_remote",
            Self::RunFlow => "run_flow",
            Self::WatchFlow => "watch_flow",
        }
    }
}

impl FromStr for JobKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == text)
            .ok_or(())
    }
}

/// Durable work in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Whose work it is.
    pub tenant: TenantId,
    /// What it does.
    pub kind: JobKind,
    /// The id of what it works on. A second job of the same kind and subject is not made.
    pub subject: String,
    /// Jobs of one lane share a limit: `webhook:<id>`, `remote:<name>`.
    pub lane: String,
    /// Not before this.
    pub run_at: Timestamp,
    /// Lower runs first.
    pub priority: i32,
}

/// The right to run a job for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: Job,
    /// How often it was leased, this time included.
    pub attempt: u32,
    /// The number that unmasks an old runner: every write for the job carries it.
    pub fence: u64,
    /// Until when it is held unless renewed.
    pub until: Timestamp,
}
