use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Condition, ContentStep, StepId, Template, TimeSpan};
use crate::{Classification, OnConflict, RetryRule, Same, Verify, WebhookId};

/// One step of a flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Unique in the flow.
    pub id: StepId,
    /// For people.
    pub name: Option<String>,
    /// Which files it takes; those that the step before put out if it does not say.
    pub files: Option<Vec<FilesFrom>>,
    /// What a fault does to the run.
    pub on_error: OnError,
    /// When transient faults are tried again.
    pub retry: RetryRule,
    /// How long it may take in all.
    pub timeout: Option<TimeSpan>,
    /// What it does.
    pub action: StepAction,
}

/// What a fault of a step does to its run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The run fails.
    #[default]
    Fail,
    /// The run goes on with what the step did put out.
    Continue,
}

/// Where a step's files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilesFrom {
    /// What a step before put out: `${steps.ID.files}`.
    Step(StepId),
    /// What the run began with: `${run.files}`.
    Run,
    /// Files in Bailee by place: `/in/*.csv`.
    Pattern(Template),
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum StepAction {
    /// Moves bytes between Bailee and remotes.
    Transfer(TransferStep),
    /// Makes other files of the same bytes.
    Copy(PlaceStep),
    /// Gives files other places.
    Move(PlaceStep),
    /// Gives files other names.
    Rename(RenameStep),
    /// Removes files.
    Delete(DeleteStep),
    /// Changes what is said of files.
    Tag(TagStep),
    /// Tells those who listen.
    Notify(NotifyStep),
    /// Lets time pass.
    Wait(WaitStep),
    /// Waits for a second person.
    Approve(ApproveStep),
    /// Ends the run with a fault.
    Fail(FailStep),
    /// Does one thing or another.
    Branch(BranchStep),
    /// Does its steps for each file.
    ForEach(ForEachStep),
    /// Makes content of content.
    Content(Box<ContentStep>),
}

impl StepAction {
    /// The kind as in documents.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Transfer(_) => "transfer",
            Self::Copy(_) => "copy",
            Self::Move(_) => "move",
            Self::Rename(_) => "rename",
            Self::Delete(_) => "delete",
            Self::Tag(_) => "tag",
            Self::Notify(_) => "notify",
            Self::Wait(_) => "wait",
            Self::Approve(_) => "approve",
            Self::Fail(_) => "fail",
            Self::Branch(_) => "branch",
            Self::ForEach(_) => "for_each",
            Self::Content(step) => step.kind(),
        }
    }

    /// Whether, having failed, it passes on the files that it took: it makes none of its own.
    pub fn passes_on(&self) -> bool {
        matches!(
            self,
            Self::Tag(_) | Self::Notify(_) | Self::Wait(_) | Self::Approve(_)
        )
    }
}

/// `transfer`: bytes from here to there, and waiting for the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferStep {
    /// From where: a path, `remote:/path`, or either with a pattern in its last segment. The step's files if absent.
    pub source: Option<Template>,
    /// To where; the step's working folder if absent.
    pub destination: Option<Template>,
    /// Only files that one of these means.
    #[serde(default)]
    pub include: Vec<Template>,
    /// No files that one of these means.
    #[serde(default)]
    pub exclude: Vec<Template>,
    /// What happens when the destination is occupied.
    #[serde(default)]
    pub on_conflict: OnConflict,
    /// How the copy is checked.
    #[serde(default)]
    pub verify: Verify,
    /// What is not sent again.
    #[serde(default)]
    pub same: Option<Same>,
    /// Whether the source is removed once the copy is verified and in its place.
    #[serde(default)]
    pub delete_source: bool,
    /// Whether the copy shall have the source's time.
    #[serde(default)]
    pub preserve_time: bool,
    /// Bytes per second.
    #[serde(default)]
    pub bandwidth: Option<u64>,
    /// What it means that there was nothing to move.
    #[serde(default)]
    pub if_empty: IfEmpty,
}

/// What it means that a step found no files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IfEmpty {
    /// Nothing; the run goes on without files.
    #[default]
    Continue,
    /// The run ends well here.
    End,
    /// The step fails.
    Fail,
}

/// `copy` and `move`: files to a folder, or each to a place of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceStep {
    /// A folder (`/archive/`), or a path with the file in it (`/archive/${file.stem}.old`).
    pub to: Template,
    /// What happens when the place is taken.
    #[serde(default)]
    pub on_conflict: OnConflict,
}

/// `rename`: another name in the same folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenameStep {
    /// The new name: `${file.stem}-${date:%H%M}.csv`.
    pub to: Template,
    /// What happens when the name is taken.
    #[serde(default)]
    pub on_conflict: OnConflict,
}

/// `delete`: files to the trash, or gone for good.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteStep {
    /// Whether they are gone for good.
    #[serde(default)]
    pub purge: bool,
}

/// `tag`: what is said of files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagStep {
    /// Tags to add.
    #[serde(default)]
    pub add: Vec<Template>,
    /// Tags to take away.
    #[serde(default)]
    pub remove: Vec<Template>,
    /// Entries to set, or to remove where null.
    #[serde(default)]
    pub metadata: BTreeMap<String, Option<Template>>,
    /// A classification to give.
    pub classification: Option<Classification>,
}

/// `notify`: the event `flow.notified`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyStep {
    /// What happened, for people.
    pub message: Template,
    /// Facts, for programs.
    #[serde(default)]
    pub fields: BTreeMap<String, Template>,
    /// Only this webhook, instead of all that listen.
    pub webhook: Option<WebhookId>,
}

/// `wait`: for a time, or until one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitStep {
    /// So long.
    #[serde(rename = "for")]
    pub span: Option<TimeSpan>,
    /// Until this time of day, `HH:MM` in the flow's time zone: today, or tomorrow if it has passed.
    pub until: Option<TimeOfDay>,
}

/// A time of day, `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: i8,
    /// 0 to 59.
    pub minute: i8,
}

impl std::str::FromStr for TimeOfDay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a time of day looks like 18:30";
        let (hour, minute) = text.split_once(':').ok_or(FORM)?;
        let part = |text: &str, below: i8| {
            let number = text.parse::<i8>().ok().filter(|_| text.len() == 2);
            number
                .filter(|number| (0..below).contains(number))
                .ok_or(FORM)
        };
        Ok(Self {
            hour: part(hour, 24)?,
            minute: part(minute, 60)?,
        })
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&format_args!("{:02}:{:02}", self.hour, self.minute))
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// `approve`: somebody else than who started the run says yes or no.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveStep {
    /// What is asked, for people.
    pub message: Option<Template>,
    /// Who may decide, by label (`usr:ann`); anybody with the right to if empty.
    #[serde(default)]
    pub approvers: Vec<String>,
    /// How long there is time; the step fails then. A week if absent.
    pub deadline: Option<TimeSpan>,
}

/// `fail`: ends the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailStep {
    /// Why, for people.
    pub message: Template,
}

/// `branch`: one thing or another.
#[derive(Clone, Debug, PartialEq)]
pub struct BranchStep {
    /// What decides.
    pub condition: Condition,
    /// Steps if it holds.
    pub then: Vec<Step>,
    /// Steps if it does not.
    pub otherwise: Vec<Step>,
}

/// `for_each`: its steps, for each file alone.
#[derive(Clone, Debug, PartialEq)]
pub struct ForEachStep {
    /// The steps; the first takes the one file.
    pub steps: Vec<Step>,
    /// Files that may fail before the step does.
    pub max_failures: u32,
}
