//! Flows: a trigger and steps, and what runs of them leave behind.

mod file;

pub use file::{ContentOut, FlowFile, StepFault};
