//! Uploads by parts.

use std::collections::BTreeMap;

use bailee_model::{FileId, Timestamp, UploadId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::List;
use crate::word::{words, words_from};

words! {
    /// Where an upload is in its life.
    UploadState {
        /// It takes parts.
        Open = "open",
        /// Its file exists.
        Completed = "completed",
        /// Its sender gave it up.
        Aborted = "aborted",
        /// Its time ran out.
        Expired = "expired",
    }
}
words_from!(bailee_model::UploadState => UploadState { Open, Completed, Aborted, Expired });

/// Body of `POST /uploads`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"destination": "reports", "filename": "big.bin", "size": 12_582_912, "part_size": 5_242_880, "overwrite": false}))]
pub struct OpenUpload {
    /// The folder that the file goes into.
    pub destination: String,
    /// The file's name.
    pub filename: String,
    /// Size of the whole in bytes; checked at completion.
    pub size: Option<u64>,
    /// What the client plans with, in bytes: 64 KiB to 1 GiB. Parts may be of any size from 1 byte.
    pub part_size: Option<u64>,
    /// Whether a file at the path is replaced; otherwise 409 `file_exists`.
    #[serde(default)]
    pub overwrite: bool,
    /// Media type; by the name's extension when absent.
    pub content_type: Option<String>,
    /// SHA-256 of the whole, lower-case hex; checked at completion.
    pub hash: Option<String>,
    /// Labels for the file.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Custom entries for the file.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

/// An upload by parts, and what of it is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UploadSession {
    /// Names the session.
    #[schema(value_type = String, example = "upl_01m7yp4ke5es8r65rzyjka792g")]
    pub session_id: UploadId,
    /// Where it is in its life.
    pub state: UploadState,
    /// The folder that the file goes into.
    #[schema(example = "/reports")]
    pub destination: String,
    /// The file's name.
    #[schema(example = "big.bin")]
    pub filename: String,
    /// Declared size of the whole in bytes.
    #[schema(required)]
    pub size: Option<u64>,
    /// What the client plans with, in bytes.
    pub part_size: u64,
    /// Largest part, in bytes.
    pub max_part_size: u64,
    /// Most parts.
    pub max_parts: u32,
    /// How many parts may be sent at once.
    pub max_concurrency: u32,
    /// Numbers of the parts held, ascending, from 0.
    pub received: Vec<u32>,
    /// Bytes held.
    pub bytes_received: u64,
    /// The file that it became.
    #[schema(value_type = Option<String>, example = "fil_01m7yp4jy0emq8k9w39qsaekf4", required)]
    pub file_id: Option<FileId>,
    /// When it ends unless another part comes.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub expires_at: Timestamp,
}

/// A page of upload sessions.
pub type UploadSessionList = List<UploadSession>;

/// Answer to `PUT /uploads/{session_id}/parts/{n}`: the part is durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UploadPart {
    /// Its number, from 0.
    pub part: u32,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, lower-case hex.
    pub hash: String,
}

/// Body of `POST /uploads/{session_id}/complete`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteUpload {
    /// SHA-256 of the whole, lower-case hex; another digest is 422 `digest_mismatch`, and the session stays open.
    pub hash: Option<String>,
}
