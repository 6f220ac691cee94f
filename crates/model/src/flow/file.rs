use serde::{Deserialize, Serialize};

use crate::{FileId, FileName, FilePath, FolderPath};

/// A file that a run carries from step to step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowFile {
    /// Where it was when its step put it out.
    pub path: FilePath,
    /// The version.
    pub file_id: FileId,
    /// Its name: the last segment of the path.
    pub name: FileName,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of its content, lower-case hex.
    pub hash: String,
}

/// Why a step, or its work on one file, did not end well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFault {
    /// A stable word: `policy_denied`, `signature_invalid`, …
    pub code: String,
    /// What happened, in plain words, without secrets or contents.
    pub detail: String,
    /// Whether the same may go well a little later.
    pub retryable: bool,
}

impl StepFault {
    /// A fault that no retry mends.
    pub fn permanent(code: &str, detail: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            detail: detail.into(),
            retryable: false,
        }
    }

    /// A fault that may be gone a little later.
    pub fn transient(code: &str, detail: impl Into<String>) -> Self {
        Self {
            retryable: true,
            ..Self::permanent(code, detail)
        }
    }
}

/// Where a step that makes content puts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentOut {
    /// The run's working folder for this step. Nothing else writes there, and a step that is run again gets the same:
    /// what stands there already was made by an earlier try. Missing folders are made with the first file.
    pub folder: FolderPath,
}
