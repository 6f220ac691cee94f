use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What an upload must know to go on later. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The part session at the server.
    pub session_id: String,
    /// Size of the source, in bytes.
    pub size: u64,
    /// When the source was changed last, in nanoseconds since 1970, as text: JSON numbers are too short for it.
    pub modified: String,
    /// Size of each part but the last, in bytes.
    pub part_size: u64,
}

/// Where checkpoints are kept. All failures are harmless: the upload then begins anew.
pub trait Checkpoints: Send + Sync {
    /// The checkpoint kept for this upload.
    fn load(&self) -> Option<Checkpoint>;
    /// Keeps it.
    fn save(&self, checkpoint: &Checkpoint);
    /// Forgets it.
    fn clear(&self);
}

/// A checkpoint in a file of its own.
#[derive(Clone, Debug)]
pub struct CheckpointFile(PathBuf);

impl CheckpointFile {
    /// Kept at `path`; its folder is made when needed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is kept.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Checkpoints for CheckpointFile {
    fn load(&self) -> Option<Checkpoint> {
        serde_json::from_slice(&fs::read(&self.0).ok()?).ok()
    }

    fn save(&self, checkpoint: &Checkpoint) {
        let write = || -> std::io::Result<()> {
            if let Some(folder) = self.0.parent() {
                fs::create_dir_all(folder)?;
            }
            let new = self.0.with_extension("new");
            fs::write(&new, serde_json::to_vec(checkpoint)?)?;
            fs::rename(&new, &self.0)
        };
        if let Err(error) = write() {
            tracing::warn!("this upload cannot be resumed later: {error}");
        }
    }

    fn clear(&self) {
        if let Err(error) = fs::remove_file(&self.0)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!("an old checkpoint stays behind: {error}");
        }
    }
}

/// What tells whether a file changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    pub(crate) modified: String,
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let facts = fs::metadata(path).map_err(Error::local("read", path))?;
        if !facts.is_file() {
            return Err(Error::usage(format!("{} is not a file", path.display())));
        }
        let modified = facts.modified().map_err(Error::local("read", path))?;
        let nanoseconds = match modified.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos().to_string(),
            Err(before) => format!("-{}", before.duration().as_nanos()),
        };
        Ok(Self {
            size: facts.len(),
            modified: nanoseconds,
        })
    }

    pub(crate) fn fits(&self, checkpoint: &Checkpoint) -> bool {
        self.size == checkpoint.size && self.modified == checkpoint.modified
    }
}
