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
        &self,
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
        if !may_be_same(same, source, (found.size_bytes, found.modified)) {
            return Ok(false);
        }
        Ok(same != Same::Hash || far.digest(target).await? == source.digest().await?)
    }

    /// Whether the file in Bailee need not be made again.
    pub(super) async fn is_same_here(
        &self,
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
            source,
            (Some(found.size_bytes), Some(found.created_at)),
        ) {
            return Ok(false);
        }
        Ok(same != Same::Hash || found.hash == source.digest().await?)
    }

    /// The same where both are in Bailee.
    pub(super) async fn is_same_copy(&self, place: &FilePath, source: &File) -> Result<bool, Halt> {
        let Some(same) = self.transfer.same else {
            return Ok(false);
        };
        let found = self.file_at(place).await?;
        Ok(found.is_some_and(|found| match same {
            Same::Exists => true,
            Same::Size => found.size_bytes == source.size_bytes,
            Same::Mtime => {
                found.size_bytes == source.size_bytes && found.created_at >= source.created_at
            }
            Same::Hash => found.hash == source.hash,
        }))
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

/// Whether size and time agree; what a far system does not tell agrees with nothing.
fn may_be_same(same: Same, source: &Source, found: (Option<u64>, Option<Timestamp>)) -> bool {
    let (size_bytes, modified) = found;
    let is_size = size_bytes.is_some() && size_bytes == source.size_bytes();
    match same {
        Same::Exists => true,
        Same::Size | Same::Hash => is_size,
        Same::Mtime => {
            let times = modified.zip(source.modified());
            is_size && times.is_some_and(|(there, here)| there >= here)
        }
    }
}
