//! Each problem code has a page that a client's user can read, and no page tells of a code that is not there.

use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;
use super::source::{Source, closing};

/// The closed list of problem codes: the string literals in snake case, tests and attributes aside.
const CODES: &str = "crates/model/src/error.rs";
/// The codes that transfers and steps of flows can end with, in the lists of these names; they have pages too.
const LISTS: (&str, [&str; 2]) = (
    "crates/api/src/problem.rs",
    ["TRANSFER_CODES:", "STEP_CODES:"],
);
const PAGES: &str = "docs/problems";

/// A code and where it stands.
struct Code {
    path: &'static str,
    line: usize,
    text: String,
}

pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let pages = root.join(PAGES);
    if !pages.is_dir() || !root.join(CODES).is_file() {
        return Ok(Vec::new());
    }
    let mut codes = codes_in(CODES, &read(root, CODES)?, |_| true);
    let (path, lists) = LISTS;
    if root.join(path).is_file() {
        let text = read(root, path)?;
        for list in lists {
            let range = list_in(&text, list);
            codes.extend(codes_in(path, &text, |offset| range.contains(&offset)));
        }
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&pages)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let name = name
            .strip_suffix(".md")
            .filter(|name| !matches!(*name, "README" | "index"));
        names.extend(name.map(str::to_owned));
    }
    Ok(compare(&codes, &names))
}

fn read(root: &Path, name: &str) -> Result<String> {
    fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"))
}

fn compare(codes: &[Code], pages: &[String]) -> Vec<Finding> {
    let missing = codes
        .iter()
        .filter(|code| !pages.contains(&code.text))
        .map(|code| Finding {
            path: code.path.to_owned(),
            line: code.line,
            rule: "problem_page",
            message: format!("code `{}` has no page", code.text),
            fix: "write docs/problems/<code>.md: meaning, causes, fix, retry or not",
        });
    let stray = pages
        .iter()
        .filter(|page| !codes.iter().any(|code| code.text == **page));
    let stray = stray.map(|page| Finding {
        path: format!("{PAGES}/{page}.md"),
        line: 0,
        rule: "problem_page",
        message: format!("no code `{page}` in {CODES} or {}", LISTS.0),
        fix: "delete the page, or add the code",
    });
    missing.chain(stray).collect()
}

fn codes_in(path: &'static str, text: &str, pleases: impl Fn(usize) -> bool) -> Vec<Code> {
    let source = Source::new(path, text);
    let literals = source.literals.iter().filter(|literal| {
        is_code(&literal.text)
            && !source.is_test(literal.start)
            && !in_attribute(&source, literal.start)
    });
    let chosen = literals.filter(|literal| pleases(literal.start));
    chosen
        .map(|literal| Code {
            path,
            line: source.line_of(literal.start),
            text: literal.text.clone(),
        })
        .collect()
}

fn is_code(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(is_letter)
}

/// Where the values of a constant list stand.
fn list_in(text: &str, name: &str) -> Range<usize> {
    let source = Source::new("", text);
    let open = source.code.find(name).and_then(|start| {
        let rest = source.code.get(start..)?;
        let equals = rest.find('=')?;
        Some(start + equals + rest.get(equals..)?.find('[')?)
    });
    open.and_then(|open| Some(open..closing(&source.code, open)?))
        .unwrap_or_default()
}

fn in_attribute(source: &Source, offset: usize) -> bool {
    let before = source.code.get(..offset).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.trim_start().starts_with("#[")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"
#[serde(rename_all = "snake_case")]
fn code(self) -> &'static str {
    match self {
        Self::NotFound => "not_found",
        Self::Odd => "Not a code",
    }
}
#[cfg(test)]
mod tests {
    const X: &str = "in_test";
}
"#;

    fn texts(codes: &[Code]) -> Vec<&str> {
        codes.iter().map(|code| code.text.as_str()).collect()
    }

    #[test]
    fn codes_are_the_literals_in_snake_case() {
        let codes = codes_in(CODES, SAMPLE, |_| true);
        assert_eq!(texts(&codes), ["not_found"]);
        assert_eq!(codes.first().map(|code| code.line), Some(5));
    }

    #[test]
    fn codes_of_a_list_are_those_between_its_brackets() {
        let text = "const A: &str = \"no\";\npub const LIST: &[&str] = &[\n    \"yes\",\n];\nconst B: &str = \"no\";\n";
        let range = list_in(text, "LIST:");
        assert_eq!(
            texts(&codes_in(CODES, text, |offset| range.contains(&offset))),
            ["yes"]
        );
    }

    #[test]
    fn a_code_without_page_and_a_page_without_code_are_found() {
        let codes = codes_in(CODES, SAMPLE, |_| true);
        assert_eq!(compare(&codes, &["gone".to_owned()]).len(), 2);
        assert!(compare(&codes, &["not_found".to_owned()]).is_empty());
    }
}
