use serde::{Deserialize, Serialize};

use super::{RemotePattern, StepFault};
use crate::Timestamp;

/// A file at a remote that a flow's watch knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// As transfers name it: `partner:/out/a.csv`.
    pub place: String,
    /// Tells this version of it from others: made of its size, its time and the far system's own mark.
    pub mark: String,
    /// When this version was first seen.
    pub since: Timestamp,
    /// Whether it started its run; else it is to settle.
    pub has_run: bool,
}

/// What came of the newest look for a watch trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchState {
    /// The trigger's path.
    pub path: RemotePattern,
    /// The flow's revision that was looked for: another one is looked for at once.
    pub flow_revision: u64,
    /// When it was last looked.
    pub looked_at: Timestamp,
    /// When it is looked next.
    pub next_at: Timestamp,
    /// Files that it means and that were there, by the newest look that went well.
    pub files: u64,
    /// Those of them that have not started a run: they settle, or the flow takes no other run now.
    pub files_waiting: u64,
    /// Why the newest look did not go well.
    pub fault: Option<StepFault>,
}
