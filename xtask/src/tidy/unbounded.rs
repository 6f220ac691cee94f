//! Everything has a limit: queues first of all.

use super::Finding;
use super::exceptions::Exceptions;
use super::source::Source;

const QUEUES: [&str; 4] = [
    "unbounded_channel",
    "unbounded(",
    "unbounded::<",
    "sync::mpsc::channel(",
];

pub fn check(sources: &[Source], _: &Exceptions) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for queue in QUEUES {
            // `tokio::sync::mpsc::channel(n)` takes its limit; the one of std takes none.
            let uses = source
                .product_uses(queue)
                .filter(|offset| !is_tokio(source, *offset));
            findings.extend(uses.map(|offset| Finding {
                path: source.path.clone(),
                line: source.line_of(offset),
                rule: "unbounded",
                message: format!(
                    "`{}` is a queue without a limit",
                    queue.trim_end_matches('(')
                ),
                fix: "use a bounded queue whose capacity is a named constant",
            }));
        }
    }
    findings
}

fn is_tokio(source: &Source, offset: usize) -> bool {
    source
        .code
        .get(..offset)
        .is_some_and(|before| before.ends_with("tokio::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check(
            &[Source::new("crates/a/src/lib.rs", text)],
            &Exceptions::parse(""),
        )
        .len()
    }

    #[test]
    fn queues_without_limit_are_found() {
        assert_eq!(
            count("fn a() { tokio::sync::mpsc::unbounded_channel(); }\n"),
            1
        );
        assert_eq!(count("fn a() { crossbeam_channel::unbounded(); }\n"), 1);
        assert_eq!(count("fn a() { std::sync::mpsc::channel(); }\n"), 1);
    }

    #[test]
    fn bounded_ones_are_not() {
        assert_eq!(
            count("fn a() { tokio::sync::mpsc::channel(LIMIT); bounded(LIMIT); }\n"),
            0
        );
    }
}
