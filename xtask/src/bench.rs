//! `cargo xtask bench`: the measured aims of docs/quality.md, always as ratios of one run.

use anyhow::Result;

use crate::process;

/// Arguments are handed to the bench program.
pub fn main(arguments: &[String]) -> Result<()> {
    process::run(process::cargo().args(["build", "--release", "--package", "bailee"]))?;
    let binary = process::target_folder()?.join("release").join("bailee");
    let mut bench = process::cargo();
    bench
        .args(["run", "--release", "--package", "bailee-bench", "--"])
        .args(arguments);
    process::run(bench.env("BAILEE_BIN", binary))
}
