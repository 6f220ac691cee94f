//! Who may touch the machine: starting programs, and naming files of the host.
//!
//! Paths of callers are `FolderPath` and `FilePath` of the model; a path of the host is a thing of few modules, so that no
//! text of a caller can become one by accident.

use super::Finding;
use super::exceptions::Exceptions;
use super::source::Source;

/// Where programs may be started. Tests are free anyway.
const STARTERS: [&str; 1] = ["xtask/"];
/// Where files of the host may be named.
const HOST_FILES: [&str; 11] = [
    "crates/vault/src/disk",
    "crates/vault/src/keys",
    "crates/connect/src/local",
    "crates/store/src/db/",
    "crates/server/",
    "crates/client/",
    "crates/cli/",
    "crates/bailee/",
    "xtask/",
    "tests/",
    "bench/",
];

pub fn check(sources: &[Source], _: &Exceptions) -> Vec<Finding> {
    sources
        .iter()
        .flat_map(|source| programs(source).into_iter().chain(host_files(source)))
        .collect()
}

fn programs(source: &Source) -> Vec<Finding> {
    if is_below(source, &STARTERS) {
        return Vec::new();
    }
    // `ExitCode` and `abort` of the same module start nothing.
    let starts = |use_of: &str| {
        ["Command", "Child", "Stdio", "exit("]
            .iter()
            .any(|word| use_of.contains(word))
    };
    let uses = source
        .product_uses("process::")
        .filter(|offset| starts(path_at(source, *offset)));
    uses.map(|offset| Finding {
        path: source.path.clone(),
        line: source.line_of(offset),
        rule: "process",
        message: format!("`{}`", path_at(source, offset).trim()),
        fix: "nothing starts a program or ends the process by itself, xtask and tests aside",
    })
    .collect()
}

fn host_files(source: &Source) -> Vec<Finding> {
    if is_below(source, &HOST_FILES) {
        return Vec::new();
    }
    let names = [
        "std::path",
        "std::fs",
        "tokio::fs",
        "std::os::unix::fs",
        "rustix::fs",
    ];
    let uses = names
        .iter()
        .flat_map(|name| source.product_uses(name).map(move |offset| (name, offset)));
    uses.map(|(name, offset)| Finding {
        path: source.path.clone(),
        line: source.line_of(offset),
        rule: "host_files",
        message: format!("`{name}` here"),
        fix: "files of the host are named by vault's disk and keys, connect's local, store's SQLite, server, client and cli only",
    })
    .collect()
}

fn is_below(source: &Source, places: &[&str]) -> bool {
    places.iter().any(|place| source.path.starts_with(place))
}

/// The rest of a path or of a `use`, to the end of the statement or the first bracket's end.
fn path_at(source: &Source, offset: usize) -> &str {
    let rest = source.code.get(offset..).unwrap_or_default();
    let end = rest.find([';', '}', '\n', ')']).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        check(&[Source::new(path, text)], &Exceptions::parse(""))
            .into_iter()
            .map(|finding| finding.rule)
            .collect()
    }

    #[test]
    fn starting_a_program_is_found() {
        assert_eq!(
            rules(
                "crates/core/src/a.rs",
                "use std::process::{Command, Stdio};\n"
            ),
            ["process"]
        );
        assert_eq!(
            rules(
                "crates/cli/src/a.rs",
                "fn a() { tokio::process::Command::new(x); }\n"
            ),
            ["process"]
        );
        assert_eq!(
            rules("crates/cli/src/a.rs", "fn a() { std::process::exit(1); }\n"),
            ["process"]
        );
        assert!(rules("crates/cli/src/a.rs", "use std::process::ExitCode;\n").is_empty());
        assert!(rules("xtask/src/process.rs", "use std::process::Command;\n").is_empty());
        assert!(
            rules(
                "crates/connect/tests/sshd/mod.rs",
                "use std::process::Command;\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn a_file_of_the_host_is_named_in_few_places() {
        assert_eq!(
            rules("crates/core/src/a.rs", "use std::path::Path;\n"),
            ["host_files"]
        );
        assert_eq!(
            rules(
                "crates/http/src/a.rs",
                "async fn a() { tokio::fs::read(x).await }\n"
            ),
            ["host_files"]
        );
        assert!(rules("crates/vault/src/disk.rs", "use std::path::Path;\n").is_empty());
        assert!(rules("crates/vault/src/disk/list.rs", "use std::fs;\n").is_empty());
        assert!(
            rules(
                "crates/core/src/a.rs",
                "#[cfg(test)]\nmod tests {\n    use std::path::Path;\n}\n"
            )
            .is_empty()
        );
    }
}
