//! The servers that are measured, each a child process with a data folder of its own.

mod bailee;
mod floor;
mod nginx;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;

use crate::floor::Reach;
use crate::load::client::Client;
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
    /// From the start of the process to the first handshake.
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

/// A server that has been started and cannot be reached yet.
struct Starting {
    kind: Kind,
    begun: Instant,
    guard: Guard,
}

impl Starting {
    fn begin(kind: Kind, command: Command) -> Result<Self> {
        Ok(Self {
            kind,
            begun: Instant::now(),
            guard: Guard::start(command)?,
        })
    }

    /// Waits for a sign of life.
    fn wait(&mut self, is_ready: impl Fn() -> bool) -> Result<()> {
        self.guard.wait_until(START_WAIT, is_ready)
    }

    /// Waits for the file by which a server tells where it is.
    fn reach(
        mut self,
        naming: Naming,
        reach_file: &Path,
        is_ready: impl Fn() -> bool,
    ) -> Result<Server> {
        self.wait(is_ready)?;
        let reach: Reach = serde_json::from_slice(&std::fs::read(reach_file)?)?;
        let address = reach.url.trim_start_matches("https://");
        let target = Target {
            address: address
                .trim_end_matches('/')
                .parse()
                .with_context(|| format!("no address of the loopback: {}", reach.url))?,
            tls: tls::client(&reach.ca_file)?,
            api_key: reach.api_key,
            naming,
        };
        self.finish(target)
    }

    /// The start ends with the first handshake.
    fn finish(self, target: Target) -> Result<Server> {
        Client::connect(&target)?;
        Ok(Server {
            kind: self.kind,
            target,
            start_time: self.begun.elapsed(),
            guard: self.guard,
        })
    }
}
