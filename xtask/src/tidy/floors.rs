//! Floors: a crate may import only what its line in `[workspace.metadata.floors]` names, and some libraries live on one floor.
//!
//! The manifests are compared, not the imports: what a manifest does not name cannot be imported. Dev-dependencies are free.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::Finding;

const SERVERS: &[&str] = &["axum", "hyper", "hyper-util", "tower"];
const DATABASES: &[&str] = &["rusqlite", "tokio-postgres", "deadpool-postgres", "sqlx"];

/// Libraries that a crate must not name, since knowing them would break what the crate promises.
const FORBIDDEN: [(&str, &[&[&str]]); 11] = [
    (
        "model",
        &[
            SERVERS,
            DATABASES,
            &["tokio", "futures", "async-trait", "reqwest", "cedar-policy"],
        ],
    ),
    (
        "api",
        &[SERVERS, DATABASES, &["tokio", "reqwest", "cedar-policy"]],
    ),
    ("auth", &[SERVERS, DATABASES, &["tokio", "reqwest"]]),
    (
        "vault",
        &[SERVERS, DATABASES, &["reqwest", "cedar-policy", "russh"]],
    ),
    ("connect", &[DATABASES, &["axum", "cedar-policy"]]),
    ("store", &[SERVERS, &["reqwest", "russh", "cedar-policy"]]),
    (
        "core",
        &[
            SERVERS,
            DATABASES,
            &["http", "reqwest", "russh", "cedar-policy", "utoipa"],
        ],
    ),
    ("client", &[DATABASES, &["axum", "cedar-policy", "russh"]]),
    ("http", &[DATABASES, &["cedar-policy", "reqwest", "russh"]]),
    (
        "engine",
        &[DATABASES, &["axum", "cedar-policy", "russh", "reqwest"]],
    ),
    (
        "cli",
        &[SERVERS, DATABASES, &["reqwest", "cedar-policy", "russh"]],
    ),
];

/// A crate's manifest: short name, path, dependencies that are built into it.
struct Manifest {
    name: String,
    path: String,
    dependencies: Vec<String>,
}

pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let floors = floors(root)?;
    let manifests = manifests(root)?;
    Ok(compare(&floors, &manifests))
}

/// Arrows between crates as built, for the report.
pub fn arrows(root: &Path) -> Result<usize> {
    let manifests = manifests(root)?;
    Ok(manifests
        .iter()
        .map(|manifest| {
            manifest
                .dependencies
                .iter()
                .filter(|name| short(name).is_some())
                .count()
        })
        .sum())
}

fn compare(floors: &BTreeMap<String, Vec<String>>, manifests: &[Manifest]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in manifests {
        let mut find = |message, fix| {
            findings.push(Finding {
                path: manifest.path.clone(),
                line: 0,
                rule: "floors",
                message,
                fix,
            });
        };
        let Some(allowed) = floors.get(&manifest.name) else {
            find(
                format!(
                    "`{}` has no line in [workspace.metadata.floors]",
                    manifest.name
                ),
                "give it its floor",
            );
            continue;
        };
        for dependency in &manifest.dependencies {
            if let Some(below) = short(dependency)
                && !allowed.iter().any(|name| name == below)
            {
                find(
                    format!(
                        "`{}` imports `{below}`, which is not below it",
                        manifest.name
                    ),
                    "let the crate in between do it; a new arrow needs an ADR and a change of the table in Cargo.toml",
                );
            }
            if is_forbidden(&manifest.name, dependency) {
                find(
                    format!("`{}` must not know `{dependency}`", manifest.name),
                    "move what needs it to the crate that owns it (ARCHITECTURE.md, what is deliberately absent)",
                );
            }
        }
    }
    for name in floors
        .keys()
        .filter(|name| !manifests.iter().any(|manifest| manifest.name == **name))
    {
        findings.push(Finding {
            path: "Cargo.toml".to_owned(),
            line: 0,
            rule: "floors",
            message: format!("the table names `{name}`, which is no crate"),
            fix: "delete its line",
        });
    }
    findings
}

fn is_forbidden(name: &str, dependency: &str) -> bool {
    let lists = FORBIDDEN.iter().filter(|(owner, _)| *owner == name);
    lists
        .flat_map(|(_, lists)| lists.iter())
        .any(|list| list.contains(&dependency))
}

