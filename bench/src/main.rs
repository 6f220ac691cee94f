//! `bailee-bench`: measures Bailee beside the least that any durable server must do, in one run on one machine.
//!
//! Figures of different runs or machines say nothing about each other, so the report's word is the ratio.
//! `bench/README.md` tells what each row means.

mod cases;
mod floor;
mod load;
mod numbers;
mod process;
mod rates;
mod report;
mod servers;
mod suite;
mod tls;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

use cases::{Case, Scale};
use servers::{Kind, Programs};

/// Measures Bailee beside the floor and, where it is installed, nginx.
#[derive(Debug, Parser)]
#[command(name = "bailee-bench")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Other>,
    /// Smaller sizes and one run of each case
    #[arg(long)]
    quick: bool,
    /// Only this case; may be repeated
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<Case>,
    /// Only these servers
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    servers: Vec<Kind>,
    /// Runs of each case (default 3, quick 1)
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=99))]
    runs: Option<u32>,
    /// Files of the case `many_files` (default 100000, quick 2000)
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    files: Option<u64>,
    /// Name of the result files (default: the date)
    #[arg(long)]
    label: Option<String>,
    /// Folder on the disk to be measured; a folder is made in it and removed (default: beside the build)
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Folder of the result files
    #[arg(long, default_value = "bench/results", value_name = "FOLDER")]
    results: PathBuf,
    /// The release build of Bailee (default: beside this program)
    #[arg(long, env = "BAILEE_BIN", value_name = "FILE")]
    bailee: Option<PathBuf>,
    /// nginx, left out when it is not there
    #[arg(long, default_value = "/usr/sbin/nginx", value_name = "FILE")]
    nginx: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// Serves as the floor until the standard input ends
    #[command(hide = true)]
    Floor {
        /// Folder for everything it keeps
        #[arg(long)]
        data: PathBuf,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(Other::Floor { data }) = &arguments.command {
        return floor::serve(data);
    }
    let own = std::env::current_exe()?;
    let beside = own.parent().context("no folder of this program")?;
    let label = arguments.label.clone().unwrap_or_else(today);
    let programs = Programs {
        bailee: arguments
            .bailee
            .clone()
            .unwrap_or_else(|| beside.join("bailee")),
        nginx: arguments.nginx.clone(),
    };
    let plan = suite::Suite {
        scale: scale(&arguments),
        cases: arguments.cases.clone(),
        kinds: kinds(&arguments.servers, &programs)?,
        programs,
        label,
    };
    let place = arguments.data.as_deref().unwrap_or(beside);
    let folder = tempfile::Builder::new()
        .prefix("bailee-bench-")
        .tempdir_in(place.canonicalize()?)?;
    check_room(folder.path(), plan.scale.room_bytes())?;
    let report = plan.run(folder.path())?;
    println!("{}", report.markdown());
    eprintln!("written to {}", report.write(&arguments.results)?.display());
    if !report.failures.is_empty() {
        bail!("{} measurements failed", report.failures.len());
    }
    Ok(())
}

fn scale(arguments: &Arguments) -> Scale {
    let (runs, files) = if arguments.quick {
        (1, 2_000)
    } else {
        (3, 100_000)
    };
    Scale {
        is_quick: arguments.quick,
        runs: arguments.runs.unwrap_or(runs),
        files: arguments.files.unwrap_or(files),
    }
}

/// The servers that were asked for, or all that are there. Bailee may not be left out by accident.
fn kinds(asked: &[Kind], programs: &Programs) -> Result<Vec<Kind>> {
    let mut kinds = asked.to_vec();
    if kinds.is_empty() {
        kinds = vec![Kind::Floor, Kind::Bailee];
        if programs.nginx.exists() {
            kinds.push(Kind::Nginx);
        }
    }
    if kinds.contains(&Kind::Bailee) && !programs.bailee.exists() {
        bail!(
            "{} is not there: build it with `cargo build --release -p bailee`, or measure the others with --servers",
            programs.bailee.display()
        );
    }
    Ok(kinds)
}

fn check_room(folder: &Path, needed_bytes: u64) -> Result<()> {
    let disk = rustix::fs::statvfs(folder)?;
    let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free_bytes < needed_bytes {
        bail!(
            "{} MiB are free and {} may be needed: free some, name another disk with --data, or use --quick",
            free_bytes >> 20,
            needed_bytes >> 20
        );
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a report carries the day it was made; nothing is decided by it"
)]
fn today() -> String {
    jiff::Zoned::now().date().to_string()
}
