//! From a document's JSON to a flow. Each thing that cannot be taken is named by pointer, and all of them at once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use super::check;
use super::{
    BranchStep, Concurrency, Condition, ContentStep, FilesFrom, FlowDocument, FlowName,
    ForEachStep, KeepFiles, OnError, Param, ParamName, Step, StepAction, StepId, Template,
    TimeSpan, TimeZoneName, Trigger,
};
use crate::{Error, ErrorKind, FieldError, FolderPath, Result, RetryRule, limit};

impl FlowDocument {
    /// Reads a document. `validation_failed` names every problem.
    pub fn parse(document: &Value) -> Result<Self> {
        let mut reader = Reader::default();
        let read = reader.document(document);
        match read {
            Some(document) if reader.problems.is_empty() => {
                Self::refused(check::problems(&document))?;
                Ok(document)
            }
            _ => {
                Self::refused(reader.problems)?;
                Err(Error::field("#", "invalid", "This is no flow."))
            }
        }
    }

    /// Refuses a document for what is wrong with it, if anything is.
    pub fn refused(problems: Vec<FieldError>) -> Result<()> {
        let Some(first) = problems.first() else {
            return Ok(());
        };
        let kind = if problems.iter().all(|problem| problem.code == "unknown") {
            ErrorKind::UnknownField
        } else {
            ErrorKind::ValidationFailed
        };
        let error = Error::new(kind, first.detail.clone());
        let most = problems.into_iter().take(limit::FLOW_PROBLEMS_MAX);
        Err(most.fold(error, |error, problem| {
            error.with_field(&problem.pointer, problem.code, problem.detail)
        }))
    }
}

/// The top of a document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Top {
    name: FlowName,
    description: Option<String>,
    #[serde(default)]
    timezone: TimeZoneName,
    #[serde(default)]
    params: BTreeMap<ParamName, Param>,
    #[serde(default)]
    concurrency: Concurrency,
    queued_max: Option<u32>,
    work_folder: Option<FolderPath>,
    #[serde(default)]
    keep_files: KeepFiles,
    #[serde(default)]
    triggers: Vec<Value>,
    steps: Vec<Value>,
}

/// What every step may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    id: StepId,
    name: Option<String>,
    files: Option<OneOrMany>,
    #[serde(default)]
    on_error: OnError,
    retry: Option<Retry>,
    timeout: Option<TimeSpan>,
}

