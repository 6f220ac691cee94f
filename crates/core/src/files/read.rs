use std::ops::Range;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Error, ErrorKind, EventType, Extent, File, FileId, Outcome, Page, PageRequest, Result, TenantId,
};
use bailee_store::FileFilter;
use bailee_vault::{DataKey, PrefixHasher};
use futures::StreamExt;

use super::{FileQuery, FileRef, Files, file_facts, living, resource};
use crate::bytes::ByteStream;
use crate::gate::Ask;
use crate::journal::Note;
use crate::{Core, error};

/// Versions shown of one path at most.
const VERSIONS_SHOWN_MAX: u32 = 500;

/// A file that may be read.
pub struct OpenFile {
    /// The file.
    pub file: File,
    core: Core,
    caller: Caller,
    permit: Permit,
    key: DataKey,
}

/// What a reading of all stored bytes found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// Whether they are what was uploaded.
    pub ok: bool,
    /// SHA-256 of what is stored, lower-case hex; `None` when it could not be read.
    pub hash: Option<String>,
    /// Bytes read.
    pub size_bytes: u64,
}

/// A file that is read here and there, as an archive is by its catalogue.
pub struct RandomRead {
    core: Core,
    tenant: TenantId,
    key: DataKey,
    extents: Vec<Extent>,
}

impl RandomRead {
    /// The bytes of `range`, which must be within the file.
    pub fn range(&self, range: Range<u64>) -> ByteStream {
        self.core
            .unseal(self.tenant, &self.key, self.extents.clone(), range)
    }
}

impl OpenFile {
    /// The bytes of `range`, which must be within the file. Journalled before the first byte leaves.
    pub async fn stream(&self, range: Range<u64>) -> Result<ByteStream> {
        let extents = self.read_journalled(&range).await?;
        Ok(self
            .core
            .unseal(self.permit.tenant(), &self.key, extents, range))
    }

    /// The bytes of any place, as often as wanted. Journalled once, as a reading of all of them.
    pub async fn random(&self) -> Result<RandomRead> {
        let extents = self.read_journalled(&(0..self.file.size_bytes)).await?;
        Ok(RandomRead {
            core: self.core.clone(),
            tenant: self.permit.tenant(),
            key: self.key.clone(),
            extents,
        })
    }

    /// Where the bytes are, once the journal says that they are read.
    async fn read_journalled(&self, range: &Range<u64>) -> Result<Vec<Extent>> {
        let reader = self.core.store.reader(&self.permit);
        let extents = reader.extents(self.file.id).await.map_err(error::from_db)?;
        let note = Note::event("files.download", EventType::FileDownloaded)
            .about(self.file.id)
            .at(&self.file.path)
            .with(file_facts(
                &self.file,
                serde_json::json!({ "from": range.start, "to": range.end }),
            ));
        let mut change = self.core.store.change(&self.permit);
        change.journal(&self.core.permitted(&self.caller, &self.permit, note));
        change.commit_logged().await.map_err(error::from_db)?;
        Ok(extents)
    }
}

