use std::path::PathBuf;

use bailee_client::api::{PgpAlgorithm, PgpUsage};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

/// `bailee pgp-key …`
#[derive(Debug, Subcommand)]
pub enum PgpKeyCommand {
    /// Import a key from a file, public or secret
    #[command(
        after_help = "Examples:\n  bailee pgp-key import partner partner.asc\n  gpg --export-secret-keys acme | bailee pgp-key import own - --passphrase-file ./passphrase"
    )]
    Import(PgpKeyImportArgs),
    /// Make a key whose secret part stays on the server
    #[command(
        after_help = "Examples:\n  bailee pgp-key generate own-2026 --user-id 'Acme Files <files@acme.example>' --valid-days 730"
    )]
    Generate(PgpKeyGenerateArgs),
    /// List keys
    List,
    /// Show one key
    #[command(visible_alias = "get")]
    Show(PgpKeyArgs),
    /// Print the public part of a key, armored
    Export(PgpKeyArgs),
    /// Change a key's name, usage or trust
    Set(PgpKeySetArgs),
    /// Take in a newer form of a key: extended, or revoked
    Refresh(PgpKeyRefreshArgs),
    /// Remove a key, with its secret part
    #[command(visible_alias = "rm")]
    Delete(PgpKeyArgs),
}

/// Arguments of `pgp-key import`.
#[derive(Debug, Args)]
pub struct PgpKeyImportArgs {
    /// Name, as flows use it
    pub name: String,
    /// The key's file, armored or binary; - is stdin
    pub file: PathBuf,
    /// File with what opens a secret key; - is stdin
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// What it may be used for; may be repeated; all that it can if left out
    #[arg(long, value_name = "USAGE", value_parser = PossibleValuesParser::new(PgpUsage::KNOWN))]
    pub usage: Vec<String>,
    /// Keep it, but let nothing use it yet
    #[arg(long)]
    pub untrusted: bool,
}

/// Arguments of `pgp-key generate`.
#[derive(Debug, Args)]
pub struct PgpKeyGenerateArgs {
    /// Name, as flows use it
    pub name: String,
    /// Whose it is, as partners see it
    #[arg(long, value_name = "NAME <ADDRESS>")]
    pub user_id: String,
    /// What it is made of
    #[arg(long, value_name = "ALGORITHM", value_parser = PossibleValuesParser::new(PgpAlgorithm::KNOWN))]
    pub algorithm: Option<String>,
    /// For how many days it is valid; for ever if left out
    #[arg(long, value_name = "N")]
    pub valid_days: Option<u32>,
    /// What it may be used for; may be repeated; both if left out
    #[arg(long, value_name = "USAGE", value_parser = PossibleValuesParser::new(PgpUsage::KNOWN))]
    pub usage: Vec<String>,
}

/// One key.
#[derive(Debug, Args)]
pub struct PgpKeyArgs {
    /// Name or pgp_…
    pub key: String,
}

/// Arguments of `pgp-key set`.
#[derive(Debug, Args)]
pub struct PgpKeySetArgs {
    /// Name or pgp_…
    pub key: String,
    /// New name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What it may be used for, all anew; may be repeated
    #[arg(long, value_name = "USAGE", value_parser = PossibleValuesParser::new(PgpUsage::KNOWN))]
    pub usage: Vec<String>,
    /// Let flows use it
    #[arg(long, conflicts_with = "untrust")]
    pub trust: bool,
    /// Let nothing use it
    #[arg(long)]
    pub untrust: bool,
}

/// Arguments of `pgp-key refresh`.
#[derive(Debug, Args)]
pub struct PgpKeyRefreshArgs {
    /// Name or pgp_…
    pub key: String,
    /// The newer form's file, armored or binary; - is stdin
    pub file: PathBuf,
    /// File with what opens a secret key; - is stdin
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}
