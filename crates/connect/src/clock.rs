//! Where the connectors that sign their requests have the time from.

use std::fmt;
use std::sync::Arc;

use bailee_model::{Clock, Timestamp};

/// A clock that a configuration can hold.
#[derive(Clone)]
pub struct SharedClock(Arc<dyn Clock>);

impl SharedClock {
    /// `clock`, shared.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(clock)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.now()
    }
}

impl fmt::Debug for SharedClock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SharedClock")
    }
}
