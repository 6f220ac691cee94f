//! Bailee as `bailee serve --dev` starts it, with rate limits out of the way: they would be what is measured.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Kind, Server, await_reach};
use crate::floor::REACH_FILE;
use crate::load::Naming;
use crate::process::{self, Guard};

/// The largest rate that the configuration takes.
const RATE_MAX: &str = "100000000";

pub fn start(program: &Path, folder: &Path) -> Result<Server> {
    let data = folder.join("data");
    let reach_file = data.join(REACH_FILE);
    // A restart must be waited for, not the file of the last start.
    if reach_file.exists() {
        std::fs::remove_file(&reach_file).context("cannot forget the last start")?;
    }
    let mut command = process::command(program, &folder.join("server.log"))?;
    command
        .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data);
    for limit in ["READ", "WRITE", "AUTH", "STATUS"] {
        command.env(format!("BAILEE__RATE_LIMITS__{limit}"), RATE_MAX);
    }
    let guard = Guard::start(command)?;
    await_reach(Kind::Bailee, guard, &reach_file, Naming::Content)
}
