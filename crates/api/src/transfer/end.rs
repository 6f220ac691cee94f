//! The ends of a transfer.

use bailee_model::FileId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::object;

/// One end of a transfer: as text, or as an object that needs no escaping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    untagged,
    expecting = "an end is a text such as `/reports/a.csv`, `bank:/in/a.csv` or `fil_…`, or an object with `remote` and `path`, `file_id`, or `path`"
)]
pub enum TransferEnd {
    /// A path in Bailee (`/p` or `p`), a `fil_` id, or `name:/path` with the name of a remote.
    Text(String),
    /// A path at a remote.
    #[serde(deserialize_with = "object::plain")]
    Remote(RemoteEnd),
    /// A file version in Bailee; only as source.
    #[serde(deserialize_with = "object::plain")]
    File(FileEnd),
    /// A path in Bailee.
    #[serde(deserialize_with = "object::plain")]
    Path(PathEnd),
}

impl From<&str> for TransferEnd {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A path at a remote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteEnd {
    /// The remote's name.
    #[schema(example = "bank")]
    pub remote: String,
    /// The path there.
    #[schema(example = "/in/report.csv")]
    pub path: String,
}

/// A file version in Bailee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileEnd {
    /// The version.
    #[schema(value_type = String, example = "fil_01m7yp4jy0emq8k9w39qsaekf4")]
    pub file_id: FileId,
}

/// A path in Bailee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PathEnd {
    /// The path.
    #[schema(example = "/reports/report.csv")]
    pub path: String,
}
