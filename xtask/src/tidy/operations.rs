//! Each operation of the API document is found by its name: `files.stat` in `crates/http/src/files/stat.rs`, and the tests of its
//! noun in `tests/tests/it/routes/files.rs` or a folder of that name. The noun has a file in core and in api, too.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Finding;

const DOCUMENT: &str = "openapi.json";

pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let path = root.join(DOCUMENT);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {DOCUMENT}"))?;
    let document =
        serde_json::from_str(&text).with_context(|| format!("cannot read {DOCUMENT}"))?;
    Ok(missing(&names(&document), |place| {
        root.join(place).exists()
    }))
}

/// Every `operationId`.
fn names(document: &Value) -> BTreeSet<String> {
    let paths = document.get("paths").and_then(Value::as_object);
    let items = paths.into_iter().flatten().map(|(_, item)| item);
    let operations = items.filter_map(Value::as_object).flatten();
    let names = operations.filter_map(|(_, told)| told.get("operationId")?.as_str());
    names.map(str::to_owned).collect()
}

fn missing(names: &BTreeSet<String>, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = BTreeSet::new();
    let mut want = |rule, place: &str, or: &[String], message: String| {
        if !exists(place) && !or.iter().any(|place| exists(place)) {
            findings.insert(Finding {
                path: place.to_owned(),
                line: 0,
                rule,
                message,
                fix: "give it the file of its name, so that it is found by guessing",
            });
        }
    };
    for (noun, verb) in names.iter().filter_map(|name| name.split_once('.')) {
        let handler = format!("crates/http/src/{noun}/{verb}.rs");
        want(
            "operation_file",
            &handler,
            &[],
            format!("`{noun}.{verb}` has no file of its own"),
        );
        let one = match noun.strip_suffix("ies") {
            Some(stem) => format!("{stem}y"),
            None => noun.strip_suffix('s').unwrap_or(noun).to_owned(),
        };
        for (floor, words) in [
            ("tests/tests/it/routes", [noun, noun]),
            ("crates/core/src", [noun, one.as_str()]),
            ("crates/api/src", [one.as_str(), noun]),
        ] {
            let place = |word: &str| format!("{floor}/{word}.rs");
            let folder = |word: &str| format!("{floor}/{word}");
            let [first, second] = words;
            let others = [folder(first), place(second), folder(second)];
            let message = format!("the noun `{noun}` has no file on this floor");
            want("noun_file", &place(first), &others, message);
        }
    }
    findings.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 4] = [
        "crates/http/src/users/get.rs",
        "crates/core/src/users.rs",
        "crates/api/src/user.rs",
        "tests/tests/it/routes/users",
    ];

    fn rules(name: &str) -> Vec<&'static str> {
        let document =
            serde_json::json!({"paths": {"/x": {"get": {"operationId": name}, "parameters": []}}});
        let found = missing(&names(&document), |place| FILES.contains(&place));
        found.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn an_operation_is_found_by_its_name() {
        assert!(rules("users.get").is_empty());
        assert_eq!(rules("users.list"), ["operation_file"]);
        assert_eq!(rules("keys.list").len(), 4);
    }
}
