//! The Rust tests, on SQLite and on PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Result, bail};
use serde_json::Value;

use super::answers;
use super::postgres::Cluster;
use crate::process;

/// Packages whose tests differ by the database; the rest has passed already.
const WITH_DATABASE: [&str; 2] = ["bailee-store", "bailee-tests"];

/// A compiled test program and the folder it expects to run in.
struct Program {
    path: PathBuf,
    folder: PathBuf,
}

/// Builds every program, since some tests start the server.
pub fn build() -> Result<()> {
    process::run(process::cargo().args(["build", "--workspace", "--bins"]))?;
    process::run(process::cargo().args(["test", "--workspace", "--no-run"]))
}

pub fn server_binary() -> Result<PathBuf> {
    Ok(process::target_folder()?.join("debug").join("bailee"))
}

/// The whole workspace.
pub fn on_sqlite(name: Option<&str>) -> Result<()> {
    let mut test = process::cargo();
    test.args(["test", "--workspace", "--no-fail-fast"])
        .args(name);
    test.env("BAILEE_TEST_DATABASE", "sqlite")
        .env("BAILEE_BIN", server_binary()?);
    test.envs(answers_folder("sqlite", name)?);
    // Tests of both databases must not find a server that somebody else left in the environment.
    test.env_remove("BAILEE_TEST_POSTGRES_URL");
    process::run(&mut test)
}

/// The packages that speak to a database, against a server of our own.
pub fn on_postgres(name: Option<&str>) -> Result<()> {
    let programs = programs()?;
    let cluster = Cluster::start()?;
    println!("PostgreSQL {} on port {}", cluster.version, cluster.port);
    let mut failed = Vec::new();
    let answers = answers_folder("postgres", name)?;
    for program in &programs {
        let mut test = process::command(&program.path);
        test.args(name).current_dir(&program.folder);
        test.env("BAILEE_TEST_DATABASE", "postgres")
            .env("BAILEE_BIN", server_binary()?);
        test.env("BAILEE_TEST_POSTGRES_URL", cluster.url())
            .envs(answers.clone());
        println!("     Running {}", program.path.display());
        if let Err(error) = process::run(&mut test) {
            failed.push(format!("{error:#}"));
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("{}", failed.join("; "))
    }
}

/// Where the test kit notes answers; a few tests alone would say little of the document.
fn answers_folder(database: &str, name: Option<&str>) -> Result<Option<(&'static str, PathBuf)>> {
    match name {
        Some(_) => Ok(None),
        None => Ok(Some((answers::VARIABLE, answers::folder(database)?))),
    }
}

/// The programs are taken from the build of the whole workspace: naming the packages to cargo would choose other features and
/// build half of the dependencies again.
fn programs() -> Result<Vec<Program>> {
    let mut build = process::cargo();
    build
        .args(["test", "--workspace", "--no-run", "--message-format=json"])
        .stderr(Stdio::null());
    let programs: Vec<Program> = process::output(&mut build)?
        .lines()
        .filter_map(program)
        .collect();
    if programs.is_empty() {
        bail!("no test program of {}", WITH_DATABASE.join(" and "));
    }
    Ok(programs)
}

fn program(line: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| message.get(key).and_then(Value::as_str);
    let manifest = Path::new(text("manifest_path")?);
    let is_test = message.get("profile")?.get("test")?.as_bool()?;
    let package = package_name(text("package_id")?, manifest)?;
    (is_test && WITH_DATABASE.contains(&package.as_str())).then_some(())?;
    Some(Program {
        path: text("executable")?.into(),
        folder: manifest.parent()?.to_path_buf(),
    })
}

/// `path+file:///…/crates/store#bailee-store@0.1.0`, where the name is left out if the folder has it too.
fn package_name(id: &str, manifest: &Path) -> Option<String> {
    let (_, last) = id.rsplit_once('#')?;
    match last.split_once('@') {
        Some((name, _)) => Some(name.to_owned()),
        None => Some(
            manifest
                .parent()?
                .file_name()?
                .to_string_lossy()
                .into_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_program_is_told_from_other_messages() {
        let line = |package: &str, test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"path+file:///x/crates/store#{package}@0.1.0","manifest_path":"/x/crates/store/Cargo.toml","profile":{{"test":{test}}},"executable":"/t/db-1"}}"#
            )
        };
        let found =
            program(&line("bailee-store", true)).map(|program| (program.path, program.folder));
        assert_eq!(found, Some(("/t/db-1".into(), "/x/crates/store".into())));
        assert!(program(&line("bailee-store", false)).is_none());
        assert!(program(&line("bailee-vault", true)).is_none());
        assert!(program("not json").is_none());
    }
}
