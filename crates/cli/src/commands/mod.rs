//! One file for each noun of the command line.

mod alert;
mod alert_rule;
mod api;
mod audit;
mod calendar;
mod channel;
mod copy;
mod copy_down;
mod copy_up;
mod event;
mod export;
mod file;
mod flow;
mod key;
mod listen;
mod pgp_key;
mod profile;
mod receipt;
mod remote;
mod schedule;
mod secret;
mod site;
mod transfer;
mod view;
mod webhook;

pub(crate) use copy::RESUME_HINT;

use bailee_client::Client;

use crate::args::{AuditCommand, Command, EventCommand, ReceiptCommand, WebhookCommand};
use crate::session::Session;
use crate::{Failure, output::View};

/// Carries a command out. `tree` is the whole tree, for completion scripts.
pub async fn run(session: &Session, command: Command, tree: clap::Command) -> Result<(), Failure> {
    match command {
        Command::Completion(args) => completion(args.shell, tree),
        Command::Version => version(session),
        Command::Profile(command) => profile::run(session, command),
        // What is verified here needs no server, and must not look for one.
        Command::Receipt(ReceiptCommand::Verify(args)) => {
            receipt::verify(session, &args.file, &args.key)
        }
        Command::Audit(AuditCommand::Verify(args)) if audit::is_offline(&args) => {
            audit::verify_here(session, args)
        }
        other => online(session, other).await,
    }
}

async fn online(session: &Session, command: Command) -> Result<(), Failure> {
    let client = session.client()?;
    match command {
        Command::Receipt(ReceiptCommand::Get(args)) => receipt::get(&client, args).await,
        Command::Cp(args) => copy::run(session, &client, args).await,
        Command::Ls(args) => file::ls(session, &client, args).await,
        Command::Stat(args) => file::stat(session, &client, args).await,
        Command::Mkdir(args) => file::mkdir(session, &client, args).await,
        Command::Mv(args) => file::mv(session, &client, args).await,
        Command::Rm(args) => file::rm(session, &client, args).await,
        Command::Cat(args) => file::cat(&client, args).await,
        Command::Verify(args) => file::verify(session, &client, args).await,
        Command::Transfer(command) => transfer::run(session, &client, command).await,
        Command::Remote(command) => remote::run(session, &client, command).await,
        Command::Schedule(command) => schedule::run(session, &client, command).await,
        Command::Calendar(command) => calendar::run(session, &client, command).await,
        Command::Alert(command) => alert::run(session, &client, command).await,
        Command::AlertRule(command) => alert_rule::run(session, &client, command).await,
        Command::Secret(command) => secret::run(session, &client, command).await,
        Command::PgpKey(command) => pgp_key::run(session, &client, command).await,
        Command::Channel(command) => channel::run(session, &client, command).await,
        Command::Flow(command) => flow::run(session, &client, command).await,
        Command::Webhook(WebhookCommand::Listen(args)) => listen::run(session, &client, args).await,
        Command::Webhook(command) => webhook::run(session, &client, command).await,
        Command::Key(command) => key::run(session, &client, command).await,
        Command::Whoami => whoami(session, &client).await,
        Command::Audit(command) => audit::run(session, &client, command).await,
        Command::Event(EventCommand::List(args)) => event::list(session, &client, args).await,
        Command::Event(EventCommand::Tail(args)) => event::tail(session, &client, args).await,
        Command::Export(args) => site::export(session, &client, args).await,
        Command::Diff(args) => site::diff(session, &client, args).await,
        Command::Apply(args) => site::apply(session, &client, args).await,
        Command::Api(args) => api::run(session, &client, args).await,
        Command::Completion(_)
        | Command::Version
        | Command::Profile(_)
        | Command::Receipt(ReceiptCommand::Verify(_)) => Ok(()),
    }
}

async fn whoami(session: &Session, client: &Client) -> Result<(), Failure> {
    session
        .output
        .one(&client.auth().validate().await?, view::IDENTITY)
}

fn completion(shell: clap_complete::Shell, mut tree: clap::Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut tree, "bailee", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script).map_err(Failure::local("write", "-"))
}

fn version(session: &Session) -> Result<(), Failure> {
    const VIEW: View = View {
        columns: &[],
        name: "version",
    };
    let version = env!("CARGO_PKG_VERSION");
    let facts = serde_json::json!({"name": "bailee", "version": version});
    session
        .output
        .line(&format!("bailee {version}"), &facts, VIEW)
}

/// Reads a body from a JSON file.
fn from_file<T: serde::de::DeserializeOwned>(path: &std::path::Path) -> Result<T, Failure> {
    let text = crate::session::read_text(path)?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(
            format!("{} cannot be used: {error}", path.display()),
            "The reference of the API shows what belongs there.",
        )
    })
}

/// Reads an id of the wanted kind.
fn id<T: std::str::FromStr<Err = bailee_client::model::IdError>>(text: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|error: bailee_client::model::IdError| {
            Failure::usage(
                format!("`{text}` is {error}"),
                format!("Ids of this kind begin with {}.", error.0),
            )
        })
}
