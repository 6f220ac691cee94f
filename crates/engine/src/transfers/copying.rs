//! From one place in Bailee to another: no bytes move.

use bailee_core::model::End;
use bailee_core::model::{
    CopyProof, ErrorKind, File, FilePath, FileState, OnConflict, TransferState,
};
use bailee_core::{CopyFile, FileRef};

use super::attempt::Attempt;
use super::checkpoint::{Phase, Pin};
use super::fault::{Halt, Side, destination_exists, from_core};
use super::source::pinned;

impl Attempt<'_> {
    /// Copies a file within Bailee.
    pub(super) async fn copy(&mut self, from: End, to: &FilePath) -> Result<(), Halt> {
        let files = self.shared.core.files();
        let file = pinned(self.checkpoint.source.as_ref(), from)?;
        let source = files
            .stat(&self.caller, file)
            .await
            .map_err(|error| from_core(&error, Side::Source))?;
        self.checkpoint =
            std::mem::take(&mut self.checkpoint).for_source(&Pin::Bailee { file: source.id });
        self.transfer.bytes_total = Some(source.size_bytes);
        self.transfer.hash = Some(source.hash.clone());
        self.tell_time_is_lost();
        if self.checkpoint.phase == Phase::Settling
            && let Some(copy) = self.copied(&source).await?
        {
            self.copied_to(&copy);
            return Ok(());
        }
        if self.checkpoint.target.is_none() && self.is_same_copy(to, &source).await? {
            self.transfer.is_skipped = true;
            return Ok(());
        }
        for _ in 0..crate::limit::NAMES_TRIED_MAX {
            let Some(place) = self.choose_place(to).await? else {
                self.transfer.is_skipped = true;
                return Ok(());
            };
            self.checkpoint.phase = Phase::Settling;
            self.checkpoint.settling_since = Some(self.shared.core.clock().now());
            self.enter(TransferState::Settling).await?;
            self.stop.check()?;
            let command = CopyFile {
                path: place,
                overwrite: self.transfer.on_conflict == OnConflict::Replace,
            };
            match (
                files.copy(&self.caller, source.id, command).await,
                self.transfer.on_conflict,
            ) {
                (Ok(placed), _) => {
                    self.copied_to(&placed.file);
                    return Ok(());
                }
                (Err(error), OnConflict::Rename) if error.kind() == ErrorKind::FileExists => {
                    self.checkpoint.target = None;
                }
                (Err(error), OnConflict::Skip) if error.kind() == ErrorKind::FileExists => {
                    self.transfer.is_skipped = true;
                    return Ok(());
                }
                (Err(error), _) => return Err(from_core(&error, Side::Destination)),
            }
        }
        Err(destination_exists(to))
    }

    fn copied_to(&mut self, copy: &File) {
        self.transfer.result_file = Some(copy.id);
        self.transfer.bytes_done = copy.size_bytes;
        self.transfer.proof = Some(CopyProof::Sealed);
        self.transfer.placed_at = Some(copy.path.to_string());
    }

    /// The copy that an earlier runner made before it could say so: the same bytes, made by the same principal since
    /// then.
    async fn copied(&self, source: &File) -> Result<Option<File>, Halt> {
        let (Some(target), Some(since)) = (&self.checkpoint.target, self.checkpoint.settling_since)
        else {
            return Ok(None);
        };
        let Ok(target) = target.parse::<FilePath>() else {
            return Ok(None);
        };
        match self
            .shared
            .core
            .files()
            .stat(&self.caller, FileRef::Path(target))
            .await
        {
            Ok(found) => {
                let is_ours = found.state == FileState::Available
                    && found.hash == source.hash
                    && found.created_by == self.caller.principal()
                    && found.created_at >= since
                    && found.id != source.id;
                Ok(is_ours.then_some(found))
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::FolderNotFound
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(from_core(&error, Side::Destination)),
        }
    }
}
