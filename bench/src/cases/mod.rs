//! What is measured: the cases, their sizes, and the aims that each row is held against.

mod load;
mod row;
mod session;

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use rustix::fs::Advice;

pub use load::{measure, prepare};
pub use row::{Aim, ROWS, Row};
pub use session::{complete, idle, many_files};

use crate::load::{Action, Plan};
use crate::servers::Kind;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

/// One thing to do to each server, in the order of a run: those with a server of their own come before the disk fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// Raw rates of the machine alone.
    #[value(name = "sync_rate")]
    SyncRate,
    /// Memory of a server that has nothing to do.
    #[value(name = "idle")]
    Idle,
    /// Lists and a restart with many files.
    #[value(name = "many_files")]
    ManyFiles,
    /// A large file up, one stream.
    #[value(name = "put_1g")]
    PutLarge,
    /// A large file down, one stream.
    #[value(name = "get_1g")]
    GetLarge,
    /// Sixty-four files at once.
    #[value(name = "many_64")]
    PutMany,
    /// Small files up on 32 connections.
    #[value(name = "put_4k_32")]
    PutSmall,
    /// Small files up on one connection.
    #[value(name = "put_4k_1")]
    PutSmallAlone,
    /// Small files down on 32 connections.
    #[value(name = "get_4k_32")]
    GetSmall,
    /// A handshake and a tiny file, eight at once.
    #[value(name = "new_tls")]
    NewConnections,
    /// The end of a part session.
    #[value(name = "complete")]
    Complete,
}

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Smaller sizes and a single run.
    pub is_quick: bool,
    /// Runs of each case; the median counts.
    pub runs: u32,
    /// Files of [`Case::ManyFiles`].
    pub files: u64,
}

impl Scale {
    /// Room that the servers may need on the disk together, bytes.
    pub fn room_bytes(&self) -> u64 {
        if self.is_quick { 8 * GIB } else { 60 * GIB }
    }

    /// How long each raw rate is measured.
    pub fn rate_time(&self) -> Duration {
        Duration::from_millis(if self.is_quick { 500 } else { 2000 })
    }

    /// Bytes of the part session.
    pub fn session_bytes(&self) -> u64 {
        if self.is_quick { GIB } else { 10 * GIB }
    }

    fn pick(&self, full: u64, quick: u64) -> u64 {
        if self.is_quick { quick } else { full }
    }
}

impl Case {
    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether this server can do it.
    pub fn concerns(self, kind: Kind) -> bool {
        match self {
            Self::SyncRate => false,
            Self::Complete | Self::ManyFiles => kind == Kind::Bailee,
            _ => true,
        }
    }

    /// Runs of this case. Some measure a state rather than a rate, and cost minutes.
    pub fn runs(self, scale: &Scale) -> u32 {
        match self {
            Self::Complete | Self::ManyFiles => 1,
            _ => scale.runs,
        }
    }

    /// Whether it sends files. The others read what is in memory.
    pub fn is_write(self, scale: &Scale) -> bool {
        self.plan(scale)
            .is_some_and(|plan| plan.action == Action::Put)
    }

    /// What the load generator does, for the cases that are made of requests.
    pub fn plan(self, scale: &Scale) -> Option<Plan> {
        let large = scale.pick(GIB, 256 * MIB);
        let (action, size_bytes, count, connections, names) = match self {
            Self::PutLarge => (Action::Put, large, 1, 1, 1),
            Self::GetLarge => (Action::Get, large, 3, 1, 1),
            Self::PutMany => (Action::Put, scale.pick(64 * MIB, 8 * MIB), 64, 64, 64),
            Self::PutSmall => {
                let count = scale.pick(20_000, 4_000);
                (Action::Put, 4 * KIB, count, 32, count)
            }
            Self::PutSmallAlone => {
                let count = scale.pick(4_000, 800);
                (Action::Put, 4 * KIB, count, 1, count)
            }
            Self::GetSmall => (
                Action::Get,
                4 * KIB,
                scale.pick(100_000, 12_000),
                32,
                READ_NAMES,
            ),
            Self::NewConnections => {
                let count = scale.pick(8_000, 1_600);
                (Action::ConnectAndGet, KIB, count, 8, READ_NAMES)
            }
            Self::SyncRate | Self::Idle | Self::Complete | Self::ManyFiles => return None,
        };
        Some(Plan {
            action,
            size_bytes,
            count,
            connections,
            prefix: self.name(),
            names,
        })
    }
}

/// Files that small reads take in turn.
const READ_NAMES: u64 = 100;

/// Writes out what the last run left, so that the next one does not pay for it.
pub fn settle(folder: &Path) -> Result<()> {
    rustix::fs::syncfs(File::open(folder)?)?;
    Ok(())
}

/// Gives back the memory in which the kernel keeps the large files below `folder`. Memory that a virtual machine uses for the
/// first time costs several times as much as memory used again, so that of two equal runs the second would look slower.
pub fn forget(folder: &Path) -> Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // Servers go on meanwhile: what has gone since it was listed needs no forgetting.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else if metadata.is_file()
                && metadata.len() >= MIB
                && let Ok(file) = File::open(entry.path())
            {
                rustix::fs::fadvise(file, 0, None, Advice::DontNeed)?;
            }
        }
    }
    Ok(())
}
