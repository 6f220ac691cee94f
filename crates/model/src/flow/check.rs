//! What no single field can tell: references to steps and parameters, patterns that escape, bounds of the whole.

use std::collections::BTreeSet;

use super::{
    ArrivalTrigger, Condition, EventTrigger, FilesFrom, FlowDocument, Name, PathPattern, Step,
    StepAction, StepId, Template, TransferStep, Trigger, WatchTrigger,
};
use crate::{DayRule, FieldError, FilePath, FolderPath, Glob, limit};

/// All that is wrong with a document whose fields are right.
pub(super) fn problems(document: &FlowDocument) -> Vec<FieldError> {
    let mut check = Check {
        document,
        problems: Vec::new(),
        known: BTreeSet::new(),
        is_per_file: false,
    };
    check.top();
    for (at, trigger) in document.triggers.iter().enumerate() {
        check.trigger(trigger, &format!("#/triggers/{at}"));
    }
    check.steps(&document.steps, "#/steps");
    check.problems
}

struct Check<'a> {
    document: &'a FlowDocument,
    problems: Vec<FieldError>,
    /// Steps that come before the one at hand.
    known: BTreeSet<StepId>,
    /// Whether there is a single file at hand.
    is_per_file: bool,
}

impl<'a> Check<'a> {
    fn problem(&mut self, pointer: &str, code: &'static str, detail: impl Into<String>) {
        self.problems.push(FieldError {
            pointer: pointer.to_owned(),
            code,
            detail: detail.into(),
        });
    }

    fn top(&mut self) {
        let count = self.document.all_steps().len();
        if count == 0 || count > limit::FLOW_STEPS_MAX {
            let detail = format!("A flow has 1 to {} steps.", limit::FLOW_STEPS_MAX);
            self.problem("#/steps", "out_of_range", detail);
        }
        if self.document.triggers.len() > limit::FLOW_TRIGGERS_MAX {
            let detail = format!("At most {} triggers.", limit::FLOW_TRIGGERS_MAX);
            self.problem("#/triggers", "too_many", detail);
        }
        if self.document.params.len() > limit::FLOW_PARAMS_MAX {
            let detail = format!("At most {} parameters.", limit::FLOW_PARAMS_MAX);
            self.problem("#/params", "too_many", detail);
        }
        let description = self.document.description.as_ref();
        if description.is_some_and(|text| text.len() > limit::FLOW_TEXT_BYTES_MAX) {
            self.problem("#/description", "too_long", "The text is too long.");
        }
    }

    fn trigger(&mut self, trigger: &Trigger, at: &str) {
        match trigger {
            Trigger::Arrival(arrival) => self.arrival(arrival, at),
            Trigger::Event(event) => self.event(event, at),
            Trigger::Flow(flow) => {
                if flow.flow == self.document.name {
                    let detail = "A flow cannot wait for its own end.";
                    self.problem(&format!("{at}/flow"), "cycle", detail);
                }
            }
            Trigger::Schedule(schedule) => {
                if schedule.day_rule == DayRule::NotOnHolidays && schedule.calendar.is_none() {
                    let detail = "Name the calendar that has the holidays.";
                    self.problem(&format!("{at}/calendar"), "missing", detail);
                }
            }
            Trigger::Watch(watch) => self.watch(watch, at),
            Trigger::Api {} | Trigger::Hook {} => {}
        }
    }

    fn watch(&mut self, watch: &WatchTrigger, at: &str) {
        let (least, most) = limit::FLOW_WATCH_EVERY;
        let told = format!(
            "{} seconds to {} hours",
            least.as_secs(),
            most.as_secs() / 3600
        );
        if !(least..=most).contains(&watch.every.duration()) {
            let detail = format!("A watch looks every {told}.");
            self.problem(&format!("{at}/every"), "out_of_range", detail);
        }
        if watch.settle.is_some_and(|settle| settle.duration() > most) {
            let detail = format!("A file settles within {} hours.", most.as_secs() / 3600);
            self.problem(&format!("{at}/settle"), "out_of_range", detail);
        }
    }

