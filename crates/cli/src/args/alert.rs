use std::path::PathBuf;
use std::time::Duration;

use bailee_client::model::Timestamp;
use clap::{Args, Subcommand};

use super::{duration, time};

/// `bailee alert …`
#[derive(Debug, Subcommand)]
pub enum AlertCommand {
    /// List alerts, newest first; those that are not over unless a state is named
    List(AlertListArgs),
    /// Show one alert with its history
    #[command(visible_alias = "show")]
    Get(AlertArgs),
    /// Take an alert: it does not escalate any more
    Ack(AlertNoteArgs),
    /// Leave an alert alone for a time
    #[command(
        after_help = "Examples:\n  bailee alert snooze alr_… --for 2h\n  bailee alert snooze alr_… --until 2026-11-23T08:00:00Z --note 'partner is informed'"
    )]
    Snooze(AlertSnoozeArgs),
    /// End an alert
    Resolve(AlertNoteArgs),
}

/// Arguments of `alert list`.
#[derive(Debug, Args)]
pub struct AlertListArgs {
    /// firing, acknowledged, snoozed or resolved
    #[arg(long)]
    pub state: Option<String>,
    /// info, warning or critical
    #[arg(long)]
    pub severity: Option<String>,
    /// Rule that raised them, by name or id
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// One alert.
#[derive(Debug, Args)]
pub struct AlertArgs {
    /// alr_…
    pub alert_id: String,
}

/// One alert, and what is said about it.
#[derive(Debug, Args)]
pub struct AlertNoteArgs {
    /// alr_…
    pub alert_id: String,
    /// Why, in words
    #[arg(long)]
    pub note: Option<String>,
}

/// Arguments of `alert snooze`.
#[derive(Debug, Args)]
pub struct AlertSnoozeArgs {
    /// alr_…
    pub alert_id: String,
    /// For so long (90s, 10m, 2h)
    #[arg(long = "for", value_name = "TIME", value_parser = duration, required_unless_present = "until")]
    pub span: Option<Duration>,
    /// Until this time, such as 2026-12-24T18:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "span")]
    pub until: Option<Timestamp>,
    /// Why, in words
    #[arg(long)]
    pub note: Option<String>,
}

/// `bailee alert-rule …`
#[derive(Debug, Subcommand)]
pub enum AlertRuleCommand {
    /// Make an alert rule from JSON as for `POST /alert-rules`
    #[command(
        after_help = "Example:\n  echo '{\"name\": \"prices\", \"kind\": \"expected_file\", \"expected_file\": {\"folder\": \"/in/prices\", \"pattern\": \"*.csv\", \"opens\": \"02:00\", \"closes\": \"04:00\", \"time_zone\": \"Europe/Berlin\"}}' | bailee alert-rule add --file -"
    )]
    Add(AlertRuleFileArgs),
    /// Put another configuration in a rule's place
    Replace(AlertRuleReplaceArgs),
    /// List alert rules
    List,
    /// Show one alert rule
    #[command(visible_alias = "show")]
    Get(AlertRuleArgs),
    /// Remove an alert rule; what it raised is over with it
    Rm(AlertRuleArgs),
}

/// Arguments of `alert-rule add`.
#[derive(Debug, Args)]
pub struct AlertRuleFileArgs {
    /// JSON file as for POST /alert-rules; - is stdin
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
}

/// Arguments of `alert-rule replace`.
#[derive(Debug, Args)]
pub struct AlertRuleReplaceArgs {
    /// Name or arl_…
    pub rule: String,
    /// JSON file as for POST /alert-rules; - is stdin
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
}

/// One alert rule.
#[derive(Debug, Args)]
pub struct AlertRuleArgs {
    /// Name or arl_…
    pub rule: String,
}
