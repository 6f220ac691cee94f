//! Promises and silenced lints: work is done or it is not there, and a silenced lint says why.

use super::Finding;
use super::exceptions::Exceptions;
use super::source::{Source, occurrences};

pub fn check(sources: &[Source], _: &Exceptions) -> Vec<Finding> {
    sources.iter().flat_map(one).collect()
}

fn one(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |rule, offset, message: String, fix| {
        findings.push(Finding {
            path: source.path.clone(),
            line: source.line_of(offset),
            rule,
            message,
            fix,
        });
    };
    for word in ["TODO", "FIXME", "XXX", "HACK"] {
        for offset in occurrences(&source.comments, word) {
            find(
                "promise",
                offset,
                format!("`{word}` in a comment"),
                "do it, or say in a sentence what is absent and why",
            );
        }
    }
    for word in ["todo!", "unimplemented!"] {
        for offset in occurrences(&source.code, word) {
            find(
                "promise",
                offset,
                format!("`{word}`"),
                "do it, or leave the operation out",
            );
        }
    }
    for word in ["#[allow", "#![allow"] {
        for (offset, _) in source.code.match_indices(word) {
            find(
                "allow",
                offset,
                format!("`{word}`"),
                "write `#[expect(…, reason = \"…\")]`",
            );
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        let sources = [Source::new("crates/a/src/lib.rs", text)];
        check(&sources, &Exceptions::parse(""))
            .into_iter()
            .map(|finding| finding.rule)
            .collect()
    }

    #[test]
    fn promises_and_silenced_lints_are_found() {
        assert_eq!(rules("// TODO: later\n"), ["promise"]);
        // Not a promise of this file: the text that the rule is to find.
        assert_eq!(rules("fn a() { unimplemented!() }\n"), ["promise"]);
        assert_eq!(rules("#[allow(dead_code)]\nfn a() {}\n"), ["allow"]);
    }

    #[test]
    fn strings_and_longer_words_are_not() {
        assert!(rules("const A: &str = \"TODO #[allow\"; // TODOS of users\n").is_empty());
    }
}