/// `store` for `bailee-store`, `bailee` for itself, nothing for a library.
fn short(package: &str) -> Option<&str> {
    if package == "bailee" {
        Some(package)
    } else {
        package.strip_prefix("bailee-")
    }
}

fn floors(root: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let manifest = read(&root.join("Cargo.toml"))?;
    let table = ["workspace", "metadata", "floors"]
        .iter()
        .try_fold(&Value::Table(manifest.clone()), |value, key| value.get(key))
        .cloned();
    let table = table.context("Cargo.toml has no [workspace.metadata.floors]")?;
    table
        .try_into()
        .context("[workspace.metadata.floors] is not a table of lists")
}

fn manifests(root: &Path) -> Result<Vec<Manifest>> {
    let mut manifests = Vec::new();
    for entry in fs::read_dir(root.join("crates"))? {
        let path = entry?.path().join("Cargo.toml");
        if !path.is_file() {
            continue;
        }
        let table = read(&path)?;
        let package = table
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        // A package of another name is no part of the towers.
        let Some(name) = short(package) else { continue };
        let path = path
            .strip_prefix(root)?
            .to_string_lossy()
            .replace('\\', "/");
        manifests.push(Manifest {
            name: name.to_owned(),
            path,
            dependencies: dependencies(&table),
        });
    }
    manifests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(manifests)
}

/// Names in `[dependencies]`, `[build-dependencies]` and their `[target.…]` forms; a renamed one by its package.
fn dependencies(manifest: &Table) -> Vec<String> {
    let targets = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table);
    let tables = std::iter::once(manifest).chain(targets).flat_map(|table| {
        ["dependencies", "build-dependencies"]
            .into_iter()
            .filter_map(|key| table.get(key))
            .filter_map(Value::as_table)
    });
    let named = tables.flat_map(Table::iter).map(|(key, value)| {
        value
            .get("package")
            .and_then(Value::as_str)
            .unwrap_or(key)
            .to_owned()
    });
    named.collect()
}

fn read(path: &Path) -> Result<Table> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse()
        .with_context(|| format!("{} is not TOML", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, manifest: &str) -> Vec<String> {
        let floors = [("core", vec!["model", "store"]), ("http", vec!["core"])];
        let floors = floors.map(|(name, below)| {
            (
                name.to_owned(),
                below.into_iter().map(str::to_owned).collect(),
            )
        });
        let table: Table = manifest.parse().unwrap_or_default();
        let manifests = [("core", ""), ("http", ""), (name, manifest)].map(|(name, _)| Manifest {
            name: name.to_owned(),
            path: format!("crates/{name}/Cargo.toml"),
            dependencies: Vec::new(),
        });
        let mut manifests = Vec::from(manifests);
        manifests.push(Manifest {
            name: name.to_owned(),
            path: String::new(),
            dependencies: dependencies(&table),
        });
        compare(&BTreeMap::from(floors), &manifests)
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn an_arrow_that_is_not_in_the_table_is_found() {
        let manifest = "[dependencies]\nbailee-store.workspace = true\n";
        assert_eq!(
            findings("http", manifest),
            ["`http` imports `store`, which is not below it"]
        );
        assert!(findings("core", manifest).is_empty());
    }

    #[test]
    fn a_renamed_or_targeted_arrow_is_found_too() {
        let manifest = "[target.'cfg(unix)'.dependencies]\nrows = { package = \"bailee-store\", path = \"../store\" }\n";
        assert_eq!(findings("http", manifest).len(), 1);
    }

    #[test]
    fn a_library_of_another_floor_is_found() {
        assert_eq!(
            findings("core", "[dependencies]\naxum = \"1\"\n"),
            ["`core` must not know `axum`"]
        );
        assert_eq!(
            findings("http", "[dependencies]\nrusqlite = \"1\"\n"),
            ["`http` must not know `rusqlite`"]
        );
    }

    #[test]
    fn dev_dependencies_are_free() {
        assert!(
            findings(
                "core",
                "[dev-dependencies]\naxum = \"1\"\nbailee-http = \"1\"\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn a_crate_without_a_floor_is_found() {
        assert!(
            findings("extra", "")
                .iter()
                .any(|message| message.contains("no line"))
        );
    }
}
