//! Whether content is what was agreed: name, size, type, CSV, JSON, XML.
//!
//! A rule is made first and may be refused ([`RuleError`]); applied, it gives a [`Report`] of faults with their lines, so that the
//! sender can mend all of them at once. Content is no error of ours: only an input that cannot be read is.

mod csv;
mod csv_rows;
mod json;
mod name;
mod xml;

use serde::Serialize;
use thiserror::Error;

pub use csv::{Column, ColumnKind, CsvRule, check_csv};
pub use json::{JsonRule, check_json};
pub use name::{NameRule, SizeRule, TypeRule, sniff};
pub use xml::check_xml;

use crate::limit::FAULTS_MAX;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// At most [`FAULTS_MAX`].
    pub faults: Vec<Fault>,
    pub has_more: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Counted from 1.
    pub line: Option<u64>,
    /// The column of a CSV file or the place in a JSON document.
    pub place: Option<String>,
    pub message: String,
}

/// A rule that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    #[error("the pattern \"{pattern}\" cannot be used: {why}")]
    Pattern { pattern: String, why: String },
    #[error("the JSON Schema cannot be used: {0}")]
    Schema(String),
    #[error("the rule for CSV files cannot be used: {why}")]
    Csv { field: &'static str, why: String },
}

impl RuleError {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Pattern { .. } => "rule_pattern",
            Self::Schema(_) => "rule_schema",
            Self::Csv { .. } => "rule_csv",
        }
    }
}

impl Report {
    pub fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }

    fn of(fault: Option<Fault>) -> Self {
        Self {
            faults: fault.into_iter().collect(),
            has_more: false,
        }
    }

    fn add(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        } else {
            self.has_more = true;
        }
    }
}

impl Fault {
    fn new(message: impl Into<String>) -> Self {
        Self {
            line: None,
            place: None,
            message: message.into(),
        }
    }

    fn at_line(line: u64, message: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::new(message)
        }
    }
}
