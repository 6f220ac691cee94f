//! Name, size and type of a file.

use regex::{Regex, RegexBuilder};

use super::{Fault, Report, RuleError};
use crate::limit::{PATTERN_BYTES_MAX, SNIFF_BYTES};

/// A pattern that a whole name must match. Patterns run in time proportional to the text: there are no back references.
#[derive(Debug, Clone)]
pub struct NameRule {
    pattern: Regex,
    text: String,
}

impl NameRule {
    pub fn new(pattern: &str) -> Result<Self, RuleError> {
        Ok(Self {
            pattern: whole(pattern)?,
            text: pattern.to_owned(),
        })
    }

    pub fn check(&self, name: &str) -> Report {
        let is_match = self.pattern.is_match(name);
        Report::of((!is_match).then(|| {
            Fault::new(format!(
                "the name \"{name}\" does not match the pattern {}",
                self.text
            ))
        }))
    }
}

/// A pattern for the whole of a text.
pub(super) fn whole(pattern: &str) -> Result<Regex, RuleError> {
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(|error| RuleError::Pattern {
            pattern: pattern.to_owned(),
            why: error.to_string(),
        })
}

/// From `bytes_min` to `bytes_max`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeRule {
    pub bytes_min: u64,
    pub bytes_max: u64,
}

impl SizeRule {
    pub fn check(&self, size_bytes: u64) -> Report {
        let fault = if size_bytes < self.bytes_min {
            Some(format!(
                "the file has {size_bytes} bytes, at least {} are expected",
                self.bytes_min
            ))
        } else if size_bytes > self.bytes_max {
            Some(format!(
                "the file has {size_bytes} bytes, at most {} are expected",
                self.bytes_max
            ))
        } else {
            None
        };
        Report::of(fault.map(Fault::new))
    }
}

/// Types that are taken, as `application/pdf` or `image/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRule {
    pub types: Vec<String>,
}

impl TypeRule {
    /// Looks at the beginning of the content, not at its name.
    pub fn check(&self, head: &[u8]) -> Report {
        let found = sniff(head);
        let is_taken = self.types.iter().any(|wanted| {
            wanted == found
                || wanted
                    .strip_suffix('*')
                    .is_some_and(|family| family.ends_with('/') && found.starts_with(family))
        });
        Report::of((!is_taken).then(|| {
            Fault::new(format!(
                "the content is {found}, expected is {}",
                self.types.join(" or ")
            ))
        }))
    }
}

/// The type that the first bytes show: a known signature, else text if it is UTF-8 without control characters.
pub fn sniff(head: &[u8]) -> &'static str {
    let head = head.get(..SNIFF_BYTES).unwrap_or(head);
    if let Some(kind) = infer::get(head) {
        return kind.mime_type();
    }
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The beginning may cut a character in two.
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => {
            let valid = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return "application/octet-stream",
    };
    let is_text = !text.is_empty()
        && text
            .chars()
            .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{C}'));
    if is_text {
        "text/plain"
    } else {
        "application/octet-stream"
    }
}
