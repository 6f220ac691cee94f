use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BlobId, FileId, FileName, FilePath, FolderId, FolderPath, PrincipalId, Timestamp};

/// How sensitive a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Classification {
    /// For everybody.
    Public,
    /// For the tenant.
    Internal,
    /// For some.
    Confidential,
    /// For few.
    Restricted,
}

/// Where a file version is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// It can be read.
    Available,
    /// It is in the trash: listed there, restorable, not readable.
    Deleted,
}

/// A file version: a named thing in a folder, and its bytes for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Names these bytes for ever.
    pub id: FileId,
    /// The folder that holds it.
    pub folder: FolderId,
    /// Its place now.
    pub path: FilePath,
    /// 1 for the first file at a path, one more for each that replaced it.
    pub version: u32,
    /// Whether the path points at this version.
    pub is_current: bool,
    /// Where it is in its life.
    pub state: FileState,
    /// Size of the content.
    pub size_bytes: u64,
    /// SHA-256 of the content, lower-case hex.
    pub hash: String,
    /// As declared by the client, or by the name's extension.
    pub content_type: String,
    /// As sniffed from the first bytes.
    pub detected_type: Option<String>,
    /// How sensitive it is.
    pub classification: Option<Classification>,
    /// Labels.
    pub tags: Vec<String>,
    /// Custom entries.
    pub metadata: BTreeMap<String, String>,
    /// The file's data_key, wrapped by the tenant's wrapping_key. It stands in one row only, with which it is
    /// destroyed, so it goes into no text of the file.
    #[serde(skip)]
    pub wrapped_key: Vec<u8>,
    /// Who made it.
    pub created_by: PrincipalId,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Since when it is in the trash.
    pub deleted_at: Option<Timestamp>,
    /// Rises with every change of the metadata: the object's ETag.
    pub revision: u64,
}

/// A place for files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Its id, inside only.
    pub id: FolderId,
    /// The folder that holds it; `None` for the root.
    pub parent: Option<FolderId>,
    /// Its place now.
    pub path: FolderPath,
    /// Since when it exists.
    pub created_at: Timestamp,
}

impl Folder {
    /// The id of every tenant's root.
    pub const ROOT: FolderId = FolderId::from_bits(0);

    /// Its name; `None` for the root.
    pub fn name(&self) -> Option<&FileName> {
        self.path.name()
    }
}

/// Where a blob's sealed bytes are.
#[derive(Clone, PartialEq, Eq)]
pub enum Placement {
    /// In the row, sealed.
    Inline(Vec<u8>),
    /// In the blob store, under the blob's id.
    Stored,
}

impl std::fmt::Debug for Placement {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inline(bytes) => write!(out, "Inline({} bytes)", bytes.len()),
            Self::Stored => out.write_str("Stored"),
        }
    }
}

/// A file version's stretch: the sealed thing that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The blob.
    pub blob: BlobId,
    /// Plain bytes in it.
    pub size_bytes: u64,
    /// Where its sealed bytes are.
    pub placement: Placement,
}
