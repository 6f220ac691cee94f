use crate::Timestamp;

/// Where time comes from. Production reads the system clock once, in the server crate; tests move it by hand.
pub trait Clock: Send + Sync + 'static {
    /// The time now, UTC.
    fn now(&self) -> Timestamp;
}

/// Where randomness comes from. Production draws from the operating system; tests draw from a seed.
pub trait Chance: Send + Sync + 'static {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}
