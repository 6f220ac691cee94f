use bailee_client::model::Timestamp;
use clap::{Args, Subcommand};

use super::time;

/// `bailee channel …`
#[derive(Debug, Subcommand)]
pub enum ChannelCommand {
    /// Make a channel of a folder
    Create(ChannelCreateArgs),
    /// List channels
    List,
    /// Show one channel
    #[command(visible_alias = "show")]
    Get(ChannelArgs),
    /// Hold back what arrives, for all subscribers or for one
    Pause(ChannelPauseArgs),
    /// Let go on what was held back
    Resume(ChannelPauseArgs),
    /// Remove a channel with its subscribers
    Rm(ChannelArgs),
    /// Add a subscriber
    #[command(
        after_help = "Examples:\n  bailee channel subscribe prices bank --to bank:/in/prices/\n  bailee channel subscribe prices copy --to :/partners/prices/ --include '*.csv'\n  bailee channel subscribe prices hook --webhook whk_01m7yp4nesedqrb018tr4sjm6r"
    )]
    Subscribe(ChannelSubscribeArgs),
    /// List the subscribers of a channel
    Subscribers(ChannelArgs),
    /// Show one subscriber, and how its files stand
    Subscriber(SubscriberArgs),
    /// List the files of a subscriber and how each fares
    Files(SubscriberFilesArgs),
    /// Hand files on to one subscriber once more
    Replay(ChannelReplayArgs),
    /// Remove a subscriber
    Unsubscribe(SubscriberArgs),
}

/// Arguments of `channel create`.
#[derive(Debug, Args)]
pub struct ChannelCreateArgs {
    /// Name to know it by
    pub name: String,
    /// Folder whose files are handed on, such as /out/prices
    pub folder: String,
    /// Only files that this pattern means; may be given again
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<String>,
    /// No files that this pattern means; may be given again
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
}

/// One channel.
#[derive(Debug, Args)]
pub struct ChannelArgs {
    /// Name or chn_…
    pub channel: String,
}

/// A channel, or one of its subscribers.
#[derive(Debug, Args)]
pub struct ChannelPauseArgs {
    /// Name or chn_…
    pub channel: String,
    /// Name or sbs_… of a subscriber; all if left out
    pub subscriber: Option<String>,
}

/// One subscriber.
#[derive(Debug, Args)]
pub struct SubscriberArgs {
    /// Name or chn_…
    pub channel: String,
    /// Name or sbs_…
    pub subscriber: String,
}

/// Arguments of `channel subscribe`.
#[derive(Debug, Args)]
pub struct ChannelSubscribeArgs {
    /// Name or chn_…
    pub channel: String,
    /// Name to know the subscriber by
    pub name: String,
    /// Folder its files go into: bank:/in/ or :/partners/bank/
    #[arg(long, value_name = "FOLDER", required_unless_present = "webhook")]
    pub to: Option<String>,
    /// Webhook that is told of each file instead
    #[arg(long, value_name = "ID", conflicts_with = "to")]
    pub webhook: Option<String>,
    /// Only files that this pattern means; may be given again
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<String>,
    /// No files that this pattern means; may be given again
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Where a destination is occupied: replace, fail, rename or skip
    #[arg(long, value_name = "WAY")]
    pub on_conflict: Option<String>,
}

/// Arguments of `channel files`.
#[derive(Debug, Args)]
pub struct SubscriberFilesArgs {
    /// Name or chn_…
    pub channel: String,
    /// Name or sbs_…
    pub subscriber: String,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// Arguments of `channel replay`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct ChannelReplayArgs {
    /// Name or chn_…
    pub channel: String,
    /// Name or sbs_…
    pub subscriber: String,
    /// Which files.
    #[command(flatten)]
    pub which: ReplayWhich,
}

/// Which files are handed on once more.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct ReplayWhich {
    /// One version, fil_…
    #[arg(long, value_name = "ID")]
    pub file: Option<String>,
    /// Those that arrived at or after a time, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<Timestamp>,
    /// Those that did not arrive
    #[arg(long)]
    pub failed: bool,
    /// All
    #[arg(long)]
    pub all: bool,
}
