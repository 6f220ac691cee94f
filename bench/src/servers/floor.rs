//! The floor is this same program under another command.

use std::path::Path;

use anyhow::Result;

use super::{Kind, Server, Starting};
use crate::floor::REACH_FILE;
use crate::load::Naming;
use crate::process;

pub fn start(folder: &Path) -> Result<Server> {
    let own = std::env::current_exe()?;
    let mut command = process::command(&own, &folder.join("server.log"))?;
    command.arg("floor").arg("--data").arg(folder);
    let reach_file = folder.join(REACH_FILE);
    let starting = Starting::begin(Kind::Floor, command)?;
    starting.reach(Naming::Path, &reach_file, || reach_file.exists())
}
