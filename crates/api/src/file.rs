//! Files: versions of named content. A `file_id` names the same bytes for ever.

use std::collections::BTreeMap;

use bailee_model::{self as model, FileId, PrincipalId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};
use crate::{List, Patch};

words! {
    /// Where a file version is in its life.
    FileState {
        /// It can be read.
        Available = "available",
        /// Its content is being looked at; reading waits for the verdict.
        Scanning = "scanning",
        /// Its content was found harmful; nobody reads it.
        Quarantined = "quarantined",
        /// It is in the trash.
        Deleted = "deleted",
    }
}
words_from!(bailee_model::FileState => FileState { Available, Deleted });

words! {
    /// How sensitive a file is.
    Classification {
        /// For everybody.
        Public = "public",
        /// For the tenant.
        Internal = "internal",
        /// For some.
        Confidential = "confidential",
        /// For few.
        Restricted = "restricted",
    }
}
words_from!(bailee_model::Classification => Classification { Public, Internal, Confidential, Restricted });

/// A file version: answered by upload, complete, copy, restore, lookup and stat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "file_id": "fil_01m7yp4jy0emq8k9w39qsaekf4", "path": "/reports/report.csv", "name": "report.csv", "folder": "/reports", "size": 26,
    "hash": "6330f05349c4373a84fbc2393357b14bdba92493af4dc5af74d4a08aef2151b3", "hash_algorithm": "sha256", "checksums": {},
    "content_type": "text/csv", "detected_type": "text/plain", "version": 1, "is_current": true, "state": "available",
    "classification": null, "tags": [], "metadata": {}, "created_by": "svc_01m7yp4pz8ev5b9ts55c7j3qdp",
    "created_at": "2026-11-21T09:14:00.000Z", "expires_at": null,
    "links": {"self": "/v1/files/fil_01m7yp4jy0emq8k9w39qsaekf4", "download": "/v1/files/fil_01m7yp4jy0emq8k9w39qsaekf4/download"}
}))]
pub struct File {
    /// Names these bytes for ever.
    #[schema(value_type = String, example = "fil_01m7yp4jy0emq8k9w39qsaekf4")]
    pub file_id: FileId,
    /// Its place now.
    #[schema(example = "/reports/report.csv")]
    pub path: String,
    /// The last segment of the path.
    #[schema(example = "report.csv")]
    pub name: String,
    /// The folder that holds it.
    #[schema(example = "/reports")]
    pub folder: String,
    /// Size of the content in bytes.
    pub size: u64,
    /// Digest of the content, bare lower-case hex.
    #[schema(example = "6330f05349c4373a84fbc2393357b14bdba92493af4dc5af74d4a08aef2151b3")]
    pub hash: String,
    /// Always `sha256` (FIPS 180-4).
    #[schema(example = "sha256")]
    pub hash_algorithm: String,
    /// Other digests by name of the algorithm, lower-case hex.
    pub checksums: BTreeMap<String, String>,
    /// Media type as the client declared it, or by the name's extension.
    #[schema(example = "text/csv")]
    pub content_type: String,
    /// Media type as sniffed from the first bytes; null where they tell nothing.
    #[schema(required)]
    pub detected_type: Option<String>,
    /// 1 for the first file at a path, one more for each that replaced it.
    pub version: u32,
    /// Whether the path points at this version.
    pub is_current: bool,
    /// Where it is in its life.
    pub state: FileState,
    /// How sensitive it is; null when nobody said.
    #[schema(required)]
    pub classification: Option<Classification>,
    /// Labels.
    pub tags: Vec<String>,
    /// Custom entries.
    pub metadata: BTreeMap<String, String>,
    /// Who made it.
    #[schema(value_type = String, example = "svc_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub created_by: PrincipalId,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// When retention removes it; null when no rule does.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub expires_at: Option<Timestamp>,
    /// Where it is found.
    pub links: FileLinks,
}

/// Where a file is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FileLinks {
    /// The file object.
    #[serde(rename = "self")]
    #[schema(example = "/v1/files/fil_01m7yp4jy0emq8k9w39qsaekf4")]
    pub own: String,
    /// Its bytes.
    #[schema(example = "/v1/files/fil_01m7yp4jy0emq8k9w39qsaekf4/download")]
    pub download: String,
}

impl FileLinks {
    /// The links of a file.
    pub fn to(file: FileId) -> Self {
        Self {
            own: format!("/v1/files/{file}"),
            download: format!("/v1/files/{file}/download"),
        }
    }
}

impl From<&model::File> for File {
    fn from(file: &model::File) -> Self {
        Self {
            file_id: file.id,
            path: file.path.to_string(),
            name: file.path.name().to_string(),
            folder: file.path.folder().to_string(),
            size: file.size_bytes,
            hash: file.hash.clone(),
            hash_algorithm: "sha256".to_owned(),
            checksums: BTreeMap::new(),
            content_type: file.content_type.clone(),
            detected_type: file.detected_type.clone(),
            version: file.version,
            is_current: file.is_current,
            state: file.state.into(),
            classification: file.classification.map(Into::into),
            tags: file.tags.clone(),
            metadata: file.metadata.clone(),
            created_by: file.created_by,
            created_at: file.created_at,
            expires_at: None,
            links: FileLinks::to(file.id),
        }
    }
}

/// A page of files.
pub type FileList = List<File>;

/// Body of `PATCH /files/{file_id}`: a JSON Merge Patch (RFC 7396). The bytes of a `file_id` never change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeFile {
    /// A new place; its last segment becomes the name.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub path: Option<String>,
    /// A new name in the same folder; not together with `path`.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub name: Option<String>,
    /// All labels anew; null removes them.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<Vec<String>>)]
    pub tags: Patch<Vec<String>>,
    /// Entry by entry: a value sets, null removes. Null for the whole removes all.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    pub metadata: Patch<BTreeMap<String, Option<String>>>,
    /// How sensitive the file is; null takes the word back.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<Classification>)]
    pub classification: Patch<model::Classification>,
}

/// Body of `POST /files/{file_id}/copy`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyFile {
    /// Full path of the copy.
    #[schema(example = "/archive/report.csv")]
    pub path: String,
    /// Whether a file at the path is replaced; otherwise 409 `file_exists`.
    #[serde(default)]
    pub overwrite: bool,
}

/// Body of `POST /files/{file_id}/restore`: makes the bytes of this version current again under a new `file_id`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreFile {
    /// Where to; the version's own path when absent.
    pub path: Option<String>,
    /// Whether a file now at that path is replaced; otherwise 409 `file_exists`.
    #[serde(default)]
    pub overwrite: bool,
}

/// Answer to `POST /files/{file_id}/verify`: the stored bytes were read and hashed just now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FileVerification {
    /// The file version.
    #[schema(value_type = String, example = "fil_01m7yp4jy0emq8k9w39qsaekf4")]
    pub file_id: FileId,
    /// Whether the bytes are those of the record.
    pub ok: bool,
    /// Bytes read.
    pub size: u64,
    /// The digest computed now, lower-case hex; null where damage stopped the reading.
    #[schema(required)]
    pub hash: Option<String>,
    /// The digest of the record, lower-case hex.
    pub expected_hash: String,
    /// When the reading ended.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub verified_at: Timestamp,
}
