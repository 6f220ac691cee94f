use std::time::Duration;

use bailee_client::model::{OnConflict, Same, Timestamp, Verify};
use clap::{Args, Subcommand};

use crate::place::Place;

/// `bailee transfer …`
#[derive(Debug, Subcommand)]
pub enum TransferCommand {
    /// Have the server move files
    #[command(
        after_help = "Examples:\n  bailee transfer create :/inbox/report.csv bank:/in/ --watch\n  bailee transfer create bank:/out/ :/received/ --include '*.csv'"
    )]
    Create(TransferCreateArgs),
    /// Show one transfer
    Get(TransferArgs),
    /// List the files of a transfer with what became of each
    Files(TransferFilesArgs),
    /// Follow a transfer to its end
    Watch(TransferWatchArgs),
    /// End a transfer
    Cancel(TransferArgs),
    /// Hold a transfer
    Pause(TransferArgs),
    /// Let a held transfer go on
    Resume(TransferArgs),
    /// Change label, deadline or priority of a transfer that has not ended
    Set(TransferSetArgs),
    /// List transfers, newest first
    List(TransferListArgs),
    /// Submit a failed transfer again
    Retry(TransferRetryArgs),
}

/// Arguments of `transfer create`.
#[derive(Debug, Args)]
pub struct TransferCreateArgs {
    /// Sources, then the destination: :/path, fil_… (source only) or remote:/path; a trailing slash names a folder
    #[arg(value_name = "SRC… DST", num_args = 2.., required_unless_present = "from")]
    pub ends: Vec<Place>,
    /// Source, if not given by its place
    #[arg(long, value_name = "END", requires = "to", conflicts_with = "ends")]
    pub from: Option<Place>,
    /// Destination, if not given by its place
    #[arg(long, value_name = "END", requires = "from")]
    pub to: Option<Place>,
    /// Only files that match: *.csv (names) or 2026/**/*.csv (paths below the source folder); may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub include: Vec<String>,
    /// No files that match; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Name to find it by
    #[arg(long)]
    pub label: Option<String>,
    /// What to do when the destination is occupied: fail, replace, rename or skip
    #[arg(long, value_name = "WORD", value_parser = word::<OnConflict>)]
    pub on_conflict: Option<OnConflict>,
    /// How the copy is compared with the source: hash, size or none
    #[arg(long, value_name = "WORD", value_parser = word::<Verify>)]
    pub verify: Option<Verify>,
    /// Tries in all
    #[arg(long, value_name = "N")]
    pub attempts: Option<u32>,
    /// Leave alone what is the same at the destination: exists, size, mtime or hash
    #[arg(long, value_name = "WORD", value_parser = word::<Same>)]
    pub sync: Option<Same>,
    /// Remove each source once its copy is proven; what changed meanwhile stays
    #[arg(long)]
    pub delete_source: bool,
    /// Give the copies the times of their sources, where the destination can keep them
    #[arg(long)]
    pub preserve_time: bool,
    /// Bytes per second at most
    #[arg(long, value_name = "BYTES")]
    pub bandwidth: Option<u64>,
    /// Give up at this time, such as 2026-12-24T18:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub deadline: Option<Timestamp>,
    /// Only show what would be moved; nothing is made
    #[arg(long, conflicts_with = "watch")]
    pub dry_run: bool,
    /// Tell the owner when it ends
    #[arg(long)]
    pub notify: bool,
    /// Follow it to its end
    #[arg(long)]
    pub watch: bool,
    /// Stop watching after so long (90s, 10m, 2h); the transfer goes on and the exit code is 8
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "watch")]
    pub timeout: Option<Duration>,
}

/// One transfer.
#[derive(Debug, Args)]
pub struct TransferArgs {
    /// xfr_…
    pub transfer_id: String,
}

/// Arguments of `transfer files`.
#[derive(Debug, Args)]
pub struct TransferFilesArgs {
    /// xfr_…
    pub transfer_id: String,
    /// queued, running, paused, completed or failed
    #[arg(long)]
    pub state: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 1000)]
    pub limit: usize,
}

/// Arguments of `transfer set`.
#[derive(Debug, Args)]
pub struct TransferSetArgs {
    /// xfr_…
    pub transfer_id: String,
    /// Name to find it by
    #[arg(long)]
    pub label: Option<String>,
    /// Give up at this time, such as 2026-12-24T18:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub deadline: Option<Timestamp>,
    /// Lower runs first
    #[arg(long, allow_negative_numbers = true)]
    pub priority: Option<i32>,
}

/// Arguments of `transfer retry`.
#[derive(Debug, Args)]
pub struct TransferRetryArgs {
    /// xfr_…
    pub transfer_id: String,
    /// Only the files that failed
    #[arg(long)]
    pub failed: bool,
}

/// Arguments of `transfer watch`.
#[derive(Debug, Args)]
pub struct TransferWatchArgs {
    /// xfr_…
    pub transfer_id: String,
    /// Stop watching after so long (90s, 10m, 2h); the transfer goes on and the exit code is 8
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
}

/// Arguments of `transfer list`.
#[derive(Debug, Args)]
pub struct TransferListArgs {
    /// queued, running, paused, completed or failed
    #[arg(long)]
    pub state: Option<String>,
    /// Label given at creation
    #[arg(long)]
    pub label: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// Reads `90s`, `10m`, `2h` or plain seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (text.get(..at), 1),
        Some((at, 'm')) => (text.get(..at), 60),
        Some((at, 'h')) => (text.get(..at), 3600),
        _ => (Some(text), 1),
    };
    number
        .and_then(|number| number.parse::<u64>().ok())
        .and_then(|number| number.checked_mul(unit))
        .map(Duration::from_secs)
        .ok_or_else(|| "a time looks like 90s, 10m or 2h".to_owned())
}

/// Reads RFC 3339.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "a time looks like 2026-12-24T18:00:00Z".to_owned())
}

/// Reads one word of a closed set.
pub(crate) fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Ok(Duration::from_hours(2)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        for wrong in ["", "s", "-1s", "1d", "1.5h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(word::<OnConflict>("replace"), Ok(OnConflict::Replace));
        assert!(word::<OnConflict>("perhaps").is_err());
    }
}
