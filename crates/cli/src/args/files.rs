use std::path::PathBuf;

use clap::Args;

use crate::place::Place;

/// Arguments of `cp`.
#[derive(Debug, Args)]
pub struct CpArgs {
    /// Sources, then the destination
    #[arg(required = true, num_args = 2.., value_name = "SRC... DST")]
    pub paths: Vec<Place>,
    /// Copy folders with all they hold; symbolic links are passed over
    #[arg(short, long)]
    pub recursive: bool,
    /// Replace files at the destination
    #[arg(long)]
    pub overwrite: bool,
    /// Files under way at once
    #[arg(short, long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// Parts of one large upload under way at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=16))]
    pub parts: u16,
    /// Begin anew instead of going on with an interrupted upload
    #[arg(long)]
    pub no_resume: bool,
}

/// Arguments of `ls`.
#[derive(Debug, Args)]
pub struct LsArgs {
    /// Folder in Bailee
    #[arg(default_value = ":/")]
    pub path: Place,
    /// Files in all folders below, too
    #[arg(short, long)]
    pub recursive: bool,
}

/// One path in Bailee.
#[derive(Debug, Args)]
pub struct PathArgs {
    /// Path in Bailee, such as :/inbox/report.csv
    pub path: Place,
}

/// Arguments of `mv`.
#[derive(Debug, Args)]
pub struct MvArgs {
    /// What moves
    pub source: Place,
    /// Where to; a trailing slash means into this folder
    pub destination: Place,
}

/// Arguments of `rm`.
#[derive(Debug, Args)]
pub struct RmArgs {
    /// What to delete
    #[arg(required = true)]
    pub paths: Vec<Place>,
    /// Folders with all they hold; asks first
    #[arg(short, long)]
    pub recursive: bool,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// File on this machine
    pub local: PathBuf,
    /// File in Bailee
    pub remote: Place,
}
