//! The numbers we aim at, measured on the tree: `cargo xtask tidy --report`.

use std::path::Path;

use anyhow::Result;

use super::source::Source;
use super::{doors, floors};

/// What is measured, what came out, and what we aim at.
type Row = (&'static str, String, &'static str);

/// A text table; every aim stands beside its number.
pub fn of(root: &Path, sources: &[Source]) -> Result<String> {
    let is_product =
        |source: &&Source| source.path.starts_with("crates/") && !source.is_test_file();
    let product: Vec<&Source> = sources.iter().filter(is_product).collect();
    let mut rows = vec![(
        "arrows between crates",
        floors::arrows(root)?.to_string(),
        "≤ 40",
    )];
    rows.extend(sizes(&product));
    rows.extend(texts(sources, &product));
    Ok(rows
        .iter()
        .map(|(name, value, aim)| row(name, value, aim))
        .collect())
}

fn row(name: &str, value: &str, aim: &str) -> String {
    format!("{name:<40} {value:>20}   aim {aim}\n")
}

fn sizes(product: &[&Source]) -> Vec<Row> {
    let files: Vec<usize> = product.iter().map(|source| lines_of(source)).collect();
    let functions: Vec<usize> = product
        .iter()
        .flat_map(|source| function_lines(source))
        .collect();
    let long = functions.iter().filter(|lines| **lines > 70).count();
    let total: usize = files.iter().sum();
    vec![
        (
            "product files · lines of code",
            format!("{} · {total}", files.len()),
            "–",
        ),
        (
            "lines a file, p50 / p90 / max",
            percentiles(files, &[50, 90, 100]),
            "100 / 250 / 400",
        ),
        (
            "lines a function, p50 / p90 / p99",
            percentiles(functions, &[50, 90, 99]),
            "8 / 30 / 70",
        ),
        ("functions over 70 lines", long.to_string(), "0"),
    ]
}

fn texts(sources: &[Source], product: &[&Source]) -> Vec<Row> {
    let code: usize = product.iter().map(|source| lines_of(source)).sum();
    let (docs, others) = comment_lines(product);
    let all: usize = sources
        .iter()
        .map(|source| plain_lines(source, |_| true))
        .sum();
    let tests: usize = sources
        .iter()
        .map(|source| plain_lines(source, |at| source.is_test(at)))
        .sum();
    let across: usize = product
        .iter()
        .map(|source| doors::statements(source).len())
        .sum();
    let uses = |word: &str| {
        product
            .iter()
            .map(|source| source.product_uses(word).count())
            .sum::<usize>()
    };
    vec![
        ("doc comments, share of code", share(docs, code), "12–20 %"),
        (
            "other comments, share of code",
            share(others, code),
            "3–6 %",
        ),
        (
            "share of lines that are tests",
            share(tests, all),
            "35–50 %",
        ),
        (
            "lints expected, a thousand lines",
            per_thousand(uses("expect(clippy"), code),
            "< 0.3",
        ),
        (
            "statements across tenants",
            across.to_string(),
            "few, each with a reason",
        ),
    ]
}

fn lines_of(source: &Source) -> usize {
    source.code_lines(0..source.text.len())
}

fn function_lines(source: &Source) -> Vec<usize> {
    let functions = source
        .functions()
        .into_iter()
        .filter(|function| !source.is_test(function.start));
    functions
        .map(|function| source.code_lines(function.body).saturating_sub(2))
        .collect()
}

/// Lines of doc comments and of others, outside tests.
fn comment_lines(sources: &[&Source]) -> (usize, usize) {
    let mut counts = (0, 0);
    for source in sources {
        let mut offset = 0;
        for line in source.comments.split_inclusive('\n') {
            let start = offset;
            offset += line.len();
            let comment = line.trim();
            if comment.is_empty() || source.is_test(start) {
                continue;
            }
            if comment.starts_with("///") || comment.starts_with("//!") {
                counts.0 += 1;
            } else {
                counts.1 += 1;
            }
        }
    }
    counts
}

/// Lines that are not blank and whose start pleases.
fn plain_lines(source: &Source, pleases: impl Fn(usize) -> bool) -> usize {
    let mut offset = 0;
    let mut count = 0;
    for line in source.text.split_inclusive('\n') {
        count += usize::from(!line.trim().is_empty() && pleases(offset));
        offset += line.len();
    }
    count
}

fn percentiles(mut values: Vec<usize>, ranks: &[usize]) -> String {
    values.sort_unstable();
    let at = |rank: usize| {
        let index = (values.len() * rank).div_ceil(100).saturating_sub(1);
        values.get(index).copied().unwrap_or_default().to_string()
    };
    ranks
        .iter()
        .map(|rank| at(*rank))
        .collect::<Vec<_>>()
        .join(" / ")
}

fn share(part: usize, whole: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}

fn per_thousand(part: usize, whole: usize) -> String {
    format!("{:.1}", 1000.0 * part as f64 / whole.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_members_of_the_list() {
        assert_eq!(
            percentiles((1..=100).collect(), &[50, 90, 100]),
            "50 / 90 / 100"
        );
        assert_eq!(percentiles(vec![7], &[50, 99]), "7 / 7");
        assert_eq!(percentiles(Vec::new(), &[50]), "0");
    }

    #[test]
    fn comments_are_told_apart() {
        let source = Source::new(
            "crates/a/src/lib.rs",
            "//! module\n/// item\n// why\nfn a() {}\n",
        );
        assert_eq!(comment_lines(&[&source]), (2, 1));
    }
}
