//! The servers that are measured, each a child process with a data folder of its own.

mod bailee;
mod floor;
mod nginx;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;

use crate::floor::Reach;
use crate::load::{Naming, Target};
use crate::process::{Family, Guard};
use crate::tls;

/// How long a server may take to be ready.
const START_WAIT: Duration = Duration::from_mins(1);

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What must be done, and nothing else.
    Floor,
    /// The product.
    Bailee,
    /// A peer that neither hashes, seals nor syncs.
    Nginx,
}

impl Kind {
    /// Its name in a table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Bailee => "Bailee",
            Self::Nginx => "nginx (not durable)",
        }
    }
}

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The release build of Bailee.
    pub bailee: PathBuf,
    /// nginx.
    pub nginx: PathBuf,
}

/// A server that runs until this is dropped.
pub struct Server {
    /// Which one.
    pub kind: Kind,
    /// How to reach it.
    pub target: Target,
    /// From the start of the process until it could be reached.
    pub start_time: Duration,
    guard: Guard,
}

impl Server {
    /// Starts a server on `folder`, which may hold what an earlier one left.
    pub fn start(kind: Kind, programs: &Programs, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        match kind {
            Kind::Floor => floor::start(folder),
            Kind::Bailee => bailee::start(&programs.bailee, folder),
            Kind::Nginx => nginx::start(&programs.nginx, folder),
        }
        .with_context(|| {
            let log = folder.join("server.log");
            let text = std::fs::read_to_string(log).unwrap_or_default();
            let end: Vec<&str> = text.lines().rev().take(5).collect();
            let end: Vec<&str> = end.into_iter().rev().collect();
            format!(
                "{} did not start; it said:\n{}",
                kind.title(),
                end.join("\n")
            )
        })
    }

    /// Its processes as they are now.
    pub fn family(&self) -> Family {
        self.guard.family()
    }

    /// Asks it to end and waits.
    pub fn stop(mut self) {
        self.guard.stop();
    }
}

/// Waits for the file by which a server tells where it is.
fn await_reach(kind: Kind, mut guard: Guard, reach_file: &Path, naming: Naming) -> Result<Server> {
    let start_time = guard.wait_until(START_WAIT, || reach_file.exists())?;
    let reach: Reach = serde_json::from_slice(&std::fs::read(reach_file)?)?;
    let address = reach
        .url
        .trim_start_matches("https://")
        .trim_end_matches('/');
    let address = address.replace("localhost", "127.0.0.1");
    let target = Target {
        address: address
            .parse()
            .with_context(|| format!("no address of the loopback: {}", reach.url))?,
        tls: tls::client(&reach.ca_file)?,
        api_key: reach.api_key,
        naming,
    };
    Ok(Server {
        kind,
        target,
        start_time,
        guard,
    })
}
