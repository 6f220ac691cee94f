use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `bailee secret …`
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Keep a secret, or a reference to one; another of the name is replaced
    #[command(
        after_help = "Examples:\n  bailee secret set bank-password --value-file -\n  bailee secret set bank-password --env BANK_PASSWORD\n  bailee secret set bank-password --file /run/secrets/bank\n  bailee secret set bank-password --json ./vault.json     (a body of POST /secrets)"
    )]
    Set(SecretSetArgs),
    /// List secrets, without their values
    List,
    /// Remove a secret that no remote refers to
    #[command(visible_alias = "delete")]
    Rm(SecretArgs),
}

/// Arguments of `secret set`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct SecretSetArgs {
    /// Its name
    pub name: String,
    /// How it is given.
    #[command(flatten)]
    pub source: SecretSourceArgs,
}

/// Where a secret's value is; one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct SecretSourceArgs {
    /// File of this machine with the value; - is stdin
    #[arg(long, value_name = "FILE")]
    pub value_file: Option<PathBuf>,
    /// Variable of the server's environment
    #[arg(long, value_name = "VARIABLE")]
    pub env: Option<String>,
    /// File of the server's machine
    #[arg(long, value_name = "PATH")]
    pub file: Option<String>,
    /// File of this machine with a body of POST /secrets, for stores elsewhere; - is stdin
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// One secret.
#[derive(Debug, Args)]
pub struct SecretArgs {
    /// Name or sec_…
    pub secret: String,
}
