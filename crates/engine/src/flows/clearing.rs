//! What becomes of the files between the steps of a run once it ends.

use std::collections::BTreeSet;

use bailee_core::model::flow::KeepFiles;
use bailee_core::model::{ErrorKind, FolderPath, PageRequest, RunState, limit as model_limit};
use bailee_core::{FileQuery, FileRef, Precondition, Purge, Recursive};

use super::walk::Runner;

impl Runner<'_> {
    /// Removes the run's working folder for good, if the flow wants that after such an end, and with it those of the failed
    /// runs whose steps it went on from. It is asked with the owner's rights, and what they do not allow stays.
    pub(super) async fn clear_up(&self, state: RunState) -> bailee_core::model::Result<()> {
        let is_kept = match self.document.keep_files {
            KeepFiles::Always => true,
            KeepFiles::Never => false,
            KeepFiles::OnFailure => state != RunState::Completed,
        };
        if is_kept {
            return Ok(());
        }
        let own = self.run_folder().ok();
        let is_own = |folder: &FolderPath| own.as_ref() == Some(folder);
        let mut folders = BTreeSet::new();
        for step in self.steps.values() {
            let goes_on = step.is_reused && state == RunState::Completed;
            let found = step.files.iter();
            let found = found.filter_map(|file| self.run_folder_of(&file.path));
            folders.extend(found.filter(|folder| goes_on || is_own(folder)));
        }
        for folder in folders {
            self.remove(folder).await?;
        }
        Ok(())
    }

    /// Removes a folder and all that is in it for good.
    async fn remove(&self, folder: FolderPath) -> bailee_core::model::Result<()> {
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
