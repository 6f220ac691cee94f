use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FlowName, ParamName, Step, StepAction, StepId, TimeZoneName, Trigger};
use crate::FolderPath;

/// A flow as its author wrote it, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowDocument {
    /// Unique in the tenant.
    pub name: FlowName,
    /// For people.
    pub description: Option<String>,
    /// In which dates are made.
    pub timezone: TimeZoneName,
    /// What a run can be given.
    pub params: BTreeMap<ParamName, Param>,
    /// What happens when it is to start while it runs.
    pub concurrency: Concurrency,
    /// Runs that may wait for their turn.
    pub queued_max: u32,
    /// Below which folder runs keep what lies between their steps.
    pub work_folder: Option<FolderPath>,
    /// What becomes of these files.
    pub keep_files: KeepFiles,
    /// What starts it.
    pub triggers: Vec<Trigger>,
    /// What it does.
    pub steps: Vec<Step>,
}

/// What a run can be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Param {
    /// For people.
    pub description: Option<String>,
    /// What it is when nothing is given; a run without it is refused if there is none.
    pub default: Option<String>,
}

/// What happens when a flow is to start while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concurrency {
    /// The new run waits for its turn.
    #[default]
    Queue,
    /// There is no new run.
    Skip,
    /// The new run takes the place of those before it, which are cancelled.
    Replace,
}

/// What becomes of the files between the steps of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepFiles {
    /// They are kept where the run failed, so that it can be run again from there.
    #[default]
    OnFailure,
    /// They are kept.
    Always,
    /// They go with the run's end.
    Never,
}

impl FlowDocument {
    /// All steps, those within others too, in reading order, each with its place: `#/steps/0/then/1`.
    pub fn steps_at(&self) -> Vec<(String, &Step)> {
        let mut found = Vec::new();
        collect(&self.steps, "#/steps", &mut found);
        found
    }

    /// All steps, those within others too, in reading order.
    pub fn all_steps(&self) -> Vec<&Step> {
        self.steps_at().into_iter().map(|(_, step)| step).collect()
    }

    /// A step by its id.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.all_steps().into_iter().find(|step| step.id == *id)
    }
}

impl Step {
    /// Its own id, and those of the steps within it.
    pub fn ids(&self) -> Vec<&StepId> {
        let mut found = Vec::new();
        collect(std::slice::from_ref(self), "", &mut found);
        found.into_iter().map(|(_, step)| &step.id).collect()
    }
}

fn collect<'a>(steps: &'a [Step], pointer: &str, found: &mut Vec<(String, &'a Step)>) {
    for (at, step) in steps.iter().enumerate() {
        let own = format!("{pointer}/{at}");
        found.push((own.clone(), step));
        match &step.action {
            StepAction::Branch(branch) => {
                collect(&branch.then, &format!("{own}/then"), found);
                collect(&branch.otherwise, &format!("{own}/else"), found);
            }
            StepAction::ForEach(each) => collect(&each.steps, &format!("{own}/steps"), found),
            _ => {}
        }
    }
}
