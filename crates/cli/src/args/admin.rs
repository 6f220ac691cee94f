use std::path::PathBuf;

use bailee_client::model::Timestamp;
use clap::{Args, Subcommand};

use super::time;

/// `bailee webhook …`
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Register a receiver; prints its secret once
    Create(WebhookCreateArgs),
    /// List webhooks
    List,
    /// List deliveries, newest first
    Deliveries(DeliveriesArgs),
    /// Remove a webhook
    Rm(WebhookArgs),
    /// Send an example event
    Test(WebhookTestArgs),
    /// Show how the receiver did in the last 24 hours
    Stats(WebhookArgs),
    /// Hand over the events of a time that did not arrive
    Recover(WebhookRecoverArgs),
    /// Switch a webhook on again
    Enable(WebhookArgs),
    /// Make a second live secret; prints it once
    RotateSecret(RotateArgs),
    /// Forward events to a program on this machine, signed; needs no webhook and no open port
    Listen(ListenArgs),
}

/// Arguments of `webhook create`.
#[derive(Debug, Args)]
pub struct WebhookCreateArgs {
    /// Where events go, https only
    #[arg(value_name = "URL")]
    pub receiver: String,
    /// Event type, such as transfer.completed or transfer.*; may be repeated
    #[arg(long = "type", required = true, value_name = "TYPE")]
    pub types: Vec<String>,
    /// Only events about things below this path
    #[arg(long, value_name = "PATH")]
    pub path_prefix: Option<String>,
    /// Have bodies carry the whole file or transfer, not only ids and states
    #[arg(long)]
    pub full: bool,
    /// Leave the X-Signature header out
    #[arg(long)]
    pub no_body_hmac: bool,
}

/// One webhook.
#[derive(Debug, Args)]
pub struct WebhookArgs {
    /// whk_…
    pub webhook_id: String,
}

/// Arguments of `webhook test`.
#[derive(Debug, Args)]
pub struct WebhookTestArgs {
    /// whk_…
    pub webhook_id: String,
    /// Type of the example
    #[arg(long = "type", value_name = "TYPE")]
    pub event_type: Option<String>,
}

/// Arguments of `webhook recover`.
#[derive(Debug, Args)]
pub struct WebhookRecoverArgs {
    /// whk_…
    pub webhook_id: String,
    /// Events at or after this time, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Timestamp,
    /// Events before this time; now if left out
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Timestamp>,
}

/// Arguments of `webhook rotate-secret` and `key rotate`.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// whk_… or key_…
    pub id: String,
    /// Seconds for which the old secret stays good
    #[arg(long, value_name = "N")]
    pub grace_seconds: Option<u64>,
}

/// Arguments of `webhook deliveries`.
#[derive(Debug, Args)]
pub struct DeliveriesArgs {
    /// Only those to this webhook
    pub webhook_id: Option<String>,
    /// scheduled, running, succeeded, failed or abandoned
    #[arg(long)]
    pub state: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// Arguments of `webhook listen`.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// Address on this machine, such as http://127.0.0.1:9000/hook
    #[arg(long, value_name = "URL")]
    pub forward_to: String,
    /// Only events of this type; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Begin after this sequence instead of now
    #[arg(long, value_name = "N")]
    pub after: Option<u64>,
}

/// `bailee key …`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key; prints its text once
    Create(KeyCreateArgs),
    /// List keys
    List,
    /// Make a second live secret; prints it once
    Rotate(RotateArgs),
    /// End a key for ever
    Revoke(KeyArgs),
}

/// Arguments of `key create`.
#[derive(Debug, Args)]
pub struct KeyCreateArgs {
    /// Name to know it by
    pub name: String,
    /// What it may do at most, such as files:read; may be repeated
    #[arg(long = "scope", required = true, value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// Whose key it is (usr_… or svc_…), if not the caller's
    #[arg(long, value_name = "ID")]
    pub principal: Option<String>,
    /// Only paths below this one; may be repeated
    #[arg(long = "path-prefix", value_name = "PATH")]
    pub path_prefixes: Vec<String>,
    /// Only from this network, such as 10.0.0.0/8; may be repeated
    #[arg(long = "network", value_name = "CIDR")]
    pub networks: Vec<String>,
    /// End of its life, such as 2027-01-01T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub expires_at: Option<Timestamp>,
}

/// One key.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// key_…
    pub key_id: String,
}

/// `bailee profile …`
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// List the profiles of this machine
    List,
    /// Make a profile the current one
    Use(ProfileArgs),
    /// Add or replace a profile; the API key is read from stdin or a file
    Add(ProfileAddArgs),
    /// Forget a profile and its API key
    Rm(ProfileArgs),
}

/// One profile.
#[derive(Debug, Args)]
pub struct ProfileArgs {
    /// Name
    pub name: String,
}

/// Arguments of `profile add`. The address comes from `--url`, the authorities from `--ca-file`.
#[derive(Debug, Args)]
pub struct ProfileAddArgs {
    /// Name
    pub name: String,
    /// File with the API key; - reads it from stdin
    #[arg(long, value_name = "FILE")]
    pub api_key_file: PathBuf,
}

