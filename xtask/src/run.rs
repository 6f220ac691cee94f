//! `cargo xtask run`: builds Bailee and becomes the development server.

use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};

use crate::process;

/// `--release` is ours; every other argument is handed to `bailee serve --dev`.
pub fn main(arguments: &[String]) -> Result<()> {
    let is_release = arguments.iter().any(|argument| argument == "--release");
    let mut build = process::cargo();
    build.args(["build", "--package", "bailee"]);
    if is_release {
        build.arg("--release");
    }
    process::run(&mut build)?;

    let profile = if is_release { "release" } else { "debug" };
    let binary = process::target_folder()?.join(profile).join("bailee");
    let rest = arguments.iter().filter(|argument| *argument != "--release");
    // Becoming the server, rather than waiting for it, hands signals straight to it.
    let error = process::command(&binary)
        .args(["serve", "--dev"])
        .args(rest)
        .exec();
    Err(error).with_context(|| format!("cannot start {}", binary.display()))
}
