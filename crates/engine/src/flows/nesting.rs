//! Steps that hold steps: `branch` and `for_each`.

use bailee_core::model::flow::{BranchStep, ForEachStep};
use bailee_core::model::{StepFault, Timestamp};

use super::facts::Place;
use super::walk::{Did, Halt, Runner, Scope, Trouble};
use crate::limit;

impl Runner<'_> {
    /// `branch`: decided once, then the steps of that side.
    pub(super) async fn branch(
        &mut self,
        branch: &BranchStep,
        key: &str,
        scope: &Scope,
    ) -> Result<Did, Trouble> {
        let mut row = self.row(key)?;
        if row.note.is_none() {
            let step = |id: &str| self.ended(scope, id);
            let holds = branch.condition.holds(&Place {
                run: &self.run,
                zone: &self.document.timezone,
                files: &row.taken,
                file: scope.file.as_ref(),
                step: &step,
            })?;
            row.note = Some(if holds { "then" } else { "else" }.to_owned());
            self.save(row.clone()).await?;
        }
        let steps = if row.note.as_deref() == Some("then") {
            &branch.then
        } else {
            &branch.otherwise
        };
        let files = self.walk(steps, row.taken, scope.clone()).await;
        match files {
            Ok(files) => Ok(Did::Done(files, None)),
            Err(Halt::Failed(fault)) => Err(settled(fault).into()),
            Err(halt) => Err(halt.into()),
        }
    }

    /// `for_each`: the steps for each file; what waits for one file does not keep the others.
    pub(super) async fn for_each(&mut self, each: &ForEachStep, key: &str) -> Result<Did, Trouble> {
        let row = self.row(key)?;
        let (mut files, mut faults) = (Vec::new(), Vec::new());
        let (mut parked, mut until): (usize, Option<Timestamp>) = (0, None);
        for (at, file) in row.taken.iter().enumerate() {
            let inner = Scope {
                prefix: format!("{key}.{at}."),
                file: Some(file.clone()),
            };
            match self.walk(&each.steps, vec![file.clone()], inner).await {
                Ok(more) | Err(Halt::End(more)) => files.extend(more),
                Err(Halt::Failed(fault)) => faults.push((file.name.clone(), fault)),
                Err(Halt::Parked(at)) => {
                    parked += 1;
                    until = Some(until.map_or(at, |until| until.min(at)));
                }
                Err(halt) => return Err(halt.into()),
            }
            if faults.len() > each.max_failures as usize || parked >= limit::FILES_WAITING_MAX {
                break;
            }
        }
        if let Some(until) = until {
            return Ok(Did::Waits(until));
        }
        match faults.first() {
            Some((name, first)) if faults.len() > each.max_failures as usize => {
                let detail = format!("{} files failed; {name}: {}", faults.len(), first.detail);
                let fault = StepFault {
                    retryable: false,
                    detail,
                    code: first.code.clone(),
                };
                Err(Trouble::Fault(fault, files))
            }
            _ => {
                let note = format!(
                    "{} files went well, {} failed.",
                    row.taken.len() - faults.len(),
                    faults.len()
                );
                Ok(Did::Done(files, Some(note)))
            }
        }
    }
}

/// A fault of a step within another: it had its tries.
fn settled(fault: StepFault) -> StepFault {
    StepFault {
        retryable: false,
        ..fault
    }
}
