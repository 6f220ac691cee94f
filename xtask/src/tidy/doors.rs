//! Doors without a permit: statements that do not bind a tenant are counted, and each new one is a decision.

use super::Finding;
use super::exceptions::Exceptions;
use super::source::Source;

/// Statements that look across tenants, in a crate; the exceptions file can name more, with the reason.
const ACROSS_MAX: usize = 10;

pub fn check(sources: &[Source], exceptions: &Exceptions) -> Vec<Finding> {
    let mut owners: Vec<&str> = sources.iter().map(Source::owner).collect();
    owners.dedup();
    owners
        .into_iter()
        .flat_map(|owner| of_crate(owner, sources, exceptions))
        .collect()
}

fn of_crate(owner: &str, sources: &[Source], exceptions: &Exceptions) -> Vec<Finding> {
    let place = format!("crates/{owner}");
    let uses: Vec<(&Source, usize)> = sources
        .iter()
        .filter(|source| source.owner() == owner)
        .flat_map(|source| {
            source
                .product_uses("Sql::across(")
                .map(move |offset| (source, offset))
        })
        .collect();
    let limit = exceptions.limit(
        "across",
        &place,
        if owner == "store" { ACROSS_MAX } else { 0 },
        uses.len(),
    );
    let beyond = uses.iter().skip(limit).map(|(source, offset)| Finding {
        path: source.path.clone(),
        line: source.line_of(*offset),
        rule: "across",
        message: format!("{} statements in {place} look across tenants, at most {limit}", uses.len()),
        fix: "bind the tenant with `Sql::tenant`; if it cannot, raise the number in the exceptions with the reason",
    });
    beyond.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_across_tenants_are_counted() {
        let text = "const A: Sql = Sql::across(\"SELECT 1\");\n".repeat(ACROSS_MAX + 2);
        let sources = [Source::new("crates/store/src/queue.rs", &text)];
        assert_eq!(check(&sources, &Exceptions::parse("")).len(), 2);
        assert!(
            check(
                &sources,
                &Exceptions::parse("across crates/store 12 # queue and sweeper\n")
            )
            .is_empty()
        );
    }

    #[test]
    fn no_other_crate_has_any() {
        let sources = [Source::new(
            "crates/core/src/files.rs",
            "const A: Sql = Sql::across(\"SELECT 1\");\n",
        )];
        assert_eq!(check(&sources, &Exceptions::parse("")).len(), 1);
    }
}
