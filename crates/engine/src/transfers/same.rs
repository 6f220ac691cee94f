//! Leaving alone what is the same at the destination already: `sync`.

use bailee_connect::{EntryKind, RemotePath};
use bailee_core::FileRef;
use bailee_core::model::{File, FilePath, FileState, Same, Timestamp};

use super::attempt::Attempt;
use super::far::Far;
use super::fault::Halt;
use super::source::Source;

impl Attempt<'_> {
    /// Whether the file at a remote need not be sent again.
    pub(super) async fn is_same_far(
        &mut self,
        far: &Far,
        target: &RemotePath,
        source: &Source,
    ) -> Result<bool, Halt> {
        let Some(same) = self.transfer.same else {
            return Ok(false);
        };
        let found = far.stat(target).await?;
        let Some(found) = found.filter(|found| found.kind == EntryKind::File) else {
            return Ok(false);
        };
        if !may_be_same(
            same,
            (source.size_bytes(), source.modified()),
            (found.size_bytes, found.modified),
        ) {
            return Ok(false);
        }
        if same != Same::Hash {
            return Ok(true);
        }
        self.is_known_same = far.digest(target).await? == source.digest().await?;
        Ok(self.is_known_same)
    }

    /// Whether the file in Bailee need not be made again.
    pub(super) async fn is_same_here(
        &mut self,
        place: &FilePath,
        source: &Source,
    ) -> Result<bool, Halt> {
        let Some(same) = self.transfer.same else {
            return Ok(false);
        };
        let Some(found) = self.file_at(place).await? else {
            return Ok(false);
        };
        if !may_be_same(
            same,
            (source.size_bytes(), source.modified()),
            (Some(found.size_bytes), Some(found.created_at)),
        ) {
            return Ok(false);
        }
        if same != Same::Hash {
            return Ok(true);
        }
        self.is_known_same = found.hash == source.digest().await?;
        Ok(self.is_known_same)
    }

    /// The same where both are in Bailee.
    pub(super) async fn is_same_copy(
        &mut self,
        place: &FilePath,
        source: &File,
    ) -> Result<bool, Halt> {
        let Some(same) = self.transfer.same else {
            return Ok(false);
        };
        let Some(found) = self.file_at(place).await? else {
            return Ok(false);
        };
        Ok(match same {
            Same::Exists => true,
            Same::Size => found.size_bytes == source.size_bytes,
            Same::Mtime => {
                found.size_bytes == source.size_bytes && found.created_at >= source.created_at
            }
            Same::Hash => {
                self.is_known_same = found.hash == source.hash;
                self.is_known_same
            }
        })
    }

    async fn file_at(&self, place: &FilePath) -> Result<Option<File>, Halt> {
        if !self.is_taken(place).await? {
            return Ok(None);
        }
        let files = self.shared.core.files();
        let found = files.stat(&self.caller, FileRef::Path(place.clone())).await;
        Ok(found
            .ok()
            .filter(|found| found.state == FileState::Available))
    }
}

/// A file's size, and when it was changed, as far as they are told.
pub(super) type SizeAndTime = (Option<u64>, Option<Timestamp>);

/// Whether size and time agree; what a far system does not tell agrees with nothing.
pub(super) fn may_be_same(same: Same, source: SizeAndTime, found: SizeAndTime) -> bool {
    let is_size = found.0.is_some() && found.0 == source.0;
    match same {
        Same::Exists => true,
        Same::Size | Same::Hash => is_size,
        Same::Mtime => {
            let times = found.1.zip(source.1);
            is_size && times.is_some_and(|(there, here)| there >= here)
        }
    }
}