    fn arrival(&mut self, arrival: &ArrivalTrigger, at: &str) {
        if let Err(detail) = arrival.path.parse::<PathPattern>() {
            self.problem(&format!("{at}/path"), "invalid", format!("{detail}."));
        }
        if let Some(file) = &arrival.trigger_file {
            let pointer = format!("{at}/trigger_file");
            let outline = file.outline();
            if outline.contains('/') || outline.parse::<Glob>().is_err() {
                let detail = "A trigger file is named, without its folder: `*.done`.";
                self.problem(&pointer, "invalid", detail);
            }
            let is_known = |name: &Name| {
                matches!(
                    name,
                    Name::File(super::FileFact::Name | super::FileFact::Stem)
                )
            };
            if !file.names().all(is_known) {
                let detail = "Only `${file.name}` and `${file.stem}` can stand here.";
                self.problem(&pointer, "invalid", detail);
            }
        }
    }

    fn event(&mut self, event: &EventTrigger, at: &str) {
        let is_known = |wanted: &String| match wanted.strip_suffix(".*") {
            Some(family) => crate::EventType::ALL
                .iter()
                .any(|kind| kind.as_str().split('.').next() == Some(family)),
            None => wanted.parse::<crate::EventType>().is_ok(),
        };
        if event.types.is_empty() {
            self.problem(
                &format!("{at}/types"),
                "invalid",
                "Name at least one event type.",
            );
        }
        for (index, wanted) in event.types.iter().enumerate() {
            if !is_known(wanted) {
                let detail = format!("`{wanted}` is not an event type.");
                self.problem(&format!("{at}/types/{index}"), "unknown_type", detail);
            }
        }
        if let Some(Err(detail)) = event.path.as_ref().map(|path| path.parse::<PathPattern>()) {
            self.problem(&format!("{at}/path"), "invalid", format!("{detail}."));
        }
        let is_status = |status: &String| ["success", "denied", "error"].contains(&status.as_str());
        if !event.status.iter().all(is_status) {
            let detail = "A status is `success`, `denied` or `error`.";
            self.problem(&format!("{at}/status"), "invalid", detail);
        }
    }

    fn steps(&mut self, steps: &'a [Step], pointer: &str) {
        for (at, step) in steps.iter().enumerate() {
            self.step(step, &format!("{pointer}/{at}"));
            self.known.insert(step.id.clone());
        }
    }

    /// Where a step's files come from.
    fn sources(&mut self, step: &'a Step, at: &str) {
        for from in step.files.iter().flatten() {
            let pointer = format!("{at}/files");
            match from {
                FilesFrom::Step(id) if !self.known.contains(id) => {
                    let detail = format!("No step `{id}` comes before this one.");
                    self.problem(&pointer, "unknown_step", detail);
                }
                FilesFrom::Pattern(template) => {
                    self.names(template.names(), &pointer);
                    if let Err(detail) = template.outline().parse::<PathPattern>() {
                        self.problem(&pointer, "invalid", format!("{detail}."));
                    }
                }
                FilesFrom::Step(_) | FilesFrom::Run => {}
            }
        }
    }

    fn step(&mut self, step: &'a Step, at: &str) {
        self.sources(step, at);
        match &step.action {
            StepAction::Transfer(transfer) => self.transfer(transfer, at),
            StepAction::Copy(place) | StepAction::Move(place) => {
                self.per_file(&place.to, &format!("{at}/to"));
                self.place(&place.to, &format!("{at}/to"));
            }
            StepAction::Rename(rename) => {
                let pointer = format!("{at}/to");
                self.per_file(&rename.to, &pointer);
                if rename.to.outline().parse::<crate::FileName>().is_err() {
                    self.problem(
                        &pointer,
                        "invalid",
                        "A new name is a name without a folder.",
                    );
                }
            }
            StepAction::Tag(tag) => {
                for (name, templates) in [("add", &tag.add), ("remove", &tag.remove)] {
                    for (index, template) in templates.iter().enumerate() {
                        self.per_file(template, &format!("{at}/{name}/{index}"));
                    }
                }
                for template in tag.metadata.values().flatten() {
                    self.per_file(template, &format!("{at}/metadata"));
                }
            }
            StepAction::Notify(notify) => {
                self.names(notify.message.names(), &format!("{at}/message"));
                for (name, template) in &notify.fields {
                    self.names(template.names(), &format!("{at}/fields/{name}"));
                }
            }
            StepAction::Wait(wait) if wait.span.is_some() == wait.until.is_some() => {
                self.problem(at, "invalid", "A wait has either `for` or `until`.");
            }
            StepAction::Approve(approve) => {
                let names = approve.message.iter().flat_map(Template::names);
                self.names(names, &format!("{at}/message"));
            }
            StepAction::Fail(fail) => self.names(fail.message.names(), &format!("{at}/message")),
            StepAction::Branch(branch) => {
                self.condition(&branch.condition, &format!("{at}/if"));
                self.steps(&branch.then, &format!("{at}/then"));
                self.steps(&branch.otherwise, &format!("{at}/else"));
            }
            StepAction::ForEach(each) => {
                let was_per_file = std::mem::replace(&mut self.is_per_file, true);
                let before = self.known.clone();
                self.steps(&each.steps, &format!("{at}/steps"));
                // What these put out is there once for each file, and nobody outside can tell which is meant.
                self.known = before;
                self.is_per_file = was_per_file;
                if each.steps.is_empty() {
                    self.problem(&format!("{at}/steps"), "missing", "There is nothing to do.");
                }
            }
            StepAction::Content(content) => {
                let texts = serde_json::to_value(content).unwrap_or_default();
                self.texts(&texts, at);
            }
            StepAction::Delete(_) | StepAction::Wait(_) => {}
        }
    }

