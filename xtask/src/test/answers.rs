//! What the API document says can be answered, against what the tests of a run were answered.
//!
//! The test kit writes a line for each kind of answer (`tests/tests/it/kit/answers.rs`). A refusal that the document gives an
//! operation must have occurred, and so must each code that has a page; a refusal that occurred must be documented. What cannot
//! be provoked stands in `tests/unprovoked.txt` with its reason. A line there that came true is a failure too, except for `*`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;

/// Names the folder to the test kit.
pub const VARIABLE: &str = "BAILEE_TEST_ANSWERS";
const DOCUMENT: &str = "openapi.json";
const PAGES: &str = "docs/problems";
const EXCEPTIONS: &str = "tests/unprovoked.txt";
const REFUSAL_MIN: u16 = 400;

/// An empty folder for the answers of a run on this database.
pub fn folder(database: &str) -> Result<PathBuf> {
    let folder = process::target_folder()?.join("answers").join(database);
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// Compares the newest runs, on whatever databases there were, with the document.
pub fn check() -> Result<()> {
    let root = process::root();
    let read = |name: &str| {
        fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"))
    };
    let operations = operations(&serde_json::from_str(&read(DOCUMENT)?)?)?;
    let mut codes = BTreeSet::new();
    for entry in fs::read_dir(root.join(PAGES))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        codes.extend(name.strip_suffix(".md").map(str::to_owned));
    }
    let answered = Answered::read(&operations)?;
    let findings = compare(
        &operations,
        &codes,
        &answered,
        &exceptions(&read(EXCEPTIONS)?)?,
    );
    for finding in &findings {
        println!("{finding}");
    }
    println!(
        "answers: {} operations, {} kinds of refusal occurred, {} findings",
        operations.len(),
        answered.refusals.len(),
        findings.len()
    );
    if findings.is_empty() {
        return Ok(());
    }
    bail!(
        "the document and what is answered differ; provoke it in a test, or say why not in {EXCEPTIONS}"
    )
}

struct Operation {
    id: String,
    /// In capitals.
    method: String,
    path: String,
    /// Statuses of refusals.
    refusals: BTreeSet<u16>,
}

impl Operation {
    /// How many segments of `path` are named by the template, if it is a path of this operation.
    fn fits(&self, path: &str) -> Option<usize> {
        let (own, other): (Vec<_>, Vec<_>) =
            (self.path.split('/').collect(), path.split('/').collect());
        let is_parameter = |segment: &str| segment.starts_with('{');
        let mut pairs = own.iter().zip(&other);
        let fits = own.len() == other.len()
            && pairs.all(|(own, other)| own == other || is_parameter(own) && !other.is_empty());
        fits.then(|| own.iter().filter(|segment| !is_parameter(segment)).count())
    }
}

fn operations(document: &Value) -> Result<Vec<Operation>> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut all = Vec::new();
    for (path, item) in paths.context("the document has no paths")? {
        for (method, described) in item.as_object().into_iter().flatten() {
            let Some(id) = described.get("operationId").and_then(Value::as_str) else {
                continue;
            };
            let responses = described.get("responses").and_then(Value::as_object);
            let statuses = responses.into_iter().flatten();
            all.push(Operation {
                id: id.to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                refusals: statuses
                    .filter_map(|(status, _)| status.parse().ok())
                    .filter(|status| *status >= REFUSAL_MIN)
                    .collect(),
            });
        }
    }
    Ok(all)
}

/// What a run was answered.
#[derive(Default)]
struct Answered {
    /// By operation and status.
    refusals: BTreeSet<(String, u16)>,
    codes: BTreeSet<String>,
}

impl Answered {
    fn read(operations: &[Operation]) -> Result<Self> {
        let folder = process::target_folder()?.join("answers");
        let mut answered = Self::default();
        for database in fs::read_dir(&folder).context("no test has run yet")? {
            for file in fs::read_dir(database?.path())? {
                for line in fs::read_to_string(file?.path())?.lines() {
                    answered.note(operations, line);
                }
            }
        }
        Ok(answered)
    }

    fn note(&mut self, operations: &[Operation], line: &str) {
        let mut words = line.split(' ');
        let (Some(method), Some(path), Some(status), Some(code)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return;
        };
        if code != "-" {
            self.codes.insert(code.to_owned());
        }
        let path = path.strip_prefix("/v1").unwrap_or(path);
        let called = operations.iter().filter(|one| one.method == method);
        let nearest = called
            .filter_map(|one| Some((one.fits(path)?, one)))
            .max_by_key(|(named, _)| *named);
        if let (Some((_, operation)), Ok(status)) = (nearest, status.parse::<u16>())
            && status >= REFUSAL_MIN
        {
            self.refusals.insert((operation.id.clone(), status));
        }
    }
}

