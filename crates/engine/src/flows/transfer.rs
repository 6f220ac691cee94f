//! `transfer`: submits one, gives the run back until it ends, and takes what arrived.

use std::collections::BTreeMap;

use bailee_core::model::flow::{IfEmpty, Template, TransferStep, is_wild, split_wild};
use bailee_core::model::{
    End, ErrorKind, FileId, FlowFile, Glob, PageRequest, StepFault, StepRun, StepState, Transfer,
    TransferId, TransferOutcome, limit as model_limit,
};
use bailee_core::{FileRef, NewTransfer, parse_end};

use super::place::as_pattern;
use super::step::late;
use super::walk::{Did, Halt, Runner, Scope, Trouble};
use crate::limit;

impl Runner<'_> {
    /// Submits the transfer of a step, or looks how it goes.
    pub(super) async fn transfer(
        &mut self,
        step: &TransferStep,
        key: &str,
        scope: &Scope,
    ) -> Result<Did, Trouble> {
        let row = self.row(key)?;
        let Some(id) = row.transfer else {
            return self.submit(step, row, scope).await;
        };
        let core = &self.shared.core;
        let transfer = core.transfers().get(&self.caller, id).await?;
        if !transfer.state.is_final() {
            let now = self.now();
            if row.deadline.is_some_and(|deadline| now >= deadline) && !transfer.cancel_requested {
                core.transfers().cancel(&self.caller, id).await?;
            }
            let look = now.plus(limit::TRANSFER_LOOK_EVERY);
            return Ok(Did::Waits(
                row.deadline
                    .filter(|at| *at > now)
                    .map_or(look, |at| at.min(look)),
            ));
        }
        let arrived = self.arrived(&row, &transfer).await?;
        match transfer.outcome {
            Some(TransferOutcome::Succeeded) if moved_nothing(&transfer) => empty(step.if_empty),
            Some(TransferOutcome::Succeeded) => {
                let note = format!("{} files arrived.", arrived.len());
                Ok(Did::Done(arrived, Some(note)))
            }
            outcome => {
                let is_late = row.deadline.is_some_and(|deadline| self.now() >= deadline);
                if is_late && outcome == Some(TransferOutcome::Cancelled) {
                    return Err(Trouble::Fault(late(), arrived));
                }
                Err(Trouble::Fault(fault(&transfer), arrived))
            }
        }
    }

    async fn submit(
        &mut self,
        step: &TransferStep,
        mut row: StepRun,
        scope: &Scope,
    ) -> Result<Did, Trouble> {
        if step.source.is_none() && row.taken.is_empty() {
            return empty(step.if_empty);
        }
        let new = self.wish(step, &row, scope)?;
        // Marked with its try: who finds the mark finds the transfer, and submits no second one.
        let once = self.once(&format!("{}/{}", row.key, row.attempt)).await?;
        let submitted = self.shared.core.transfers().submit(&once.caller, new).await;
        let transfer = self.came(once, submitted).await?;
        row.transfer = Some(transfer.id);
        row.state = StepState::Waiting;
        row.fault = None;
        row.resume_at = None;
        let deadline = row.deadline;
        self.save(row).await?;
        let look = self.now().plus(limit::TRANSFER_LOOK_EVERY);
        Ok(Did::Waits(
            deadline.map_or(look, |deadline| deadline.min(look)),
        ))
    }

    /// The transfer that a step asks for.
    fn wish(
        &self,
        step: &TransferStep,
        row: &StepRun,
        scope: &Scope,
    ) -> Result<NewTransfer, StepFault> {
        let destination = match &step.destination {
            Some(template) => end(&self.render(template, &row.taken, scope)?)?,
            None => End::Folder {
                path: self.work_folder(&row.key)?,
            },
        };
        let mut include = self.globs(&step.include, row, scope)?;
        let exclude = self.globs(&step.exclude, row, scope)?;
        let mut sources = Vec::new();
        let source = if let Some(template) = &step.source {
            let text = self.render(template, &row.taken, scope)?;
            // What a trigger told is a name, whatever letters are in it.
            let is_name = template.is_told() && !is_wild(&template.outline());
            let (folder, pattern) = if is_name {
                (text.as_str(), None)
            } else {
                split_wild(as_pattern(template, &text)?)
            };
            if let Some(pattern) = pattern {
                include.push(glob(pattern)?);
            }
            end(folder)?
        } else {
            let files = row.taken.iter();
            sources.extend(files.map(|file| End::File { file: file.file_id }));
            destination.clone()
        };
        Ok(NewTransfer {
            sources,
            include,
            exclude,
            label: Some(format!("{} {}", self.run.flow_name, row.key)),
            verify: step.verify,
            on_conflict: step.on_conflict,
            same: step.same,
            delete_source: step.delete_source,
            preserve_time: step.preserve_time,
            bandwidth: step.bandwidth,
            metadata: BTreeMap::new(),
            ..NewTransfer::new(source, destination)
        })
    }

    fn globs(
        &self,
        templates: &[Template],
        row: &StepRun,
        scope: &Scope,
    ) -> Result<Vec<Glob>, StepFault> {
        let read = |template| {
            let text = self.render(template, &row.taken, scope)?;
            glob(as_pattern(template, &text)?)
        };
        templates.iter().map(read).collect()
    }

    /// The files that a transfer made in Bailee; where it went elsewhere, those in Bailee that it sent.
    async fn arrived(&self, row: &StepRun, transfer: &Transfer) -> Result<Vec<FlowFile>, Trouble> {
        let mut arrived = Vec::new();
        for moved in self.moved(transfer).await? {
            if moved.is_skipped || moved.outcome != Some(TransferOutcome::Succeeded) {
                continue;
            }
            let (file, is_sent) = match (moved.result_file, &moved.source) {
                (Some(made), _) => (FileRef::Id(made), false),
                (None, End::File { file }) => (FileRef::Id(*file), true),
                (None, End::Path { path }) => (FileRef::Path(path.clone()), true),
                (None, _) => continue,
            };
            if let FileRef::Id(id) = file
                && let Some(known) = known(row, id)
            {
                arrived.push(known);
                continue;
            }
            match self.shared.core.flow_works().file(&self.caller, file).await {
                Ok(file) => arrived.push(file),
                // A source may be gone: by the step itself, or by others.
                Err(error) if is_sent && error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
            if arrived.len() > model_limit::FLOW_FILES_MAX {
                let detail = format!(
                    "A step puts out at most {} files.",
                    model_limit::FLOW_FILES_MAX
                );
                return Err(StepFault::permanent("too_many_files", detail).into());
            }
        }
        // They came in the order in which they were done.
        arrived.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(arrived)
    }

    async fn moved(&self, transfer: &Transfer) -> Result<Vec<Transfer>, Halt> {
        if transfer.counts.is_none() {
            return Ok(vec![transfer.clone()]);
        }
        let mut all = Vec::new();
        let mut page = PageRequest {
            limit: model_limit::PAGE_MAX,
            after: None,
        };
        loop {
            let found = self.files_of(transfer.id, page.clone()).await?;
            all.extend(found.data);
            page.after = found.next;
            if page.after.is_none() || all.len() > model_limit::FLOW_FILES_MAX {
                return Ok(all);
            }
        }
    }

    async fn files_of(
        &self,
        id: TransferId,
        page: PageRequest,
    ) -> Result<bailee_core::model::Page<Transfer>, Halt> {
        let transfers = self.shared.core.transfers();
        let found = transfers
            .files(&self.caller, id, Some("completed"), page)
            .await;
        found.map_err(Halt::Broken)
    }
}