pub(super) const COMMON: [&str; 6] = ["id", "name", "files", "on_error", "retry", "timeout"];

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// When a step is tried again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    max_attempts: u32,
    delay: Option<TimeSpan>,
    max_delay: Option<TimeSpan>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBranch {
    #[serde(rename = "if")]
    condition: Condition,
    #[serde(default)]
    then: Vec<Value>,
    #[serde(default, rename = "else")]
    otherwise: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEach {
    steps: Vec<Value>,
    #[serde(default)]
    max_failures: u32,
}

#[derive(Default)]
struct Reader {
    problems: Vec<FieldError>,
    ids: BTreeSet<StepId>,
    depth: usize,
}

impl Reader {
    fn problem(&mut self, pointer: &str, code: &'static str, detail: impl Into<String>) {
        self.problems.push(FieldError {
            pointer: pointer.to_owned(),
            code,
            detail: detail.into(),
        });
    }

    /// A value of a type of ours; what keeps it from being one is a problem at its place.
    fn typed<T: DeserializeOwned>(&mut self, value: Value, pointer: &str) -> Option<T> {
        match serde_path_to_error::deserialize::<_, T>(value) {
            Ok(read) => Some(read),
            Err(error) => {
                let at = error
                    .path()
                    .iter()
                    .fold(pointer.to_owned(), |whole, part| match part {
                        Segment::Seq { index } => format!("{whole}/{index}"),
                        Segment::Map { key } => format!("{whole}/{}", escaped(key)),
                        Segment::Enum { .. } | Segment::Unknown => whole,
                    });
                let told = error.into_inner().to_string();
                match told
                    .strip_prefix("unknown field `")
                    .and_then(|rest| rest.split('`').next())
                {
                    Some(name) => {
                        let end = format!("/{}", escaped(name));
                        let at = format!("{}{end}", at.strip_suffix(&end).unwrap_or(&at));
                        self.problem(
                            &at,
                            "unknown",
                            format!("The field `{name}` is not known here."),
                        );
                    }
                    None => self.problem(&at, "invalid", format!("{told}.")),
                }
                None
            }
        }
    }

    fn document(&mut self, document: &Value) -> Option<FlowDocument> {
        if !document.is_object() {
            self.problem(
                "#",
                "invalid",
                "A flow is an object with `name` and `steps`.",
            );
            return None;
        }
        let top: Top = self.typed(document.clone(), "#")?;
        let mut triggers = Vec::new();
        for (at, trigger) in top.triggers.into_iter().enumerate() {
            triggers.extend(self.typed::<Trigger>(trigger, &format!("#/triggers/{at}")));
        }
        let steps = self.steps(top.steps, "#/steps");
        let queued_max = top.queued_max.unwrap_or(limit::FLOW_QUEUED_DEFAULT);
        if queued_max > limit::FLOW_QUEUED_MAX {
            let detail = format!("At most {}.", limit::FLOW_QUEUED_MAX);
            self.problem("#/queued_max", "out_of_range", detail);
        }
        Some(FlowDocument {
            name: top.name,
            description: top.description,
            timezone: top.timezone,
            params: top.params,
            concurrency: top.concurrency,
            queued_max,
            work_folder: top.work_folder,
            keep_files: top.keep_files,
            triggers,
            steps,
        })
    }

    fn steps(&mut self, values: Vec<Value>, pointer: &str) -> Vec<Step> {
        if self.depth >= limit::FLOW_DEPTH_MAX {
            self.problem(pointer, "too_deep", "Steps are nested too deeply.");
            return Vec::new();
        }
        self.depth += 1;
        let mut steps = Vec::new();
        for (at, value) in values.into_iter().enumerate() {
            steps.extend(self.step(value, &format!("{pointer}/{at}")));
        }
        self.depth -= 1;
        steps
    }

    fn step(&mut self, value: Value, pointer: &str) -> Option<Step> {
        let Value::Object(mut own) = value else {
            self.problem(
                pointer,
                "invalid",
                "A step is an object with `id` and `kind`.",
            );
            return None;
        };
        let mut common = Map::new();
        for name in COMMON {
            if let Some(value) = own.remove(name) {
                common.insert(name.to_owned(), value);
            }
        }
        let kind = if let Some(Value::String(kind)) = own.get("kind") {
            Some(kind.clone())
        } else {
            let detail = format!("A step needs its `kind`: {}.", kinds());
            self.problem(&format!("{pointer}/kind"), "missing", detail);
            None
        };
        let common = self.typed::<Common>(Value::Object(common), pointer);
        let action = kind.and_then(|kind| self.action(&kind, own, pointer));
        let common = common?;
        if !self.ids.insert(common.id.clone()) {
            let detail = format!("There is another step `{}`.", common.id);
            self.problem(&format!("{pointer}/id"), "duplicate", detail);
        }
        let files = self.files(common.files, &format!("{pointer}/files"));
        Some(Step {
            id: common.id,
            name: common.name,
            files,
            on_error: common.on_error,
            retry: self.retry(common.retry, &format!("{pointer}/retry")),
            timeout: common.timeout,
            action: action?,
        })
    }

    fn action(&mut self, kind: &str, mut own: Map<String, Value>, at: &str) -> Option<StepAction> {
        own.remove("kind");
        let own = Value::Object(own);
        Some(match kind {
            "transfer" => StepAction::Transfer(self.typed(own, at)?),
            "copy" => StepAction::Copy(self.typed(own, at)?),
            "move" => StepAction::Move(self.typed(own, at)?),
            "rename" => StepAction::Rename(self.typed(own, at)?),
            "delete" => StepAction::Delete(self.typed(own, at)?),
            "tag" => StepAction::Tag(self.typed(own, at)?),
            "notify" => StepAction::Notify(self.typed(own, at)?),
            "wait" => StepAction::Wait(self.typed(own, at)?),
            "approve" => StepAction::Approve(self.typed(own, at)?),
            "fail" => StepAction::Fail(self.typed(own, at)?),
            "branch" => {
                let raw: RawBranch = self.typed(own, at)?;
                StepAction::Branch(BranchStep {
                    condition: raw.condition,
                    then: self.steps(raw.then, &format!("{at}/then")),
                    otherwise: self.steps(raw.otherwise, &format!("{at}/else")),
                })
            }
            "for_each" => {
                let raw: RawEach = self.typed(own, at)?;
                StepAction::ForEach(ForEachStep {
                    steps: self.steps(raw.steps, &format!("{at}/steps")),
                    max_failures: raw.max_failures,
                })
            }
            kind if ContentStep::KINDS.contains(&kind) => {
                let mut own = own;
                if let Some(fields) = own.as_object_mut() {
                    fields.insert("kind".to_owned(), kind.into());
                }
                StepAction::Content(Box::new(self.typed(own, at)?))
            }
            other => {
                let detail = format!("`{other}` is no kind of step: {}.", kinds());
                self.problem(&format!("{at}/kind"), "unknown_kind", detail);
                return None;
            }
        })
    }

    fn files(&mut self, files: Option<OneOrMany>, pointer: &str) -> Option<Vec<FilesFrom>> {
        let texts = match files? {
            OneOrMany::One(text) => vec![text],
            OneOrMany::Many(texts) => texts,
        };
        let mut found = Vec::new();
        for text in texts {
            match files_from(&text) {
                Ok(from) => found.push(from),
                Err(detail) => self.problem(pointer, "invalid", format!("{detail}.")),
            }
        }
        Some(found)
    }

    fn retry(&mut self, retry: Option<Retry>, pointer: &str) -> RetryRule {
        let Some(retry) = retry else {
            return RetryRule {
                max_attempts: 1,
                ..RetryRule::default()
            };
        };
        if !(1..=limit::TRANSFER_ATTEMPTS_MAX).contains(&retry.max_attempts) {
            let detail = format!("Must be 1 to {}.", limit::TRANSFER_ATTEMPTS_MAX);
            self.problem(&format!("{pointer}/max_attempts"), "out_of_range", detail);
        }
        let usual = RetryRule::default();
        let seconds = |span: Option<TimeSpan>, usual: u32| {
            span.map_or(usual, |span| span.duration().as_secs() as u32)
        };
        let first = seconds(retry.delay, usual.initial_delay_seconds);
        RetryRule {
            max_attempts: retry.max_attempts,
            initial_delay_seconds: first,
            max_delay_seconds: seconds(retry.max_delay, usual.max_delay_seconds).max(first),
        }
    }
}

/// The kinds of steps that are no [`ContentStep`], as documents name them.
pub const KINDS: &[&str] = &[
    "transfer", "copy", "move", "rename", "delete", "tag", "notify", "wait", "approve", "fail",
    "branch", "for_each",
];

fn kinds() -> String {
    [KINDS, &ContentStep::KINDS].concat().join(", ")
}

fn files_from(text: &str) -> std::result::Result<FilesFrom, String> {
    if text == "${run.files}" {
        return Ok(FilesFrom::Run);
    }
    let step = text
        .strip_prefix("${steps.")
        .and_then(|rest| rest.strip_suffix(".files}"));
    if let Some(id) = step {
        return id.parse().map(FilesFrom::Step).map_err(str::to_owned);
    }
    if !text.starts_with('/') {
        return Err(format!(
            "`{text}` is no source of files: write `${{steps.ID.files}}`, `${{run.files}}` or a pattern such as `/in/*.csv`"
        ));
    }
    text.parse::<Template>().map(FilesFrom::Pattern)
}

/// A segment of a JSON pointer (RFC 6901).
fn escaped(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}
