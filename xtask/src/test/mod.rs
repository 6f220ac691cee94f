//! `cargo xtask test`: everything that must hold, in the order in which it fails fastest.
//!
//! Clippy uses check artefacts, the rest the artefacts of `--workspace`: features are the same in every phase, so nothing is built
//! twice. A phase that fails does not keep the others from running; the command fails at the end and names it.

mod answers;
mod postgres;
mod rust;
mod setup;

use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{generate, process, tidy};

/// In the order they run. `setup` and `build` run first whatever is asked for, as far as the rest needs them.
const PHASES: [&str; 9] = [
    "format", "clippy", "tidy", "generate", "deny", "sqlite", "postgres", "answers", "python",
];

/// What the arguments ask for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wish {
    /// Only tests whose name holds this.
    name: Option<String>,
    database: Option<String>,
    only: Option<String>,
}

impl Wish {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut wish = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .cloned()
                    .with_context(|| format!("{word} needs a value"))
            };
            match word.as_str() {
                "--database" => wish.database = Some(one_of(value()?, &["sqlite", "postgres"])?),
                "--only" => wish.only = Some(one_of(value()?, &PHASES)?),
                flag if flag.starts_with('-') => bail!("no option {flag}"),
                name if wish.name.is_none() => wish.name = Some(name.to_owned()),
                extra => bail!("one name at most, not also `{extra}`"),
            }
        }
        Ok(wish)
    }

    /// A name or a single phase narrows; a database drops the other one.
    fn wants(&self, phase: &str) -> bool {
        let is_database = matches!(phase, "sqlite" | "postgres");
        if let Some(database) = &self.database
            && is_database
            && database != phase
        {
            return false;
        }
        match (&self.only, &self.name) {
            (Some(only), _) => only == phase,
            (None, Some(_)) => is_database,
            (None, None) => true,
        }
    }
}

fn one_of(value: String, choices: &[&str]) -> Result<String> {
    if choices.contains(&value.as_str()) {
        Ok(value)
    } else {
        bail!("`{value}` is none of {}", choices.join(", "))
    }
}

/// Runs what the arguments ask for; fails if any phase failed.
pub fn main(arguments: &[String]) -> Result<()> {
    let wish = Wish::parse(arguments)?;
    let mut failed = Vec::new();
    let runs_tests = ["sqlite", "postgres", "python"]
        .iter()
        .any(|phase| wish.wants(phase));
    if runs_tests {
        phase("setup", &mut failed, || {
            setup::install(wish.wants("postgres"))
        });
    }
    for name in PHASES
        .iter()
        .take_while(|name| **name != "sqlite")
        .filter(|name| wish.wants(name))
    {
        phase(name, &mut failed, || check(name));
    }
    if runs_tests && !phase("build", &mut failed, rust::build) {
        bail!("failed: {}; no test was run", failed.join(", "));
    }
    let name = wish.name.as_deref();
    if wish.wants("sqlite") {
        phase("sqlite", &mut failed, || rust::on_sqlite(name));
    }
    if wish.wants("postgres") {
        phase("postgres", &mut failed, || rust::on_postgres(name));
    }
    if wish.wants("answers") {
        phase("answers", &mut failed, answers::check);
    }
    if wish.wants("python") {
        phase("python", &mut failed, python);
    }
    if failed.is_empty() {
        println!("\nall phases passed");
        return Ok(());
    }
    bail!("failed: {}", failed.join(", "))
}

/// Runs one phase under a heading and tells how long it took.
fn phase(name: &str, failed: &mut Vec<String>, work: impl FnOnce() -> Result<()>) -> bool {
    println!("\n== {name}");
    let started = Instant::now();
    let outcome = work();
    let took = started.elapsed().as_secs_f64();
    match &outcome {
        Ok(()) => println!("== {name}: passed in {took:.1} s"),
        Err(error) => {
            eprintln!("error: {error:#}");
            println!("== {name}: FAILED after {took:.1} s");
            failed.push(name.to_owned());
        }
    }
    outcome.is_ok()
}

fn check(phase: &str) -> Result<()> {
    match phase {
        "format" => process::run(process::cargo().args(["fmt", "--all", "--check"])),
        "clippy" => process::run(process::cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])),
        "tidy" => tidy::main(&[]),
        "generate" => generate::main(&["--check".to_owned()]),
        "deny" => deny(),
        other => bail!("no phase `{other}`"),
    }
}

/// Licences, bans and sources need nothing but the lock file; advisories need the database that cargo-deny keeps.
fn deny() -> Result<()> {
    if !process::succeeds(process::cargo().args(["deny", "--version"])) {
        println!(
            "cargo-deny is not installed: licences, bans and advisories were NOT checked (`cargo install cargo-deny`)"
        );
        return Ok(());
    }
    let check = |kinds: &[&str]| {
        // Fetching is a step of its own, below; each duplicate's graph would fill screens.
        let mut deny = process::cargo();
        process::run(
            deny.args(["deny", "--offline", "check", "--hide-inclusion-graph"])
                .args(kinds),
        )
    };
    check(&["bans", "licenses", "sources"])?;
    if process::succeeds(process::cargo().args(["deny", "fetch", "db"])) {
        return check(&["advisories"]);
    }
    println!("the advisory database cannot be fetched: advisories were NOT checked");
    Ok(())
}

/// The outside clients: they start the built server themselves, by `BAILEE_BIN`.
fn python() -> Result<()> {
    let program = process::root().join("tests/python/run.py");
    if !program.is_file() {
        println!("no tests/python/run.py: nothing to run");
        return Ok(());
    }
    let binary = rust::server_binary()?;
    process::run(
        process::command(setup::python())
            .arg(program)
            .env("BAILEE_BIN", binary),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(line: &str) -> Result<Wish> {
        Wish::parse(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    fn wanted(line: &str) -> Vec<&'static str> {
        let wish = wish(line).unwrap_or_default();
        PHASES
            .into_iter()
            .filter(|phase| wish.wants(phase))
            .collect()
    }

    #[test]
    fn nothing_asked_is_everything() {
        assert_eq!(wanted(""), PHASES);
    }

    #[test]
    fn a_name_runs_tests_alone_and_a_database_drops_the_other() {
        assert_eq!(wanted("upload"), ["sqlite", "postgres"]);
        assert_eq!(wanted("upload --database sqlite"), ["sqlite"]);
        assert!(!wanted("--database postgres").contains(&"sqlite"));
        assert_eq!(wanted("--only clippy"), ["clippy"]);
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        assert!(wish("--database mysql").is_err());
        assert!(wish("--only everything").is_err());
        assert!(wish("--databse sqlite").is_err());
        assert!(wish("one two").is_err());
        assert!(wish("--only").is_err());
    }
}
