//! The bounds of this crate.

/// Most decisions kept in memory; a full store of decisions is emptied and fills again with what is in use.
pub const DECISIONS_KEPT_MAX: usize = 8192;
