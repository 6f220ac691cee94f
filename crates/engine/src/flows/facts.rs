//! What names in templates and conditions stand for at a place of a run.

use bailee_core::model::flow::{Fact, Facts, FileFact, FilesFact, Name, StepFact, TimeZoneName};
use bailee_core::model::{FlowFile, FlowRun, StepRun, StepState};

/// A place of a run: a step with its files, or one of them.
pub(super) struct Place<'a> {
    pub(super) run: &'a FlowRun,
    pub(super) zone: &'a TimeZoneName,
    pub(super) files: &'a [FlowFile],
    pub(super) file: Option<&'a FlowFile>,
    /// Finds a step that ended, seen from this place.
    pub(super) step: &'a (dyn Fn(&str) -> Option<StepRun> + Sync),
}

impl Facts for Place<'_> {
    fn fact(&self, name: &Name) -> Option<Fact> {
        let text = |text: &str| Some(Fact::Text(text.to_owned()));
        match name {
            Name::Date(form) => self.zone.format(form, self.run.created_at).map(Fact::Text),
            Name::File(fact) => self.file.map(|file| file_fact(file, *fact)),
            Name::Files(FilesFact::Count) => Some(count(self.files)),
            Name::Files(FilesFact::Bytes) => Some(bytes(self.files)),
            Name::Files(FilesFact::Names) => {
                let names: Vec<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
                text(&names.join(", "))
            }
            Name::RunId => text(&self.run.id.to_string()),
            Name::OfFlow => text(self.run.flow_name.as_str()),
            Name::FlowVersion => Some(Fact::Number(f64::from(self.run.version))),
            Name::Trigger(path) => told(&self.run.trigger.facts, path),
            Name::Param(name) => self
                .run
                .params
                .get(name.as_str())
                .and_then(|value| text(value)),
            Name::Step(id, fact) => Some(step_fact((self.step)(id.as_str()).as_ref(), *fact)),
        }
    }
}

fn count(files: &[FlowFile]) -> Fact {
    Fact::Number(files.len() as f64)
}

fn bytes(files: &[FlowFile]) -> Fact {
    Fact::Number(files.iter().map(|file| file.size_bytes).sum::<u64>() as f64)
}

fn file_fact(file: &FlowFile, fact: FileFact) -> Fact {
    let name = file.name.as_str();
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension),
        _ => (name, ""),
    };
    match fact {
        FileFact::Name => Fact::Text(name.to_owned()),
        FileFact::Stem => Fact::Text(stem.to_owned()),
        FileFact::Extension => Fact::Text(extension.to_owned()),
        FileFact::Path => Fact::Text(file.path.to_string()),
        FileFact::Folder => Fact::Text(file.path.folder().to_string()),
        FileFact::Size => Fact::Number(file.size_bytes as f64),
        FileFact::Hash => Fact::Text(file.hash.clone()),
        FileFact::Id => Fact::Text(file.file_id.to_string()),
    }
}

fn told(facts: &serde_json::Map<String, serde_json::Value>, path: &str) -> Option<Fact> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let mut value = facts.get(first)?;
    for word in rest.split('.').filter(|word| !word.is_empty()) {
        let at = || value.get(word.parse::<usize>().ok()?);
        value = value.get(word).or_else(at)?;
    }
    match value {
        serde_json::Value::String(text) => Some(Fact::Text(text.clone())),
        serde_json::Value::Number(number) => number.as_f64().map(Fact::Number),
        serde_json::Value::Bool(flag) => Some(Fact::Flag(*flag)),
        _ => None,
    }
}

/// A step that never began, because the run went another way, was skipped.
fn step_fact(step: Option<&StepRun>, fact: StepFact) -> Fact {
    let files = step.map_or(&[][..], |step| &step.files);
    match fact {
        StepFact::Outcome => Fact::Text(match step.map(|step| step.state) {
            Some(StepState::Completed) => "completed".to_owned(),
            Some(state) => state.as_str().to_owned(),
            None => "skipped".to_owned(),
        }),
        StepFact::Count => count(files),
        StepFact::Bytes => bytes(files),
        StepFact::Error => {
            let fault = step.and_then(|step| step.fault.as_ref());
            Fact::Text(fault.map_or_else(String::new, |fault| fault.code.clone()))
        }
    }
}
