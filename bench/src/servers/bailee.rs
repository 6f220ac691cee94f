//! Bailee as `bailee serve --dev` starts it, with rate limits out of the way: they would be what is measured.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Result;

use super::{Kind, Server, Starting};
use crate::floor::REACH_FILE;
use crate::load::Naming;
use crate::process;

/// The largest rate that the configuration takes.
const RATE_MAX: &str = "100000000";

pub fn start(program: &Path, folder: &Path) -> Result<Server> {
    let data = folder.join("data");
    let reach_file = data.join(REACH_FILE);
    // It also keeps the keys of the first start, so it stays; a new start writes it anew.
    let before = identity(&reach_file);
    let mut command = process::command(program, &folder.join("server.log"))?;
    command
        .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data);
    for limit in ["READ", "WRITE", "AUTH", "STATUS"] {
        command.env(format!("BAILEE__RATE_LIMITS__{limit}"), RATE_MAX);
    }
    let starting = Starting::begin(Kind::Bailee, command)?;
    starting.reach(Naming::Content, &reach_file, || {
        let now = identity(&reach_file);
        now.is_some() && now != before
    })
}

/// Which file a path names now: replacing a file changes its inode.
fn identity(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}
