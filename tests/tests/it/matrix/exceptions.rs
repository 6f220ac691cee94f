//! Exceptions stand in a file with a reason each. One that is not needed any more is a failure too.

use std::collections::BTreeSet;

const FILE: &str = include_str!("exceptions.txt");

/// What one check found wrong, apart from what is excepted.
pub(super) struct Findings {
    check: &'static str,
    excepted: BTreeSet<&'static str>,
    found: Vec<String>,
}

impl Findings {
    pub(super) fn of(check: &'static str) -> Self {
        let excepted = FILE
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .filter_map(|line| {
                let mut words = line.splitn(3, ' ');
                let names = words.next() == Some(check);
                let operation = words.next().unwrap();
                assert!(words.next().is_some(), "no reason in `{line}`");
                names.then_some(operation)
            })
            .collect();
        Self {
            check,
            excepted,
            found: Vec::new(),
        }
    }

    /// Notes how an operation fared.
    pub(super) fn note(&mut self, operation: &str, outcome: Result<(), String>) {
        match (outcome, self.excepted.remove(operation)) {
            (Err(why), false) => self.found.push(format!("{operation}: {why}")),
            (Ok(()), true) => self
                .found
                .push(format!("{operation}: is excepted without need")),
            _ => {}
        }
    }

    #[track_caller]
    pub(super) fn assert_none(mut self) {
        for left in &self.excepted {
            self.found
                .push(format!("{left}: is excepted and was not checked"));
        }
        assert!(
            self.found.is_empty(),
            "{}:\n{}",
            self.check,
            self.found.join("\n")
        );
    }
}
