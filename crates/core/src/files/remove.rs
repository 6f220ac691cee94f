use bailee_auth::{Action, Caller, Permit};
use bailee_model::{Error, ErrorKind, EventType, File, FileState, Result, Tenant, limit};
use bailee_store::{Change, DbError, conflict};

use super::{FileRef, Files, Precondition, RACES_MAX, file_facts};
use crate::journal::Note;
use crate::{Core, error};

/// Whether a deleted file can come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// It goes to the trash.
    No,
    /// Its data_key is destroyed with its row; its bytes are gone for good.
    Yes,
}

impl Files<'_> {
    /// Removes one version. Removing the current one vacates its path; older versions do not surface by themselves.
    pub async fn delete(
        &self,
        caller: &Caller,
        file: FileRef,
        purge: Purge,
        precondition: Precondition,
    ) -> Result<()> {
        for _ in 0..RACES_MAX {
            let (permit, file) = self
                .enter(caller, "files.delete", Action::FileDelete, &file)
                .await?;
            let is_gone = file.state == FileState::Deleted;
            if is_gone && purge == Purge::No {
                return Err(Error::not_found("file"));
            }
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&file.hash), &known.tenant)?;
            let mut change = self.core.store.change(&permit);
            match purge {
                Purge::No => self.core.trash(&mut change, &file),
                Purge::Yes => self.core.purge(&mut change, &file, &known.tenant),
            }
            change.journal(&self.core.permitted(caller, &permit, deleted(&file, purge)));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::PLACE)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(Error::new(
            ErrorKind::StateConflict,
            "Too many others change this file at the moment.",
        ))
    }
}

fn deleted(file: &File, purge: Purge) -> Note {
    Note::event("files.delete", EventType::FileDeleted)
        .about(file.id)
        .at(&file.path)
        .with(file_facts(
            &File {
                state: FileState::Deleted,
                ..file.clone()
            },
            serde_json::json!({ "purged": purge == Purge::Yes }),
        ))
}

impl Core {
    /// Puts a file into the trash: it vacates its path and can be restored.
    pub(crate) fn trash(&self, change: &mut Change, file: &File) {
        change.put_file(&File {
            state: FileState::Deleted,
            is_current: false,
            deleted_at: Some(self.clock.now()),
            ..file.clone()
        });
    }

    /// Forgets a version, its data_key and its bytes.
    pub(crate) fn purge(&self, change: &mut Change, file: &File, tenant: &Tenant) {
        // A guarded write first: whoever changes or copies the version at the same time comes before or after.
        change.put_file(&File {
            is_current: false,
            ..file.clone()
        });
        change
            .discard_extents(file.id, self.clock.now().plus(limit::BLOB_GRACE))
            .delete_file(file.id);
        change.add_usage(
            -i64::try_from(file.size_bytes).unwrap_or(i64::MAX),
            -1,
            tenant,
        );
    }

    /// The journal entry of a file that goes with its folder.
    pub(crate) fn trash_with_folder(
        &self,
        change: &mut Change,
        caller: &Caller,
        permit: &Permit,
        file: &File,
    ) {
        self.trash(change, file);
        change.journal(&self.permitted(caller, permit, deleted(file, Purge::No)));
    }
}
