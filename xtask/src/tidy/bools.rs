//! No positional bools: `copy(from, to, true)` says nothing. A line in the exceptions counts what a file may have.

use super::Finding;
use super::exceptions::Exceptions;
use super::source::{Function, Source};

pub fn check(sources: &[Source], exceptions: &Exceptions) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test_file()) {
        let mut found = Vec::new();
        for function in source.functions() {
            let is_product = !source.is_test(function.start);
            found.extend((is_product && takes_bool(source, &function)).then_some(function));
        }
        let limit = exceptions.limit("positional_bool", &source.path, 0, found.len());
        if found.len() > limit {
            findings.extend(found.iter().map(|function| Finding {
                path: source.path.clone(),
                line: source.line_of(function.start),
                rule: "positional_bool",
                message: format!("`{}` takes a bool by its place", function.name),
                fix: "take an enum that says what is meant, or a command struct",
            }));
        }
    }
    findings
}

/// Whether a parameter is a bool; what is returned, or taken by a closure, is not looked at.
fn takes_bool(source: &Source, function: &Function) -> bool {
    let head = source.code.get(function.start..function.body.start);
    let head = head.unwrap_or_default();
    let arguments = head.split("->").next().unwrap_or_default();
    let words: Vec<_> = arguments.split_whitespace().collect();
    words.windows(2).any(|pair| {
        pair.first().is_some_and(|name| name.ends_with(':'))
            && pair
                .last()
                .is_some_and(|kind| kind.trim_end_matches([',', ')']) == "bool")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, exceptions: &str) -> usize {
        let sources = [Source::new("crates/a/src/lib.rs", text)];
        check(&sources, &Exceptions::parse(exceptions)).len()
    }

    #[test]
    fn a_bool_among_arguments_is_found() {
        assert_eq!(count("fn copy(from: &str, forced: bool) {}\n", ""), 1);
        assert_eq!(count("fn a(\n    forced: bool,\n) -> u8 { 1 }\n", ""), 1);
    }

    #[test]
    fn answers_fields_and_tests_are_not() {
        let text = "struct A { forced: bool }\nfn a(f: impl Fn(u8) -> bool) -> bool { true }\n\
                    #[cfg(test)]\nmod tests {\n    fn a(forced: bool) {}\n}\n";
        assert_eq!(count(text, ""), 0);
    }

    #[test]
    fn an_exception_counts() {
        let text = "fn a(x: bool) {}\nfn b(x: bool) {}\n";
        let line = |number: u8| format!("positional_bool crates/a/src/lib.rs {number} # old\n");
        assert_eq!(count(text, &line(2)), 0);
        assert_eq!(count(text, &line(1)), 2);
    }
}
