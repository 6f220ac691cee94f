//! Flows: a trigger and steps, and what runs of them leave behind.

mod check;
mod condition;
mod content;
mod document;
mod file;
mod name;
mod parse;
mod pattern;
mod reference;
mod run;
mod span;
mod step;
mod template;
mod zone;

pub use condition::Condition;
pub use content::{
    ArchiveFormat, ChecksumMode, ChecksumStep, CompressStep, ContentStep, CsvColumn, CsvForm,
    CsvType, ExtractStep, FoundSignature, JsonForm, PgpDecrypt, PgpEncrypt, PgpSign, PgpVerify,
    SignatureMode, SignaturePlace, Suffix, ValidateStep,
};
pub use document::{Concurrency, FlowDocument, KeepFiles, Param};
pub use file::{ContentOut, FlowFile, StepFault};
pub use name::{FlowName, ParamName, StepId};
pub use parse::KINDS as STEP_KINDS;

pub use pattern::{PathPattern, is_wild, split_wild};
pub use reference::{Reference, Referent};
pub use run::{
    Approval, Decision, Flow, FlowRun, FlowVersion, Mandate, RunState, RunTrigger, StepRun,
    StepState,
};
pub use span::TimeSpan;
pub use step::{
    ApproveStep, ArrivalTrigger, BranchStep, DeleteStep, EventTrigger, FailStep, FilesFrom,
    FlowEnd, FlowTrigger, ForEachStep, IfEmpty, NotifyStep, OnError, PlaceStep, RenameStep,
    ScheduleTrigger, Step, StepAction, TagStep, TimeOfDay, TransferStep, Trigger, WaitStep,
};
pub use template::{Fact, Facts, FileFact, FilesFact, Name, StepFact, Template};
pub use zone::TimeZoneName;

#[cfg(test)]
mod tests;