impl Files<'_> {
    /// A file's description.
    pub async fn stat(&self, caller: &Caller, file: FileRef) -> Result<File> {
        let (_, file) = self
            .enter(caller, "files.stat", Action::FileRead, &file)
            .await?;
        Ok(file)
    }

    /// Opens a file for reading.
    pub async fn open(&self, caller: &Caller, file: FileRef) -> Result<OpenFile> {
        let (permit, file) = self
            .enter(caller, "files.download", Action::FileRead, &file)
            .await?;
        living(&file)?;
        let key = self.data_key(&permit, &file).await?;
        Ok(OpenFile {
            file,
            core: self.core.clone(),
            caller: caller.clone(),
            permit,
            key,
        })
    }

    /// Files, newest first. Only those that the caller may see are in a page, so that it may hold fewer than asked.
    pub async fn list(
        &self,
        caller: &Caller,
        query: FileQuery,
        page: PageRequest,
    ) -> Result<Page<File>> {
        let below = query
            .below
            .clone()
            .or_else(|| caller.path_prefixes().first().cloned())
            .unwrap_or_default();
        let folder = Resource::Folder { path: below };
        let ask = Ask {
            operation: "files.list",
            action: Action::FileList,
            resource: &folder,
            what: "folder",
        };
        let permit = self.core.enter(caller, ask).await?;
        let reader = self.core.store.reader(&permit);
        let below = match query.below.filter(|path| !path.is_root()) {
            Some(path) => match reader.folder_at(&path).await.map_err(error::from_db)? {
                Some(folder) => Some(folder.id),
                None => {
                    return Ok(Page {
                        data: Vec::new(),
                        next: None,
                    });
                }
            },
            None => None,
        };
        let filter = FileFilter {
            below,
            deleted: query.deleted,
            tag: query.tag,
            created_after: query.created_after,
            created_before: query.created_before,
            name_contains: query.name_contains,
        };
        let mut found = reader.files(&filter, &page).await.map_err(error::from_db)?;
        found
            .data
            .retain(|file| self.core.admits(caller, Action::FileList, &resource(file)));
        Ok(found)
    }

    /// All versions at the place of a file, newest first.
    pub async fn versions(&self, caller: &Caller, file: FileId) -> Result<Vec<File>> {
        let (permit, file) = self
            .enter(
                caller,
                "files.versions",
                Action::FileRead,
                &FileRef::Id(file),
            )
            .await?;
        let reader = self.core.store.reader(&permit);
        reader
            .file_versions(&file, VERSIONS_SHOWN_MAX)
            .await
            .map_err(error::from_db)
    }

    /// Reads all stored bytes and compares their hash with the file's.
    pub async fn verify(&self, caller: &Caller, file: FileId) -> Result<VerifyReport> {
        let (permit, file) = self
            .enter(caller, "files.verify", Action::FileRead, &FileRef::Id(file))
            .await?;
        living(&file)?;
        let key = self.data_key(&permit, &file).await?;
        let extents = self
            .core
            .store
            .reader(&permit)
            .extents(file.id)
            .await
            .map_err(error::from_db)?;
        let stream = self
            .core
            .unseal(permit.tenant(), &key, extents, 0..file.size_bytes);
        let report = hash_all(stream).await;
        let report = VerifyReport {
            ok: report.hash.as_deref() == Some(&file.hash),
            ..report
        };
        let status = if report.ok {
            Outcome::Success
        } else {
            Outcome::Error
        };
        let note = Note::record("files.verify")
            .about(file.id)
            .at(&file.path)
            .ended(status);
        let mut change = self.core.store.aside(&permit);
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(error::from_db)?;
        if !report.ok {
            tracing::error!(file.id = %file.id, tenant.id = %permit.tenant(), "stored bytes are damaged");
        }
        Ok(report)
    }
}

async fn hash_all(mut stream: ByteStream) -> VerifyReport {
    let mut hasher = PrefixHasher::new();
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => hasher.update(&chunk),
            Err(error) => {
                tracing::error!(error = %error, "stored bytes cannot be opened");
                return VerifyReport {
                    ok: false,
                    hash: None,
                    size_bytes: hasher.hashed_bytes(),
                };
            }
        }
    }
    let size_bytes = hasher.hashed_bytes();
    VerifyReport {
        ok: false,
        hash: Some(hex::encode(hasher.finish())),
        size_bytes,
    }
}

impl Core {
    /// Says that a scope is missing, where it is; nothing else.
    pub(crate) async fn refuse_without_scope(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
        resource: &Resource,
    ) -> Result<()> {
        if caller.scopes().hold(action.scope()) {
            return Ok(());
        }
        match self
            .enter(
                caller,
                Ask {
                    operation,
                    action,
                    resource,
                    what: "file",
                },
            )
            .await
        {
            Err(error) if error.kind() == ErrorKind::InsufficientScope => Err(error),
            Err(error) if error.kind() == ErrorKind::InternalError => Err(error),
            Ok(_) | Err(_) => Ok::<(), Error>(()),
        }
    }
}
