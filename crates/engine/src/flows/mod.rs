//! Running flows: one step at a time, each outcome committed before the next begins.

pub(crate) mod content;
