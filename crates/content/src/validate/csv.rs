//! CSV by rule: columns, their types and patterns.

use std::io::{self, Read};

use regex::Regex;
use tokio::io::AsyncRead;

use super::csv_rows::{Row, Rows};
use super::name::whole;
use super::{Fault, Report, RuleError};
use crate::limit::{CSV_COLUMNS_MAX, PIECE_BYTES};
use crate::worker::{self, Source, read_fault};
use crate::{Error, Result};

/// The longest stretch of a value that is told.
const SHOWN_CHARACTERS_MAX: usize = 40;

/// A rule for every row of a file in UTF-8.
#[derive(Debug, Clone)]
pub struct CsvRule {
    delimiter: u8,
    has_header: bool,
    columns: Vec<(Column, Option<Regex>)>,
    rows_min: u64,
}

/// A column, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
    /// What a whole value must match.
    pub pattern: Option<String>,
    /// Whether a value must be there. Rules hold for values that are.
    pub is_required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    Text,
    /// A sign and digits.
    Integer,
    /// A sign, digits, a point and digits.
    Decimal,
    /// `2026-11-22`.
    Date,
    /// `true` or `false`.
    Boolean,
}

impl CsvRule {
    /// With a header, the first row must hold the names of the columns, in their order.
    pub fn new(delimiter: char, columns: Vec<Column>) -> Result<Self, RuleError> {
        let refuse = |field, why: &str| {
            let why = why.into();
            Err(RuleError::Csv { field, why })
        };
        if !delimiter.is_ascii() || matches!(delimiter, '"' | '\n' | '\r') {
            return refuse(
                "delimiter",
                "the delimiter must be an ASCII character, no quote and no line break",
            );
        }
        if columns.is_empty() || columns.len() > CSV_COLUMNS_MAX {
            return refuse("columns", "it has no columns or too many");
        }
        let mut with_patterns = Vec::new();
        for column in columns {
            let pattern = column.pattern.as_deref().map(whole).transpose()?;
            with_patterns.push((column, pattern));
        }
        Ok(Self {
            delimiter: delimiter as u8,
            has_header: true,
            columns: with_patterns,
            rows_min: 0,
        })
    }

    pub fn without_header(mut self) -> Self {
        self.has_header = false;
        self
    }

    /// Rows of data that must be there at least.
    pub fn with_rows_min(mut self, rows: u64) -> Self {
        self.rows_min = rows;
        self
    }
}

/// Applies the rule to every row. Holds one row at a time.
pub async fn check_csv<R>(input: R, rule: CsvRule) -> Result<Report>
where
    R: AsyncRead + Send + Unpin + 'static,
{
    worker::inspect(input, move |source| check(source, &rule)).await
}

fn check(mut source: Source, rule: &CsvRule) -> Result<Report> {
    let meter = source.meter();
    let mut rows = Rows::new(rule.delimiter);
    let mut judge = Judge {
        rule,
        report: Report::default(),
        rows: 0,
    };
    let mut piece = vec![0; PIECE_BYTES];
    let mut first = Vec::new();
    source
        .by_ref()
        .take(FORMAT_BYTE_ORDER_MARK.len() as u64)
        .read_to_end(&mut first)
        .map_err(|error| read_fault(error, &meter, &Error::Read))?;
    if first == FORMAT_BYTE_ORDER_MARK {
        first.clear();
    }
    let mut input = first.as_slice().chain(source);
    loop {
        let count = match input.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(read_fault(error, &meter, &Error::Read)),
        };
        for byte in piece.iter().take(count) {
            match rows.take(*byte) {
                Ok(None) => {}
                Ok(Some(row)) => judge.row(&row),
                Err(broken) => {
                    judge.report.add(Fault::at_line(broken.line, broken.why));
                    return Ok(judge.report);
                }
            }
        }
    }
    match rows.finish() {
        Ok(last) => last.iter().for_each(|row| judge.row(row)),
        Err(broken) => judge.report.add(Fault::at_line(broken.line, broken.why)),
    }
    Ok(judge.finish())
}

/// What spreadsheets put before UTF-8.
const FORMAT_BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

struct Judge<'r> {
    rule: &'r CsvRule,
    report: Report,
    /// The header among them.
    rows: u64,
}

impl Judge<'_> {
    fn row(&mut self, row: &Row) {
        self.rows += 1;
        let expected = self.rule.columns.len();
        if row.fields.len() != expected {
            let message = format!("{} columns, expected are {expected}", row.fields.len());
            self.report.add(Fault::at_line(row.line, message));
            return;
        }
        let is_header = self.rule.has_header && self.rows == 1;
        for ((column, pattern), field) in self.rule.columns.iter().zip(&row.fields) {
            let fault = match std::str::from_utf8(field) {
                Err(_) => Some("the value is not UTF-8".to_owned()),
                Ok(value) if is_header => {
                    (value != column.name).then(|| format!("the header says \"{}\"", shown(value)))
                }
                Ok(value) => fault(value, column, pattern.as_ref()),
            };
            if let Some(message) = fault {
                self.report.add(Fault {
                    line: Some(row.line),
                    place: Some(column.name.clone()),
                    message,
                });
            }
        }
    }

    fn finish(mut self) -> Report {
        let header = u64::from(self.rule.has_header);
        if self.rows < header {
            self.report.add(Fault::new("the header is missing"));
        }
        let data = self.rows.saturating_sub(header);
        if data < self.rule.rows_min {
            let message = format!(
                "{data} rows of data, at least {} are expected",
                self.rule.rows_min
            );
            self.report.add(Fault::new(message));
        }
        self.report
    }
}

fn fault(value: &str, column: &Column, pattern: Option<&Regex>) -> Option<String> {
    if value.is_empty() {
        return column.is_required.then(|| "a value is required".to_owned());
    }
    if !column.kind.admits(value) {
        return Some(format!("\"{}\" is no {}", shown(value), column.kind.name()));
    }
    let is_match = pattern.is_none_or(|pattern| pattern.is_match(value));
    (!is_match).then(|| format!("\"{}\" does not match the pattern", shown(value)))
}

impl ColumnKind {
    fn admits(self, value: &str) -> bool {
        let unsigned = value.strip_prefix(['+', '-']).unwrap_or(value);
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Text => true,
            Self::Integer => is_digits(unsigned),
            Self::Decimal => match unsigned.split_once('.') {
                Some((whole, part)) => is_digits(whole) && is_digits(part),
                None => is_digits(unsigned),
            },
            Self::Date => value.len() == 10 && value.parse::<jiff::civil::Date>().is_ok(),
            Self::Boolean => matches!(value, "true" | "false"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal number",
            Self::Date => "date",
            Self::Boolean => "true or false",
        }
    }
}

fn shown(value: &str) -> String {
    let letters = value.chars().take(SHOWN_CHARACTERS_MAX);
    letters
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect()
}
