use std::ops::Deref;

use crate::Reader;

/// Door without permit 2: what the gate must know of a thing (its path, owner, classification) to decide about it.
/// Only `core`'s gate opens it; what it reads leaves the gate together with a permit or not at all.
pub struct FactsDoor(Reader);

impl FactsDoor {
    pub(crate) fn new(reader: Reader) -> Self {
        Self(reader)
    }
}

impl Deref for FactsDoor {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.0
    }
}
