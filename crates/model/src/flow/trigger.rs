use serde::{Deserialize, Serialize};

use super::{RemotePattern, Template, TimeSpan};
use crate::{Cron, DayRule, MisfireRule, RemoteName};

/// What starts a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// A call of the API. It always may; saying so is for readers.
    Api {},
    /// A file that arrives in Bailee.
    Arrival(ArrivalTrigger),
    /// An event of the journal.
    Event(EventTrigger),
    /// Another flow's end.
    Flow(FlowTrigger),
    /// A time.
    Schedule(ScheduleTrigger),
    /// A file that appears at a remote.
    Watch(WatchTrigger),
    /// A signed call of somebody who has the flow's secret and no key.
    Hook {},
}

/// A file that arrives in Bailee.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrivalTrigger {
    /// Which files: `/in/*.csv`.
    pub path: String,
    /// So long a file must stay the newest at its path.
    pub settle: Option<TimeSpan>,
    /// A file, by name, that says that the others are complete: `*.done`. The run takes all files of its folder that
    /// `path` means. With `${file.name}` or `${file.stem}` in it, it speaks for that file alone.
    pub trigger_file: Option<Template>,
}

/// An event of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventTrigger {
    /// Exact types, or `family.*`.
    pub types: Vec<String>,
    /// Only about paths that this means.
    pub path: Option<String>,
    /// Only about transfers from or to this remote.
    pub remote: Option<RemoteName>,
    /// Only with this status: `success`, `denied`, `error`.
    pub status: Option<String>,
}

/// Another flow's end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowTrigger {
    /// Which flow.
    pub flow: super::FlowName,
    /// Which ends; `completed` if absent.
    #[serde(default = "completed")]
    pub on: Vec<FlowEnd>,
}

fn completed() -> Vec<FlowEnd> {
    vec![FlowEnd::Completed]
}

/// How a run may end, seen by a flow that waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowEnd {
    /// Well.
    Completed,
    /// Otherwise.
    Failed,
}

/// Times, by the clocks of the document's zone. The flow has a schedule of its own for them, which changes with the
/// document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleTrigger {
    /// When, in the five fields of cron.
    pub cron: Cron,
    /// Whose working days and holidays: a calendar by its name.
    pub calendar: Option<String>,
    /// Which of the days.
    #[serde(default)]
    pub day_rule: DayRule,
    /// Runs are spread over so many seconds after their time.
    #[serde(default)]
    pub jitter_seconds: u32,
    /// What becomes of times that passed while nobody ran.
    #[serde(default)]
    pub misfire: MisfireRule,
}

/// A file that appears at a remote, or is replaced there by another version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchTrigger {
    /// Which files: `partner:/out/*.csv`.
    pub path: RemotePattern,
    /// How often somebody looks; five minutes if absent.
    #[serde(default = "usual_rest")]
    pub every: TimeSpan,
    /// So long a file's size and time must stay as they are.
    pub settle: Option<TimeSpan>,
}

const fn usual_rest() -> TimeSpan {
    TimeSpan::seconds(300)
}
