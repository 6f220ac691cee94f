//! Flows: a trigger and steps, and what runs of them leave behind.

mod check;
mod condition;
mod content;
mod document;
mod file;
mod hook;
mod name;
mod parse;
mod pattern;
mod reference;
mod remote_pattern;
mod run;
mod sighting;
mod span;
mod step;
mod template;
mod trigger;
mod zone;

pub use condition::Condition;
pub use content::{
    ArchiveFormat, ChecksumMode, ChecksumStep, CompressStep, ContentStep, CsvColumn, CsvForm,
    CsvType, ExtractStep, FoundSignature, JsonForm, PgpDecrypt, PgpEncrypt, PgpSign, PgpVerify,
    SignatureMode, SignaturePlace, Suffix, ValidateStep,
};
pub use document::{Concurrency, FlowDocument, KeepFiles, Param};
pub use file::{ContentOut, FlowFile, StepFault};
pub use hook::HookSecrets;
pub use name::{FlowName, ParamName, StepId};
pub use parse::KINDS as STEP_KINDS;

pub use pattern::{PathPattern, is_wild, split_wild};
pub use reference::{Named, Reference, Referent};
pub use remote_pattern::RemotePattern;
pub use run::{
    Approval, Decision, Flow, FlowRun, FlowVersion, Mandate, RunState, RunTrigger, StepRun,
    StepState,
};
pub use sighting::{Sighting, WatchState};
pub use span::TimeSpan;
pub use step::{
    ApproveStep, BranchStep, DeleteStep, FailStep, FilesFrom, ForEachStep, IfEmpty, NotifyStep,
    OnError, PlaceStep, RenameStep, Step, StepAction, TagStep, TimeOfDay, TransferStep, WaitStep,
};
pub use template::{Fact, Facts, FileFact, FilesFact, Name, StepFact, Template};
pub use trigger::{
    ArrivalTrigger, EventTrigger, FlowEnd, FlowTrigger, ScheduleTrigger, Trigger, WatchTrigger,
};
pub use zone::TimeZoneName;

#[cfg(test)]
mod tests;
