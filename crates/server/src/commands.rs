//! The commands that act on this machine's installation: `serve`, `migrate`, `vault scrub`, `operator key`,
//! `config show|check`.

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Subcommand;

use crate::dev::{self, DevInfo};
use crate::log::{self, LogFormat};
use crate::open::{self, Migrate, Mode};
use crate::serve::{ServeArgs, serve};
use crate::tls;

/// Local commands.
#[derive(Debug, Subcommand)]
pub enum LocalCommand {
    /// Start the server
    Serve(ServeArgs),
    /// Bring the database's schema up to date
    Migrate(PlaceArgs),
    /// Look after the sealed bytes
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Look after the installation's operator
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Look at the settings
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// `bailee operator …`
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Make another API key of the operator and print it (the server must be stopped with SQLite)
    Key(PlaceArgs),
}

/// `bailee vault …`
#[derive(Debug, Subcommand)]
pub enum VaultCommand {
    /// Open every segment of every blob and report what is damaged (the server must be stopped with SQLite)
    Scrub(PlaceArgs),
}

/// `bailee config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting
    Show {
        /// Where the settings come from
        #[command(flatten)]
        place: PlaceArgs,
        /// Print where each value comes from, too
        #[arg(long)]
        origin: bool,
    },
    /// Say whether the settings can be read
    Check(PlaceArgs),
}

/// Which installation is meant.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PlaceArgs {
    /// Folder of everything that the server keeps
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Settings file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One setting: section.key=value
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

impl PlaceArgs {
    fn into_serve(self) -> ServeArgs {
        ServeArgs {
            dev: false,
            data: self.data,
            listen: None,
            config: self.config,
            set: self.set,
            migrate: false,
        }
    }
}

/// Runs a local command. `on_dev` is called once a development server is ready.
pub fn run(command: LocalCommand, on_dev: impl FnOnce(&DevInfo)) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match command {
            LocalCommand::Serve(args) => {
                serve(args, |info| {
                    println!("{}", dev::welcome(info));
                    on_dev(info);
                })
                .await
            }
            LocalCommand::Migrate(place) => migrate(place).await,
            LocalCommand::Vault(VaultCommand::Scrub(place)) => scrub(place).await,
            LocalCommand::Operator(OperatorCommand::Key(place)) => operator_key(place).await,
            LocalCommand::Config(ConfigCommand::Show { place, origin }) => show(place, origin),
            LocalCommand::Config(ConfigCommand::Check(place)) => {
                place.into_serve().load()?;
                println!("ok");
                Ok(())
            }
        }
    })
}

async fn migrate(place: PlaceArgs) -> Result<()> {
    tls::install_crypto();
    let config = place.into_serve().load()?.config;
    let _log = log::install("warn", LogFormat::Text)?;
    open::folder(&config.data.path)?;
    let (db, _) = open::database(&config, Migrate::Yes).await?;
    println!("the schema is at version {}", db.schema_version().await?);
    db.close().await;
    Ok(())
}

async fn scrub(place: PlaceArgs) -> Result<()> {
    tls::install_crypto();
    let config = place.into_serve().load()?.config;
    let _log = log::install("warn", LogFormat::Text)?;
    let database = open::database(&config, Migrate::No).await?;
    let core = open::core(&config, database, Mode::Production).await?;
    let report = core.upkeep().scrub().await;
    core.close().await;
    let report = report?;
    println!(
        "{} blobs with {} bytes opened, {} waiting to be swept",
        report.blobs, report.bytes, report.unnamed
    );
    for (blob, reason) in &report.damaged {
        println!("damaged: {blob}: {reason}");
    }
    if report.damaged.is_empty() {
        Ok(())
    } else {
        bail!("{} blobs are damaged", report.damaged.len())
    }
}

/// The key alone goes to stdout, so that it can be piped to where it is kept.
async fn operator_key(place: PlaceArgs) -> Result<()> {
    tls::install_crypto();
    let config = place.into_serve().load()?.config;
    let _log = log::install("warn", LogFormat::Text)?;
    let database = open::database(&config, Migrate::No).await?;
    let core = open::core(&config, database, Mode::Production).await?;
    let made = core.another_operator_key().await;
    core.close().await;
    print(&format!("{}\n", made?.reveal()))
}

fn show(place: PlaceArgs, origin: bool) -> Result<()> {
    use std::fmt::Write as _;
    let mut text = String::new();
    for line in place.into_serve().load()?.values() {
        let done = if origin {
            writeln!(text, "{} = {}  # {}", line.key, line.value, line.origin)
        } else {
            writeln!(text, "{} = {}", line.key, line.value)
        };
        done?;
    }
    print(&text)
}

/// Writes to stdout. Whoever reads may have enough before the end, as `head` does.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
