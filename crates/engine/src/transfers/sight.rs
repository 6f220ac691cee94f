//! What is needed to look at files on somebody's behalf, moving nothing.

use bailee_core::Caller;
use bailee_core::model::{End, Lease};

use super::attempt::Attempt;
use crate::Shared;
use crate::stop::Stop;

/// Whoever looks: a try of a transfer, or a plan that nobody runs.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) shared: &'a Shared,
    /// On whose behalf.
    pub(super) caller: &'a Caller,
    pub(super) stop: &'a Stop,
    /// Where the transfer comes from, for the words of a fault.
    pub(super) source: &'a End,
    /// By what right, if it runs.
    pub(super) lease: Option<&'a Lease>,
}

impl Attempt<'_> {
    pub(super) fn sight(&self) -> Sight<'_> {
        Sight {
            shared: self.shared,
            caller: &self.caller,
            stop: self.stop,
            source: &self.transfer.source,
            lease: Some(self.lease),
        }
    }
}
