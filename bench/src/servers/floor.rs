//! The floor is this same program under another command.

use std::path::Path;

use anyhow::Result;

use super::{Kind, Server, await_reach};
use crate::floor::REACH_FILE;
use crate::load::Naming;
use crate::process::{self, Guard};

pub fn start(folder: &Path) -> Result<Server> {
    let own = std::env::current_exe()?;
    let mut command = process::command(&own, &folder.join("server.log"))?;
    command.arg("floor").arg("--data").arg(folder);
    let guard = Guard::start(command)?;
    await_reach(Kind::Floor, guard, &folder.join(REACH_FILE), Naming::Path)
}