fn known(row: &StepRun, id: FileId) -> Option<FlowFile> {
    row.taken.iter().find(|file| file.file_id == id).cloned()
}

/// Whether it was about many files and there were none to move.
fn moved_nothing(transfer: &Transfer) -> bool {
    let nothing = |counts: bailee_core::model::FileCounts| counts.files_done == 0;
    transfer.counts.map_or(transfer.is_skipped, nothing)
}

fn end(text: &str) -> Result<End, StepFault> {
    parse_end(text).map_err(|error| {
        let detail = format!("`{text}`: {}", error.detail());
        StepFault::permanent("invalid_path", detail)
    })
}

fn glob(text: &str) -> Result<Glob, StepFault> {
    text.parse()
        .map_err(|detail| StepFault::permanent("invalid_path", format!("`{text}`: {detail}.")))
}

fn fault(transfer: &Transfer) -> StepFault {
    let fault = transfer.fault.clone();
    let code = fault
        .as_ref()
        .map_or("transfer_failed", |fault| fault.code.as_str());
    let detail = fault
        .as_ref()
        .map_or("The transfer failed.", |fault| fault.message.as_str());
    StepFault {
        code: code.to_owned(),
        detail: format!("{detail} ({})", transfer.id),
        retryable: matches!(
            transfer.outcome,
            Some(TransferOutcome::Error | TransferOutcome::Partial)
        ),
    }
}

/// What a step without files comes to.
fn empty(rule: IfEmpty) -> Result<Did, Trouble> {
    match rule {
        IfEmpty::Continue => Ok(Did::Done(
            Vec::new(),
            Some("There was nothing to move.".to_owned()),
        )),
        IfEmpty::End => Ok(Did::End),
        IfEmpty::Fail => Err(StepFault::permanent("no_files", "There was nothing to move.").into()),
    }
}
