//! Doors without a permit: statements that do not bind a tenant are counted file by file, and each new one is a decision.

use super::Finding;
use super::exceptions::Exceptions;
use super::source::{Source, occurrences};

/// Statements that look across tenants, in a file. The exceptions name the few files that have any, with the reason.
const ACROSS_MAX: usize = 0;

pub fn check(sources: &[Source], exceptions: &Exceptions) -> Vec<Finding> {
    sources
        .iter()
        .flat_map(|source| one(source, exceptions))
        .collect()
}

fn one(source: &Source, exceptions: &Exceptions) -> Vec<Finding> {
    let places = statements(source);
    let limit = exceptions.limit("across", &source.path, ACROSS_MAX, places.len());
    let beyond = places.iter().skip(limit).map(|offset| Finding {
        path: source.path.clone(),
        line: source.line_of(*offset),
        rule: "across",
        message: format!(
            "{} statements here look across tenants, at most {limit}",
            places.len()
        ),
        fix: "bind the tenant; if it cannot be, raise the number in the exceptions with the reason",
    });
    beyond.collect()
}

/// Where a statement across tenants is made, directly or by the `statements!` macro (`NAME: across = "…"`).
pub fn statements(source: &Source) -> Vec<usize> {
    let direct = source.product_uses("Sql::across(");
    let listed = occurrences(&source.code, ": across =").filter(|offset| !source.is_test(*offset));
    let mut places: Vec<usize> = direct.chain(listed).collect();
    places.sort_unstable();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "const A: Sql = Sql::across(\"SELECT 1\");\nstatements! {\n    B: across = \"SELECT 2\";\n    C: tenant = \"SELECT 3\";\n}\n";

    #[test]
    fn statements_across_tenants_are_counted() {
        let sources = [Source::new("crates/store/src/queue.rs", TEXT)];
        assert_eq!(check(&sources, &Exceptions::parse("")).len(), 2);
        assert_eq!(
            check(
                &sources,
                &Exceptions::parse("across crates/store/src/queue.rs 1 # leases\n")
            )
            .len(),
            1
        );
        assert!(
            check(
                &sources,
                &Exceptions::parse("across crates/store/src/queue.rs 2 # leases\n")
            )
            .is_empty()
        );
    }

    #[test]
    fn tests_may_look_anywhere() {
        let sources = [Source::new("crates/store/tests/db.rs", TEXT)];
        assert!(check(&sources, &Exceptions::parse("")).is_empty());
    }
}