/// `<operation|*> <status>` or `code <code>`; the line's number tells whether it is needed.
type Exceptions = BTreeMap<(String, String), usize>;

fn exceptions(text: &str) -> Result<Exceptions> {
    let mut all = Exceptions::new();
    let lines = text.lines().enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let read = line.split_once(" # ").and_then(|(head, reason)| {
            let (subject, answer) = head.trim().split_once(' ')?;
            (!reason.trim().is_empty()).then(|| (subject.to_owned(), answer.trim().to_owned()))
        });
        let key =
            read.with_context(|| format!("{EXCEPTIONS}:{}: cannot read `{line}`", index + 1))?;
        if all.insert(key, index + 1).is_some() {
            bail!("{EXCEPTIONS}:{}: stands there twice", index + 1);
        }
    }
    Ok(all)
}

fn compare(
    operations: &[Operation],
    codes: &BTreeSet<String>,
    answered: &Answered,
    exceptions: &Exceptions,
) -> Vec<String> {
    let mut findings = Vec::new();
    let mut needed: BTreeSet<usize> = BTreeSet::new();
    let mut is_excepted = |subject: &str, answer: &str| {
        let key = (subject.to_owned(), answer.to_owned());
        let any = ("*".to_owned(), answer.to_owned());
        let line = exceptions.get(&key).or_else(|| exceptions.get(&any));
        needed.extend(line);
        line.is_some()
    };
    for operation in operations {
        for status in &operation.refusals {
            let has_occurred = answered.refusals.contains(&(operation.id.clone(), *status));
            if !has_occurred && !is_excepted(&operation.id, &status.to_string()) {
                findings.push(format!(
                    "{} {status} is documented and does not occur",
                    operation.id
                ));
            }
        }
        let occurred = answered
            .refusals
            .iter()
            .filter(|(id, _)| *id == operation.id);
        for (_, status) in occurred.filter(|(_, status)| !operation.refusals.contains(status)) {
            findings.push(format!(
                "{} {status} occurs and is not documented",
                operation.id
            ));
        }
    }
    for code in codes {
        if !answered.codes.contains(code) && !is_excepted("code", code) {
            findings.push(format!("code {code} has a page and does not occur"));
        }
    }
    for ((subject, answer), line) in exceptions {
        if !needed.contains(line) {
            findings.push(format!(
                "{EXCEPTIONS}:{line}: nothing needs `{subject} {answer}`"
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"paths": {
        "/files": {"get": {"operationId": "files.list", "responses": {"200": {}, "400": {}}}},
        "/files/{file_id}": {"get": {"operationId": "files.get", "responses": {"200": {}, "404": {}, "500": {}}}},
        "/files/lookup": {"get": {"operationId": "files.lookup", "responses": {"404": {}}}}
    }}"#;

    fn findings(lines: &[&str], excepted: &str) -> Result<Vec<String>> {
        let operations = operations(&serde_json::from_str(DOCUMENT)?)?;
        let mut answered = Answered::default();
        for line in lines {
            answered.note(&operations, line);
        }
        let codes = ["not_found".to_owned()].into();
        Ok(compare(
            &operations,
            &codes,
            &answered,
            &exceptions(excepted)?,
        ))
    }

    #[test]
    fn what_is_documented_occurs_or_is_excepted() -> Result<()> {
        let lines = [
            "GET /v1/files 400 invalid_cursor",
            "GET /files/fil_1 404 not_found",
            "GET /v1/files/lookup 404 not_found",
            "GET /v1/files/fil_1 200 -",
        ];
        assert_eq!(
            findings(&lines, "* 500 # no defect is known\n")?,
            Vec::<String>::new()
        );
        assert_eq!(
            findings(&lines, "")?,
            ["files.get 500 is documented and does not occur"]
        );
        assert_eq!(findings(&[], "")?.len(), 5);
        Ok(())
    }

    #[test]
    fn what_occurs_is_documented() -> Result<()> {
        let lines = [
            "GET /files 400 invalid_cursor",
            "GET /files 409 file_exists",
            "GET /files/lookup 404 not_found",
            "GET /files/x 404 not_found",
            "GET /files/x 500 internal",
        ];
        assert_eq!(
            findings(&lines, "")?,
            ["files.list 409 occurs and is not documented"]
        );
        Ok(())
    }

    #[test]
    fn an_exception_needs_a_reason_and_must_be_needed() -> Result<()> {
        assert!(exceptions("files.get 500\n").is_err());
        assert!(exceptions("* 500 # a\n* 500 # b\n").is_err());
        let found = findings(&[], "* 500 # a\nfiles.get 409 # b\n")?;
        assert!(
            found
                .iter()
                .any(|one| one.ends_with("nothing needs `files.get 409`"))
        );
        Ok(())
    }
}
