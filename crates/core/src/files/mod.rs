//! Files and their versions.

mod change;
mod place;
mod read;
mod remove;
mod rules;

use std::collections::BTreeMap;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Classification, Error, ErrorKind, File, FileId, FilePath, FileState, FolderPath, Result,
    Tenant, Timestamp,
};
use bailee_vault::DataKey;

pub(crate) use place::{Content, Version};
pub use place::{NewFile, Placed};
pub use read::{OpenFile, RandomRead, VerifyReport};
pub use remove::Purge;
pub(crate) use rules::{digest_mismatch, over_quota, too_large};

use crate::gate::Ask;
use crate::{Core, error};

/// How often a change is tried again that lost a race; each try reads afresh.
pub(crate) const RACES_MAX: u32 = 16;

/// The files of the caller's tenant.
pub struct Files<'a> {
    pub(crate) core: &'a Core,
}

/// Which file is meant.
#[derive(Clone, Debug)]
pub enum FileRef {
    /// A version.
    Id(FileId),
    /// Whatever a path points at now.
    Path(FilePath),
}

/// Under which condition a change goes through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Under any: none was stated where one could have been. A tenant may refuse that.
    #[default]
    None,
    /// Under any: the operation has no way to state one.
    Unasked,
    /// If the thing has one of these entity tags; `*` is any.
    IfMatch(Vec<String>),
    /// If there is nothing yet.
    IfNoneMatchAny,
}

impl Precondition {
    /// Refuses a change whose condition does not hold; `etag` is `None` when there is nothing.
    pub(crate) fn admit(&self, etag: Option<&str>, tenant: &Tenant) -> Result<()> {
        let holds = match (self, etag) {
            (Self::None, Some(_)) if tenant.settings.require_if_match => {
                let detail = "This tenant asks for If-Match on every change.";
                return Err(Error::new(ErrorKind::PreconditionRequired, detail));
            }
            (Self::None | Self::Unasked, _) | (Self::IfNoneMatchAny, None) => true,
            (Self::IfNoneMatchAny, Some(_)) | (Self::IfMatch(_), None) => false,
            (Self::IfMatch(tags), Some(etag)) => tags.iter().any(|tag| tag == "*" || tag == etag),
        };
        if holds {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::EtagMismatch,
            "It was changed since you read it, or the condition does not hold.",
        ))
    }
}

/// What changes of a file's description. The bytes of a version never change.
#[derive(Clone, Debug, Default)]
pub struct FileChange {
    /// A new place.
    pub path: Option<FilePath>,
    /// New labels, all of them.
    pub tags: Option<Vec<String>>,
    /// Entries to set, or to remove where `None`.
    pub metadata: Option<BTreeMap<String, Option<String>>>,
    /// A new classification, or none.
    pub classification: Option<Option<Classification>>,
}

/// Where a copy goes.
#[derive(Clone, Debug)]
pub struct CopyFile {
    /// The place of the copy.
    pub path: FilePath,
    /// Whether a file there is replaced.
    pub overwrite: bool,
}

/// Where a version comes back.
#[derive(Clone, Debug, Default)]
pub struct RestoreFile {
    /// Another place than its own.
    pub path: Option<FilePath>,
    /// Whether a file there is replaced.
    pub overwrite: bool,
}

/// Which files a list shows.
#[derive(Clone, Debug, Default)]
pub struct FileQuery {
    /// Only below this folder.
    pub below: Option<FolderPath>,
    /// The trash.
    pub deleted: bool,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only made at or after this time.
    pub created_after: Option<Timestamp>,
    /// Only made before this time.
    pub created_before: Option<Timestamp>,
    /// Only with this text in the name.
    pub name_contains: Option<String>,
}

/// The gate's view of a file.
pub(crate) fn resource(file: &File) -> Resource {
    Resource::File {
        path: file.path.clone(),
        classification: file.classification,
        owner: Some(file.created_by),
    }
}

/// The context under which a file's data_key is wrapped.
pub(crate) fn key_context(tenant: bailee_model::TenantId, file: FileId) -> String {
    format!("{tenant}/{file}")
}

impl Files<'_> {
    /// Finds a file for the gate and passes it: the file and the permit come together or not at all.
    pub(crate) async fn enter(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
        file: &FileRef,
    ) -> Result<(Permit, File)> {
        let facts = self.core.store.facts(caller.tenant());
        let found = match file {
            FileRef::Id(id) => facts.file(*id).await.map_err(error::from_db)?,
            FileRef::Path(path) => {
                // A path can be judged before it is known whether anything is there.
                let resource = Resource::File {
                    path: path.clone(),
                    classification: None,
                    owner: None,
                };
                let ask = Ask {
                    operation,
                    action,
                    resource: &resource,
                    what: "file",
                };
                self.core.enter(caller, ask).await?;
                match facts
                    .folder_at(path.folder())
                    .await
                    .map_err(error::from_db)?
                {
                    Some(folder) => {
                        let found = facts.file_at(folder.id, path.folder(), path.name()).await;
                        found.map_err(error::from_db)?
                    }
                    None => None,
                }
            }
        };
        let Some(found) = found else {
            // What may not be asked at all is said first, so that a missing scope is not taken for a missing file.
            let nowhere = Resource::Folder {
                path: FolderPath::root(),
            };
            self.core
                .refuse_without_scope(caller, operation, action, &nowhere)
                .await?;
            return Err(Error::not_found("file"));
        };
        let resource = resource(&found);
        let permit = self
            .core
            .enter(
                caller,
                Ask {
                    operation,
                    action,
                    resource: &resource,
                    what: "file",
                },
            )
            .await?;
        Ok((permit, found))
    }

    /// The file's data_key, unwrapped.
    pub(crate) async fn data_key(&self, permit: &Permit, file: &File) -> Result<DataKey> {
        let known = self.core.tenant(permit.tenant()).await?;
        let context = key_context(permit.tenant(), file.id);
        DataKey::unwrap_with(&file.wrapped_key, &known.key, &context).map_err(error::from_key)
    }
}

/// What the journal says of a file: the `data` of its events, to which each kind of event adds its own.
pub(crate) fn file_facts(file: &File, more: serde_json::Value) -> serde_json::Value {
    let mut facts = serde_json::json!({
        "file_id": file.id,
        "state": file.state,
        "version": file.version,
        "size": file.size_bytes,
        "hash": file.hash,
        "links": {
            "self": format!("/v1/files/{}", file.id),
            "download": format!("/v1/files/{}/download", file.id),
        },
    });
    if let (Some(facts), serde_json::Value::Object(more)) = (facts.as_object_mut(), more) {
        facts.extend(more);
    }
    facts
}

/// Refuses what is in the trash: it reads like a missing file.
pub(crate) fn living(file: &File) -> Result<()> {
    if file.state == FileState::Available {
        Ok(())
    } else {
        Err(Error::not_found("file"))
    }
}
