//! Each problem code has a page that a client's user can read, and no page tells of a code that is not there.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;
use super::source::Source;

/// Where the closed list of codes stands; its codes are the string literals in snake case, tests and attributes aside.
const CODES: &str = "crates/model/src/error.rs";
const PAGES: &str = "docs/problems";

pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let (codes, pages) = (root.join(CODES), root.join(PAGES));
    if !pages.is_dir() || !codes.is_file() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&codes).with_context(|| format!("cannot read {CODES}"))?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&pages)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(
            name.strip_suffix(".md")
                .filter(|name| !matches!(*name, "README" | "index"))
                .map(str::to_owned),
        );
    }
    Ok(compare(&codes_in(&text), &names))
}

fn compare(codes: &[(usize, String)], pages: &[String]) -> Vec<Finding> {
    let missing = codes
        .iter()
        .filter(|(_, code)| !pages.contains(code))
        .map(|(line, code)| Finding {
            path: CODES.to_owned(),
            line: *line,
            rule: "problem_page",
            message: format!("code `{code}` has no page"),
            fix: "write docs/problems/<code>.md: meaning, causes, fix, retry or not",
        });
    let stray = pages
        .iter()
        .filter(|page| !codes.iter().any(|(_, code)| code == *page))
        .map(|page| Finding {
            path: format!("{PAGES}/{page}.md"),
            line: 0,
            rule: "problem_page",
            message: format!("no code `{page}` in {CODES}"),
            fix: "delete the page, or add the code",
        });
    missing.chain(stray).collect()
}

fn codes_in(text: &str) -> Vec<(usize, String)> {
    let source = Source::new(CODES, text);
    let mut codes: Vec<(usize, String)> = Vec::new();
    for literal in &source.literals {
        let is_code = literal.text.starts_with(|c: char| c.is_ascii_lowercase())
            && literal
                .text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit());
        let is_known = codes.iter().any(|(_, code)| *code == literal.text);
        if is_code
            && !is_known
            && !source.is_test(literal.start)
            && !in_attribute(&source, literal.start)
        {
            codes.push((source.line_of(literal.start), literal.text.clone()));
        }
    }
    codes
}

fn in_attribute(source: &Source, offset: usize) -> bool {
    let before = source.code.get(..offset).unwrap_or_default();
    let line = before
        .rfind('\n')
        .map_or(before, |end| before.get(end + 1..).unwrap_or_default());
    line.trim_start().starts_with("#[")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "#[serde(rename_all = \"snake_case\")]\nfn code(self) -> &'static str {\n    match self {\n        Self::NotFound => \"not_found\",\n        Self::Odd => \"Not a code\",\n    }\n}\n#[cfg(test)]\nmod tests {\n    const X: &str = \"in_test\";\n}\n";

    #[test]
    fn codes_are_the_literals_in_snake_case() {
        assert_eq!(codes_in(SAMPLE), [(4, "not_found".to_owned())]);
    }

    #[test]
    fn a_code_without_page_and_a_page_without_code_are_found() {
        let findings = compare(&codes_in(SAMPLE), &["gone".to_owned()]);
        assert_eq!(findings.len(), 2);
        assert!(compare(&codes_in(SAMPLE), &["not_found".to_owned()]).is_empty());
    }
}
