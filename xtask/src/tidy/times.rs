//! Every span of time has a name: a bare number deep in the code is a limit that nobody finds.

use super::Finding;
use super::exceptions::Exceptions;
use super::source::Source;

const MAKERS: [&str; 7] = [
    "Duration::from_millis",
    "Duration::from_secs",
    "Duration::from_mins",
    "Duration::from_hours",
    "Duration::from_days",
    "Duration::from_micros",
    "Duration::from_nanos",
];

pub fn check(sources: &[Source], exceptions: &Exceptions) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test_file()) {
        let uses = MAKERS.iter().flat_map(|maker| source.product_uses(maker));
        let bare: Vec<_> = uses.filter(|offset| is_bare(source, *offset)).collect();
        let limit = exceptions.limit("bare_time", &source.path, 0, bare.len());
        if bare.len() > limit {
            findings.extend(bare.iter().map(|offset| Finding {
                path: source.path.clone(),
                line: source.line_of(*offset),
                rule: "bare_time",
                message: "a span of time without a name".to_owned(),
                fix: "make a constant of it, beside its user or in limit.rs",
            }));
        }
    }
    findings
}

/// A number in the brackets, outside a constant.
fn is_bare(source: &Source, offset: usize) -> bool {
    let after = source.code.get(offset..).unwrap_or_default();
    let argument = after.split_once('(').map(|(_, rest)| rest.trim_start());
    let is_number = argument.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let before = source.code.get(..offset).unwrap_or_default();
    let item = before
        .rfind([';', '{', '}'])
        .map_or(before, |end| before.get(end + 1..).unwrap_or_default());
    let mut words = item.split_whitespace();
    is_number && !words.any(|word| matches!(word, "const" | "static"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        let sources = [Source::new("crates/a/src/lib.rs", text)];
        check(&sources, &Exceptions::parse("")).len()
    }

    #[test]
    fn a_bare_span_is_found() {
        assert_eq!(count("fn a() { wait(Duration::from_secs(5)); }\n"), 1);
        assert_eq!(
            count("fn a() { let x = Duration::from_millis( 1_000 ); }\n"),
            1
        );
    }

    #[test]
    fn constants_and_what_is_computed_are_not() {
        let text = "pub const WAIT: Duration = Duration::from_secs(5);\n\
                    fn a(b: u64) { wait(Duration::from_secs(b)); }\n\
                    #[cfg(test)]\nmod tests { fn a() { wait(Duration::from_secs(5)); } }\n";
        assert_eq!(count(text), 0);
    }
}
