//! Folders: places for files, named by path.

use bailee_model::{self as model, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::{File, List, tagged};

/// A folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Folder {
    /// Its place now; `/` is the root.
    #[schema(example = "/reports")]
    pub path: String,
    /// Its last segment; empty for the root.
    #[schema(example = "reports")]
    pub name: String,
    /// The folder that holds it; null for the root.
    #[schema(required)]
    pub parent: Option<String>,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
}

impl From<&model::Folder> for Folder {
    fn from(folder: &model::Folder) -> Self {
        Self {
            path: folder.path.to_string(),
            name: folder.name().map(ToString::to_string).unwrap_or_default(),
            parent: folder.path.parent().map(|parent| parent.to_string()),
            created_at: folder.created_at,
        }
    }
}

/// What a folder holds: told apart by `type`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FolderEntry {
    /// A folder.
    Folder(Folder),
    /// The current version of a file.
    File(Box<File>),
}

impl PartialSchema for FolderEntry {
    fn schema() -> RefOr<Schema> {
        let variants = [("folder", "FolderEntryFolder"), ("file", "FolderEntryFile")];
        tagged::union(
            "type",
            "What a folder holds: told apart by `type`.",
            &variants,
        )
    }
}

impl ToSchema for FolderEntry {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let folder = tagged::variant(Folder::schema(), "type", "folder");
        schemas.push(("FolderEntryFolder".to_owned(), folder));
        Folder::schemas(schemas);
        let file = tagged::variant(File::schema(), "type", "file");
        schemas.push(("FolderEntryFile".to_owned(), file));
        File::schemas(schemas);
    }
}

/// A page of a folder's children, by name.
pub type FolderEntryList = List<FolderEntry>;

/// Body of `POST /folders`; missing parents are made too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateFolder {
    /// The folder's full path.
    #[schema(example = "/reports/2026")]
    pub path: String,
}

/// Body of `PATCH /folders?path=`: a JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeFolder {
    /// The new full path; everything in the folder moves along.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub path: Option<String>,
}
