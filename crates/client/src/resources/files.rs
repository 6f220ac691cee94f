use bailee_api::{ChangeFile, CopyFile, File, FileVerification, List, RestoreFile};
use bailee_model::{FileId, Timestamp};

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Files: versions of named content.
    Files, files
}

/// A file, by id or by path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileRef {
    /// These bytes, for ever.
    Id(FileId),
    /// Whatever is at this path now.
    Path(String),
}

impl From<FileId> for FileRef {
    fn from(id: FileId) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for FileRef {
    fn from(path: &str) -> Self {
        Self::Path(path.to_owned())
    }
}

/// Which files a list holds. Everything when nothing is set.
#[derive(Clone, Debug, Default)]
pub struct FileQuery {
    /// Files below this folder.
    pub path_prefix: Option<String>,
    /// `available`, `deleted` (the trash), …
    pub state: Option<String>,
    /// With this label.
    pub tag: Option<String>,
    /// Part of the name.
    pub q: Option<String>,
    /// Not before.
    pub created_after: Option<Timestamp>,
    /// Before.
    pub created_before: Option<Timestamp>,
}

impl Files<'_> {
    /// The facts about a file.
    pub async fn stat(&self, file: impl Into<FileRef>) -> Result<File> {
        let call = match file.into() {
            FileRef::Id(id) => Call::get(format!("/files/{id}")),
            FileRef::Path(path) => Call::get("/files/lookup").query("path", path),
        };
        self.0.json(call).await
    }

    /// Files, newest first.
    pub fn list(&self, query: &FileQuery) -> Listing<File> {
        let call = Call::get("/files")
            .maybe("path_prefix", query.path_prefix.as_ref())
            .maybe("state", query.state.as_ref())
            .maybe("tag", query.tag.as_ref())
            .maybe("q", query.q.as_ref())
            .maybe("created_after", query.created_after)
            .maybe("created_before", query.created_before);
        Listing::new(self.0, call)
    }

    /// Renames, moves, tags or classifies.
    pub async fn change(&self, file: FileId, change: &ChangeFile) -> Result<File> {
        let call = Call::patch(format!("/files/{file}")).json(change)?;
        self.0.json(call).await
    }

    /// Copies to another path.
    pub async fn copy(&self, file: FileId, copy: &CopyFile) -> Result<File> {
        let call = Call::post(format!("/files/{file}/copy")).json(copy)?;
        self.0.json(call).await
    }

    /// Makes this version current again, under a new id.
    pub async fn restore(&self, file: FileId, restore: &RestoreFile) -> Result<File> {
        let call = Call::post(format!("/files/{file}/restore")).json(restore)?;
        self.0.json(call).await
    }

    /// Deletes this version.
    pub async fn delete(&self, file: impl Into<FileRef>) -> Result<()> {
        let call = match file.into() {
            FileRef::Id(id) => Call::delete(format!("/files/{id}")),
            FileRef::Path(path) => Call::delete("/files/content").query("path", path),
        };
        self.0.gone(call).await
    }

    /// Deletes this version and the key of its bytes.
    pub async fn purge(&self, file: FileId) -> Result<()> {
        let call = Call::delete(format!("/files/{file}")).query("purge", true);
        self.0.gone(call).await
    }

    /// The versions at this file's path, newest first.
    pub async fn versions(&self, file: FileId) -> Result<Vec<File>> {
        let list: List<File> = self
            .0
            .json(Call::get(format!("/files/{file}/versions")))
            .await?;
        Ok(list.data)
    }

    /// Has the server read and hash the stored bytes now.
    pub async fn verify(&self, file: FileId) -> Result<FileVerification> {
        self.0
            .json(Call::post(format!("/files/{file}/verify")))
            .await
    }
}
