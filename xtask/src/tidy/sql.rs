//! No SQL is put together at run time: statements are constants, so that each is prepared in a test and binds its tenant.

use super::Finding;
use super::exceptions::Exceptions;
use super::source::{Source, closing, occurrences};

/// Macros that make text at run time; `concat!` makes a constant.
const MAKERS: [&str; 3] = ["format!", "write!", "writeln!"];
/// How a statement begins.
const VERBS: [&str; 12] = [
    "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "ALTER ", "DROP ", "GRANT ", "REVOKE ",
    "WITH ", "SET ", "PRAGMA ",
];

pub fn check(sources: &[Source], _: &Exceptions) -> Vec<Finding> {
    // Tests may make databases and read catalogues by hand; they answer no caller. Nor does xtask.
    let product = sources
        .iter()
        .filter(|source| !source.is_test_file() && source.owner() != "xtask");
    product.flat_map(one).collect()
}

fn one(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for maker in MAKERS {
        for start in occurrences(&source.code, maker).filter(|start| !source.is_test(*start)) {
            let open = start + maker.len();
            let Some(end) = closing(&source.code, open) else {
                continue;
            };
            let inside = source
                .literals
                .iter()
                .filter(|literal| (open..end).contains(&literal.start));
            for literal in inside.filter(|literal| begins_statement(&literal.text)) {
                findings.push(Finding {
                    path: source.path.clone(),
                    line: source.line_of(literal.start),
                    rule: "sql_text",
                    message: format!("`{maker}` makes a statement"),
                    fix: "make it a constant `Sql` and bind what varies",
                });
            }
        }
    }
    findings
}

fn begins_statement(text: &str) -> bool {
    VERBS.iter().any(|verb| text.trim_start().starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&[Source::new(path, text)], &Exceptions::parse("")).len()
    }

    #[test]
    fn a_formatted_statement_is_found() {
        assert_eq!(
            count(
                "crates/store/src/file.rs",
                "fn a() { format!(\"SELECT * FROM {t}\") }\n"
            ),
            1
        );
        assert_eq!(
            count(
                "crates/store/src/file.rs",
                "fn a() { write!(s, r#\"DELETE FROM x\"#) }\n"
            ),
            1
        );
    }

    #[test]
    fn words_tests_and_constants_are_not() {
        assert_eq!(
            count(
                "crates/store/src/file.rs",
                "fn a() { format!(\"Selected {n}\") }\n"
            ),
            0
        );
        assert_eq!(
            count(
                "crates/store/tests/db.rs",
                "fn a() { format!(\"CREATE DATABASE {n}\") }\n"
            ),
            0
        );
        assert_eq!(
            count(
                "crates/store/src/file.rs",
                "const A: Sql = Sql::tenant(\"SELECT 1\");\n"
            ),
            0
        );
    }
}
