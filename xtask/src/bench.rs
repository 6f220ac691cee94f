//! `cargo xtask bench`: the measured aims of docs/quality.md, always as ratios of one run.

use anyhow::Result;

use crate::process;

/// Arguments are handed to the bench program.
pub fn main(arguments: &[String]) -> Result<()> {
    // Both in one build: alone, each would ask its dependencies for other features, and all would be built twice.
    let packages = ["--package", "bailee", "--package", "bailee-bench"];
    process::run(
        process::cargo()
            .args(["build", "--release", "--bins"])
            .args(packages),
    )?;
    let built = process::target_folder()?.join("release");
    let mut bench = process::command(built.join("bailee-bench"));
    bench
        .env("BAILEE_BIN", built.join("bailee"))
        .args(arguments);
    process::run(&mut bench)
}
