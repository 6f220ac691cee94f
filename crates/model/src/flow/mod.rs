//! Flows: a trigger and steps, and what runs of them leave behind.

mod content;
mod file;

pub use content::{
    ArchiveFormat, ChecksumMode, ChecksumStep, CompressStep, ContentStep, CsvColumn, CsvForm,
    CsvType, ExtractStep, FoundSignature, JsonForm, PgpDecrypt, PgpEncrypt, PgpSign, PgpVerify,
    SignatureMode, SignaturePlace, Suffix, ValidateStep,
};
pub use file::{ContentOut, FlowFile, StepFault};
