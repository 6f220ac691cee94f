//! The command line as a tree of types. What a flag means is said here once; help and reference are made from it.

mod admin;
mod alert;
mod channel;
mod files;
mod flow;
mod moving;
mod pgp_key;
mod remote;
mod secret;
mod site;
mod time;

pub use admin::*;
pub use alert::*;
pub use channel::*;
pub use files::*;
pub use flow::*;
pub use moving::*;
pub use pgp_key::*;
pub use remote::*;
pub use secret::*;
pub use site::*;
pub use time::*;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The client commands of `bailee`.
#[derive(Debug, Parser)]
#[command(
    name = "bailee",
    version,
    about = "Move files, and prove it",
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Clone, Debug, Default, Args)]
pub struct Global {
    /// Profile to use instead of the current one
    #[arg(
        long,
        global = true,
        env = "BAILEE_PROFILE",
        value_name = "NAME",
        help_heading = "Global options"
    )]
    pub profile: Option<String>,
    /// Server to speak to, https only; a profile's API key is sent to the profile's own server alone
    #[arg(long, global = true, env = bailee_client::ENV_URL, value_name = "URL", help_heading = "Global options")]
    pub url: Option<String>,
    /// PEM file of the certificate authorities to trust instead of the system's
    #[arg(long, global = true, env = bailee_client::ENV_CA_FILE, value_name = "FILE", help_heading = "Global options")]
    pub ca_file: Option<PathBuf>,
    /// How results are printed on stdout
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        help_heading = "Global options"
    )]
    pub output: Format,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub quiet: bool,
    /// Answer every question with yes
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub yes: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    #[default]
    Table,
    /// One JSON document
    Json,
    /// One JSON document a line
    Jsonl,
    /// Only what names each thing, one a line
    Name,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Copy files to, from and within Bailee
    #[command(after_help = CP_EXAMPLES)]
    Cp(CpArgs),
    /// List a folder
    Ls(LsArgs),
    /// Show the facts about a file or folder
    Stat(PathArgs),
    /// Make a folder, with parents
    Mkdir(PathArgs),
    /// Move or rename a file or folder within Bailee
    Mv(MvArgs),
    /// Delete files or folders
    Rm(RmArgs),
    /// Write a file's bytes to stdout
    Cat(PathArgs),
    /// Compare a local file with one in Bailee by SHA-256
    Verify(VerifyArgs),
    /// Signed proofs of what was handed over
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Transfers that the server carries out
    #[command(subcommand)]
    Transfer(TransferCommand),
    /// Far systems
    #[command(subcommand)]
    Remote(RemoteCommand),
    /// What the server does by itself, and when
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Which days are worked on
    #[command(subcommand)]
    Calendar(CalendarCommand),
    /// What needs attention
    #[command(subcommand)]
    Alert(AlertCommand),
    /// What raises alerts
    #[command(subcommand)]
    AlertRule(AlertRuleCommand),
    /// Secrets that remotes refer to
    #[command(subcommand)]
    Secret(SecretCommand),
    /// OpenPGP keys, partners' and own
    #[command(subcommand)]
    PgpKey(PgpKeyCommand),
    /// Folders whose files are handed on to many
    #[command(subcommand)]
    Channel(ChannelCommand),
    /// What happens to files, when, and in whose name
    #[command(subcommand)]
    Flow(FlowCommand),
    /// Receivers of events
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// API keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Show whose credential this is
    Whoami,
    /// Servers this machine knows
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Who did what
    #[command(subcommand)]
    Audit(AuditCommand),
    /// What happens
    #[command(subcommand)]
    Event(EventCommand),
    /// Tell what is configured as a site file
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Show where the server differs from site files; exit code 2 if it does
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(DiffArgs),
    /// Make the server as site files say
    #[command(after_help = APPLY_EXAMPLES)]
    Apply(ApplyArgs),
    /// Send any call of the API
    #[command(after_help = API_EXAMPLES)]
    Api(ApiArgs),
    /// Print the completion script of a shell
    Completion(CompletionArgs),
    /// Print the version
    Version,
}

const CP_EXAMPLES: &str = "\
Paths: `:/inbox/a.csv` and `bailee:/inbox/a.csv` are in Bailee, `./a.csv` and `/tmp/a.csv` on this machine, `-` is stdin
or stdout. What a Ctrl-C interrupts goes on where it was when the same command is given again.

Examples:
  bailee cp report.csv :/inbox/
  bailee cp -r ./2026 :/archive/
  bailee cp :/inbox/report.csv .
  tar c . | bailee cp - :/backup/home.tar";

const EXPORT_EXAMPLES: &str = "\
Secrets are not told: in their place stand names for the environment.

Examples:
  bailee export > site.yaml
  bailee export --kind remotes --kind webhooks
  bailee export --folder site/";

const DIFF_EXAMPLES: &str = "\
Examples:
  bailee diff -f site.yaml
  bailee diff -f site/ --prune -o json";

const APPLY_EXAMPLES: &str = "\
What the files do not name stays, unless --prune is given; kinds that they do not name stay in any case.

Examples:
  bailee apply -f site.yaml
  bailee apply -f site/ --prune --yes --secrets-to ./made";

const API_EXAMPLES: &str = "\
Examples:
  bailee api GET /transfers -f state=failed --paginate
  bailee api POST /folders --data '{\"path\":\"/inbox\"}'";

/// Arguments of `completion`.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// Which shell
    pub shell: clap_complete::Shell,
}

/// Arguments of `api`.
#[derive(Debug, Args)]
pub struct ApiArgs {
    /// GET, POST, PUT, PATCH or DELETE
    pub method: String,
    /// Path below /v1, such as /transfers
    pub path: String,
    /// Query parameter; may be repeated
    #[arg(short, long = "field", value_name = "NAME=VALUE", value_parser = pair)]
    pub fields: Vec<(String, String)>,
    /// JSON body; - reads it from stdin
    #[arg(long, value_name = "JSON")]
    pub data: Option<String>,
    /// Follow next_cursor through all pages, one item a line
    #[arg(long)]
    pub paginate: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("looks like name=value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn fields_are_pairs() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(pair("a").is_err() && pair("=b").is_err());
    }
}