/// `bailee audit …`
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Find records, newest first
    Search(AuditSearchArgs),
    /// Have the server walk the whole chain now, or verify a receipt or an export on this machine, without a server
    #[command(
        after_help = "Examples:\n  bailee audit verify\n  bailee audit verify --receipt a.receipt.json --key \"$(cat bailee.key)\""
    )]
    Verify(AuditVerifyArgs),
    /// Show the public keys that verify checkpoints, receipts and exports
    Keys,
    /// Export the journal, oldest first
    #[command(
        after_help = "Examples:\n  bailee audit export --to journal.jsonl\n  bailee audit verify journal.jsonl --key bailee.key"
    )]
    Export(AuditExportArgs),
    /// Prove that a record is in the journal
    Proof(AuditProofArgs),
    /// Prove that the journal of one checkpoint continues that of another
    Consistency(AuditConsistencyArgs),
}

/// Arguments of `audit verify`.
#[derive(Debug, Args)]
pub struct AuditVerifyArgs {
    /// An export of the journal (JSON lines) to verify on this machine
    #[arg(value_name = "FILE", conflicts_with = "receipt")]
    pub export: Option<PathBuf>,
    /// A receipt to verify on this machine
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<PathBuf>,
    /// The public key that is trusted, or a file that holds it
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
}

/// Arguments of `audit export`.
#[derive(Debug, Args)]
pub struct AuditExportArgs {
    /// jsonl, which can be verified, or csv for spreadsheets
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    pub format: String,
    /// Only records behind this sequence
    #[arg(long, value_name = "N")]
    pub after: Option<u64>,
    /// Where to write it; stdout when absent
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

/// Arguments of `audit proof`.
#[derive(Debug, Args)]
pub struct AuditProofArgs {
    /// aud_…
    pub audit_id: String,
    /// Of the tree of the signed checkpoint of this size; else of the newest
    #[arg(long, value_name = "N")]
    pub tree_size: Option<u64>,
}

/// Arguments of `audit consistency`.
#[derive(Debug, Args)]
pub struct AuditConsistencyArgs {
    /// Size of the tree of the earlier checkpoint; else the oldest
    #[arg(long, value_name = "N")]
    pub from: Option<u64>,
    /// Size of the tree of the later one; else the newest
    #[arg(long, value_name = "N")]
    pub to: Option<u64>,
    /// The public key that is trusted, or a file that holds it: verifies the proof on this machine
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
}

/// `bailee receipt …`
#[derive(Debug, Subcommand)]
pub enum ReceiptCommand {
    /// Fetch the receipt of a transfer that arrived; of one of many files, each file has its own transfer id
    Get(ReceiptGetArgs),
    /// Verify a receipt on this machine, without a server
    #[command(
        after_help = "Examples:\n  bailee audit keys -o name > bailee.key\n  bailee receipt verify a.receipt.json --key bailee.key"
    )]
    Verify(ReceiptVerifyArgs),
}

/// Arguments of `receipt get`.
#[derive(Debug, Args)]
pub struct ReceiptGetArgs {
    /// xfr_…
    pub transfer_id: String,
    /// Where to write it; stdout when absent
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

/// Arguments of `receipt verify`.
#[derive(Debug, Args)]
pub struct ReceiptVerifyArgs {
    /// The receipt
    pub file: PathBuf,
    /// The public key that is trusted, or a file that holds it
    #[arg(long, value_name = "KEY")]
    pub key: String,
}

/// Arguments of `audit search`.
#[derive(Debug, Args)]
pub struct AuditSearchArgs {
    /// Operation, such as files.upload
    #[arg(long)]
    pub operation: Option<String>,
    /// Who, by label, such as svc:nightly
    #[arg(long)]
    pub user: Option<String>,
    /// success, denied or error
    #[arg(long)]
    pub status: Option<String>,
    /// About this transfer
    #[arg(long, value_name = "ID")]
    pub transfer: Option<String>,
    /// From this address
    #[arg(long, value_name = "ADDRESS")]
    pub ip_address: Option<String>,
    /// About things below this path
    #[arg(long, value_name = "PATH")]
    pub path_prefix: Option<String>,
    /// Not before
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub after: Option<Timestamp>,
    /// Before
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub before: Option<Timestamp>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// `bailee event …`
#[derive(Debug, Subcommand)]
pub enum EventCommand {
    /// List the newest events, or those behind a sequence, oldest first
    List(EventListArgs),
    /// Follow events as they happen
    Tail(EventTailArgs),
}

/// Arguments of `event list`.
#[derive(Debug, Args)]
pub struct EventListArgs {
    /// Only events about things below this path
    #[arg(long, value_name = "PATH")]
    pub path_prefix: Option<String>,
    /// Only events of this type; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Those behind this sequence instead of the newest
    #[arg(long, value_name = "N")]
    pub after: Option<u64>,
    /// At most so many, up to 500
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
}

/// Arguments of `event tail`.
#[derive(Debug, Args)]
pub struct EventTailArgs {
    /// Only events about things below this path
    #[arg(long, value_name = "PATH")]
    pub path_prefix: Option<String>,
    /// Only events of this type; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Begin after this sequence instead of with the newest ten
    #[arg(long, value_name = "N")]
    pub after: Option<u64>,
    /// End when there is nothing more, instead of waiting
    #[arg(long)]
    pub no_follow: bool,
}