    /// The templates in a step of no shape of ours.
    fn texts(&mut self, value: &serde_json::Value, at: &str) {
        match value {
            serde_json::Value::String(text) if text.contains("${") => {
                match text.parse::<Template>() {
                    Ok(template) => self.names(template.names(), at),
                    Err(detail) => self.problem(at, "invalid", format!("{detail}.")),
                }
            }
            serde_json::Value::Array(items) => {
                for item in items {
                    self.texts(item, at);
                }
            }
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    self.texts(value, &format!("{at}/{name}"));
                }
            }
            _ => {}
        }
    }

    fn transfer(&mut self, transfer: &'a TransferStep, at: &str) {
        if transfer.source.is_none() && transfer.destination.is_none() {
            let detail = "A transfer names a `source`, a `destination` or both.";
            self.problem(at, "missing", detail);
        }
        let ends = [
            ("source", &transfer.source),
            ("destination", &transfer.destination),
        ];
        for (name, end) in ends {
            let Some(end) = end else { continue };
            let pointer = format!("{at}/{name}");
            self.names(end.names(), &pointer);
            let outline = end.outline();
            let path = outline
                .split_once(':')
                .map_or(outline.as_str(), |(_, path)| path);
            if path.split('/').any(|part| matches!(part, "." | "..")) {
                let detail = "A path has no `.` and `..` segments.";
                self.problem(&pointer, "invalid", detail);
            }
        }
        for (name, templates) in [
            ("include", &transfer.include),
            ("exclude", &transfer.exclude),
        ] {
            for (index, template) in templates.iter().enumerate() {
                let pointer = format!("{at}/{name}/{index}");
                self.names(template.names(), &pointer);
                if let Err(detail) = template.outline().parse::<Glob>() {
                    self.problem(&pointer, "invalid", format!("{detail}."));
                }
            }
        }
    }

    /// A place in Bailee: a folder, or a path.
    fn place(&mut self, to: &Template, pointer: &str) {
        let outline = to.outline();
        let is_fine = outline.starts_with('/')
            && if outline.ends_with('/') {
                outline.parse::<FolderPath>().is_ok()
            } else {
                outline.parse::<FilePath>().is_ok()
            };
        if !is_fine {
            let detail = "A place is a folder (`/archive/`) or a path (`/archive/${file.name}`).";
            self.problem(pointer, "invalid", detail);
        }
    }

    fn per_file(&mut self, template: &'a Template, pointer: &str) {
        let was_per_file = std::mem::replace(&mut self.is_per_file, true);
        self.names(template.names(), pointer);
        self.is_per_file = was_per_file;
    }

    fn condition(&mut self, condition: &'a Condition, pointer: &str) {
        self.names(condition.names().into_iter(), pointer);
    }

    fn names<'n>(&mut self, names: impl Iterator<Item = &'n Name>, pointer: &str) {
        for name in names {
            match name {
                Name::Param(param) if !self.document.params.contains_key(param) => {
                    let detail = format!("The flow has no parameter `{param}`.");
                    self.problem(pointer, "unknown_param", detail);
                }
                Name::Step(id, _) if !self.known.contains(id) => {
                    let detail = format!("No step `{id}` comes before this one.");
                    self.problem(pointer, "unknown_step", detail);
                }
                Name::File(_) if !self.is_per_file => {
                    let detail =
                        "`file` is known where a step works on one file, and within `for_each`.";
                    self.problem(pointer, "unknown_name", detail);
                }
                _ => {}
            }
        }
    }
}
