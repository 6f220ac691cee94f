//! What becomes of the files between the steps of a run once it ends.

use bailee_core::model::flow::KeepFiles;
use bailee_core::model::{ErrorKind, PageRequest, RunState, StepRun, limit as model_limit};
use bailee_core::{FileQuery, FileRef, Precondition, Purge, Recursive};

use super::walk::Runner;

impl Runner<'_> {
    /// Removes the run's working folder for good, if the flow wants that after such an end. It is asked with the owner's
    /// rights, and what they do not allow stays.
    pub(super) async fn clear_up(&self, state: RunState) -> bailee_core::model::Result<()> {
        let is_kept = match self.document.keep_files {
            KeepFiles::Always => true,
            KeepFiles::Never => false,
            KeepFiles::OnFailure => state != RunState::Completed,
        };
        let Ok(folder) = self.run_folder() else {
            return Ok(());
        };
        let is_used = |step: &StepRun| step.files.iter().any(|file| file.path.is_within(&folder));
        if is_kept || !self.steps.values().any(is_used) {
            return Ok(());
        }
        let core = &self.shared.core;
        let query = FileQuery {
            below: Some(folder.clone()),
            ..FileQuery::default()
        };
        let page = PageRequest {
            limit: model_limit::PAGE_MAX,
            after: None,
        };
        loop {
            let found = match core
                .files()
                .list(&self.caller, query.clone(), page.clone())
                .await
            {
                Ok(found) => found.data,
                Err(error) if is_refusal(error.kind()) => return Ok(()),
                Err(error) => return Err(error),
            };
            if found.is_empty() {
                break;
            }
            for file in found {
                let file = FileRef::Id(file.id);
                let files = core.files();
                let gone = files.delete(&self.caller, file, Purge::Yes, Precondition::Unasked);
                match gone.await {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) if is_refusal(error.kind()) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        }
        let folders = core.folders();
        match folders.delete(&self.caller, folder, Recursive::Yes).await {
            Ok(()) => Ok(()),
            Err(error) if is_refusal(error.kind()) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn is_refusal(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::FolderNotFound
            | ErrorKind::PolicyDenied
            | ErrorKind::InsufficientScope
            | ErrorKind::FolderNotEmpty
    )
}
