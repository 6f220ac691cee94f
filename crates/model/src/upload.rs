use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BlobId, FileId, FilePath, PrincipalId, Timestamp, UploadId};

/// Where an upload is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadState {
    /// It takes parts.
    Open,
    /// Its file exists.
    Completed,
    /// Its sender gave it up.
    Aborted,
    /// Its time ran out.
    Expired,
}

impl UploadState {
    /// Whether this state may follow: only an open upload changes.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Open, Self::Completed | Self::Aborted | Self::Expired)
        )
    }
}

/// A file on its way in, by parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The `session_id` of the wire.
    pub id: UploadId,
    /// Where the file goes.
    pub path: FilePath,
    /// Declared size, checked at completion.
    pub size_bytes: Option<u64>,
    /// What the client plans with.
    pub part_size: u64,
    /// Whether a file at the path is replaced.
    pub overwrite: bool,
    /// Declared media type.
    pub content_type: Option<String>,
    /// Declared SHA-256, lower-case hex, checked at completion.
    pub hash: Option<String>,
    /// Labels for the file.
    pub tags: Vec<String>,
    /// Custom entries for the file.
    pub metadata: BTreeMap<String, String>,
    /// Where it is in its life.
    pub state: UploadState,
    /// The file that it became.
    pub file: Option<FileId>,
    /// Who sends it.
    pub created_by: PrincipalId,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// When it ends unless another part comes.
    pub expires_at: Timestamp,
}

/// The numbered piece a client sent, sealed and durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// From 0.
    pub number: u32,
    /// Its blob.
    pub blob: BlobId,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256, lower-case hex.
    pub hash: String,
}
