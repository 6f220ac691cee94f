//! `cargo xtask tidy`: structural rules that neither the compiler nor clippy can keep.
//!
//! One file a check; each finding names the rule, the place and the fix. The checks look at masked text (strings and comments
//! blanked, see `source.rs`), not at a syntax tree: they are fast and simple, and what slips through is a matter of review.
//! Exceptions stand in `xtask/tidy-exceptions.txt`, each with its reason.

mod bools;
mod doors;
mod exceptions;
mod floors;
mod imports;
mod length;
mod links;
mod machine;
mod markers;
mod operations;
mod problems;
mod report;
mod source;
mod sql;
mod times;
mod unbounded;
mod words;

use std::time::Instant;

use anyhow::{Result, bail};

use crate::process;
use exceptions::Exceptions;
use source::Source;

/// One broken rule at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// Counted from 1; 0 is the file as a whole.
    line: usize,
    rule: &'static str,
    message: String,
    fix: &'static str,
}

/// `--report` prints the numbers of docs/quality.md in place of the checks.
pub fn main(arguments: &[String]) -> Result<()> {
    let started = Instant::now();
    let root = process::root();
    let sources = source::read_tree(&root)?;
    match arguments {
        [] => {}
        [one] if one == "--report" => {
            print!("{}", report::of(&root, &sources)?);
            return Ok(());
        }
        _ => bail!("usage: cargo xtask tidy [--report]"),
    }

    let exceptions = Exceptions::read(&root.join(exceptions::FILE))?;
    let mut findings = floors::check(&root)?;
    findings.extend(problems::check(&root)?);
    findings.extend(links::check(&root)?);
    findings.extend(operations::check(&root)?);
    for check in [
        length::check as fn(&[Source], &Exceptions) -> Vec<Finding>,
        markers::check,
        sql::check,
        doors::check,
        unbounded::check,
        machine::check,
        words::check,
        bools::check,
        times::check,
        imports::check,
    ] {
        findings.extend(check(&sources, &exceptions));
    }
    findings.retain(|finding| !exceptions.admit(finding.rule, &finding.path));
    findings.extend(exceptions.faults());
    findings.sort();
    for finding in &findings {
        println!(
            "tidy[{}] {}:{}: {}",
            finding.rule, finding.path, finding.line, finding.message
        );
        println!("    fix: {}", finding.fix);
    }
    let took = started.elapsed();
    println!(
        "tidy: {} files, {} findings, {:.1} s",
        sources.len(),
        findings.len(),
        took.as_secs_f64()
    );
    if findings.is_empty() {
        Ok(())
    } else {
        bail!("the tree is not tidy")
    }
}
