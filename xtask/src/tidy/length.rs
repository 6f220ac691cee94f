//! Sizes: what does not fit on a few screens is not read. Arguments are clippy's matter.

use super::Finding;
use super::exceptions::Exceptions;
use super::source::Source;

/// Lines of code in a file; blank lines, comments and test modules aside.
const FILE_LINES_MAX: usize = 400;
/// Lines of code in a function's body.
const FUNCTION_LINES_MAX: usize = 70;
/// The same for a handler, which extracts, calls core once and shapes the answer.
const HANDLER_LINES_MAX: usize = 20;

pub fn check(sources: &[Source], exceptions: &Exceptions) -> Vec<Finding> {
    sources
        .iter()
        .flat_map(|source| {
            file(source, exceptions)
                .into_iter()
                .chain(functions(source, exceptions))
        })
        .collect()
}

fn file(source: &Source, exceptions: &Exceptions) -> Option<Finding> {
    let lines = source.code_lines(0..source.text.len());
    let limit = exceptions.limit("file_length", &source.path, FILE_LINES_MAX, lines);
    (lines > limit).then(|| Finding {
        path: source.path.clone(),
        line: 0,
        rule: "file_length",
        message: format!("{lines} lines of code, at most {limit}"),
        fix: "make a folder of it, one part a file",
    })
}

fn functions(source: &Source, exceptions: &Exceptions) -> Vec<Finding> {
    let mut findings = Vec::new();
    for function in source.functions() {
        let lines = body_lines(source, &function.body);
        let is_handler =
            source.owner() == "http" && has_attribute(source, function.start, "utoipa::path");
        let (rule, usual) = if is_handler {
            ("handler_length", HANDLER_LINES_MAX)
        } else {
            ("function_length", FUNCTION_LINES_MAX)
        };
        let limit = exceptions.limit(rule, &source.path, usual, lines);
        if lines > limit {
            findings.push(Finding {
                path: source.path.clone(),
                line: source.line_of(function.start),
                rule,
                message: format!("`{}` has {lines} lines, at most {limit}", function.name),
                fix: if is_handler {
                    "move the rule to core; a handler parses, calls once and shapes"
                } else {
                    "give a part of it a name of its own"
                },
            });
        }
    }
    findings
}

/// Lines between the braces that hold something.
fn body_lines(source: &Source, body: &std::ops::Range<usize>) -> usize {
    let text = source
        .text
        .get(body.start + 1..body.end.saturating_sub(1))
        .unwrap_or_default();
    let comments = source
        .comments
        .get(body.start + 1..body.end.saturating_sub(1))
        .unwrap_or_default();
    let lines = text.lines().zip(comments.lines());
    lines
        .filter(|(line, comment)| !line.trim().is_empty() && comment.trim() != line.trim())
        .count()
}

/// Whether one of the attributes right before the function begins so.
fn has_attribute(source: &Source, start: usize, name: &str) -> bool {
    let before = source.code.get(..start).unwrap_or_default();
    // Attributes stand after the end of the item before.
    let item = before
        .rfind(['}', ';'])
        .map_or(before, |end| before.get(end..).unwrap_or_default());
    item.contains(&format!("#[{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        let sources = [Source::new(path, text)];
        check(&sources, &Exceptions::parse(""))
            .into_iter()
            .map(|finding| finding.rule)
            .collect()
    }

    #[test]
    fn a_long_function_is_found() {
        let text = format!(
            "fn long() {{\n{}}}\n",
            "    work();\n".repeat(FUNCTION_LINES_MAX + 1)
        );
        assert_eq!(rules("crates/a/src/lib.rs", &text), ["function_length"]);
    }

    #[test]
    fn blank_lines_and_comments_do_not_count() {
        let text = format!(
            "fn long() {{\n{}}}\n",
            "    work();\n\n    // why\n".repeat(FUNCTION_LINES_MAX)
        );
        assert!(rules("crates/a/src/lib.rs", &text).is_empty());
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let text = "const X: u8 = 1;\n".repeat(FILE_LINES_MAX + 1);
        assert_eq!(rules("crates/a/src/lib.rs", &text), ["file_length"]);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{text}}}\n");
        assert!(rules("crates/a/src/lib.rs", &tests).is_empty());
    }

    #[test]
    fn a_handler_has_fewer_lines() {
        let text = format!(
            "#[utoipa::path(get, path = \"/x\")]\nasync fn x() {{\n{}}}\n",
            "    work();\n".repeat(HANDLER_LINES_MAX + 1)
        );
        assert_eq!(
            rules("crates/http/src/files/read.rs", &text),
            ["handler_length"]
        );
        assert!(rules("crates/core/src/files.rs", &text).is_empty());
    }

    #[test]
    fn an_exception_raises_the_limit() {
        let sources = [Source::new(
            "crates/a/src/lib.rs",
            &"const X: u8 = 1;\n".repeat(450),
        )];
        assert!(
            check(
                &sources,
                &Exceptions::parse("file_length crates/a/src/lib.rs 450 # a table\n")
            )
            .is_empty()
        );
    }
}
