//! What a local folder needs to be opened.

use std::path::PathBuf;

/// A folder of this machine, and the folders that the operator allows for such use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalConfig {
    /// The folder to work in, absolute: one of `allowed_roots` or beneath one.
    pub folder: PathBuf,
    /// From the server's own configuration, never from a tenant. Empty means that nothing is allowed.
    pub allowed_roots: Vec<PathBuf>,
}
