//! `xtask/tidy-exceptions.txt`: what may differ from a rule, where, and why.
//!
//! One exception a line: `<rule> <place> [<number>] # <reason>`, sorted. A number raises the limit of a rule that counts; without
//! one the rule does not hold there. An exception that nothing needs any more is itself a finding, so the list only shrinks.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;

pub const FILE: &str = "xtask/tidy-exceptions.txt";

struct Entry {
    rule: String,
    place: String,
    limit: Option<usize>,
    reason: String,
    line: usize,
    is_used: Cell<bool>,
}

pub struct Exceptions {
    entries: Vec<Entry>,
    faults: Vec<Finding>,
}

impl Exceptions {
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self::parse(&text))
    }

    pub fn parse(text: &str) -> Self {
        let mut entries = Vec::new();
        let mut faults = Vec::new();
        let mut last = "";
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let line_number = index + 1;
            if line < last {
                faults.push(fault(
                    line_number,
                    format!("`{line}` is out of order"),
                    "sort the list",
                ));
            }
            last = line;
            match entry(line, line_number) {
                Some(entry) => entries.push(entry),
                None => faults.push(fault(
                    line_number,
                    format!("cannot read `{line}`"),
                    "write `<rule> <place> [<number>] # <reason>`",
                )),
            }
        }
        Self { entries, faults }
    }

    /// Whether the rule is off at the place.
    pub fn admit(&self, rule: &str, place: &str) -> bool {
        self.find(rule, place).is_some_and(|entry| {
            let is_off = entry.limit.is_none();
            entry.is_used.set(entry.is_used.get() || is_off);
            is_off
        })
    }

    /// The limit that holds at the place. An exception counts as used only if the usual limit would not do.
    pub fn limit(&self, rule: &str, place: &str, usual: usize, measured: usize) -> usize {
        match self
            .find(rule, place)
            .and_then(|entry| entry.limit.map(|limit| (entry, limit)))
        {
            Some((entry, limit)) => {
                entry.is_used.set(entry.is_used.get() || measured > usual);
                limit
            }
            None => usual,
        }
    }

    /// Lines that are malformed, out of order, or needed by nothing; asked for after the checks.
    pub fn faults(&self) -> Vec<Finding> {
        let unused = self.entries.iter().filter(|entry| !entry.is_used.get());
        let unused = unused.map(|entry| {
            fault(
                entry.line,
                format!(
                    "nothing needs `{} {}` ({})",
                    entry.rule, entry.place, entry.reason
                ),
                "delete the line",
            )
        });
        self.faults.iter().cloned().chain(unused).collect()
    }

    fn find(&self, rule: &str, place: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.rule == rule && entry.place == place)
    }
}

fn entry(line: &str, line_number: usize) -> Option<Entry> {
    let (head, reason) = line.split_once(" # ")?;
    let mut words = head.split_whitespace();
    let (rule, place, limit) = (words.next()?, words.next()?, words.next());
    let limit = match limit {
        Some(limit) => Some(limit.parse().ok()?),
        None => None,
    };
    if words.next().is_some() || reason.trim().is_empty() {
        return None;
    }
    let reason = reason.trim().to_owned();
    Some(Entry {
        rule: rule.to_owned(),
        place: place.to_owned(),
        limit,
        reason,
        line: line_number,
        is_used: Cell::new(false),
    })
}

fn fault(line: usize, message: String, fix: &'static str) -> Finding {
    Finding {
        path: FILE.to_owned(),
        line,
        rule: "exceptions",
        message,
        fix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_reason_or_order_is_a_fault() {
        let exceptions = Exceptions::parse("# comment\nsql b # why\nsql a # why\nlength c 500\n");
        let messages: Vec<String> = exceptions
            .faults()
            .into_iter()
            .map(|finding| finding.message)
            .collect();
        assert!(
            messages
                .iter()
                .any(|message| message.contains("out of order")),
            "{messages:?}"
        );
        assert!(
            messages
                .iter()
                .any(|message| message.contains("cannot read `length c 500`")),
            "{messages:?}"
        );
    }

    #[test]
    fn an_exception_nobody_needs_is_a_fault() {
        let exceptions = Exceptions::parse("length a.rs 500 # table\nsql b.rs # why\n");
        assert_eq!(exceptions.limit("length", "a.rs", 400, 300), 500);
        assert!(exceptions.admit("sql", "b.rs"));
        assert_eq!(exceptions.faults().len(), 1);
        assert_eq!(exceptions.limit("length", "a.rs", 400, 450), 500);
        assert!(exceptions.faults().is_empty());
    }
}
