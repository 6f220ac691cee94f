//! The client commands of `bailee`.
//!
//! They speak only the public API, through the SDK. Data goes to stdout and talk to stderr, exit codes are a contract
//! ([`exit`]), a question is never asked where nobody can answer, and no secret is taken from or shown on the command
//! line except one that was just made.
#![warn(missing_docs)]

pub mod args;
mod bars;
mod clock;
mod commands;
mod failure;
mod output;
mod place;
mod profile;
mod reference;
mod session;
mod site;

use std::process::ExitCode;

use clap::CommandFactory as _;

pub use args::Cli;
pub use failure::{Failure, exit};
pub use place::Place;
pub use profile::{Environment, Profile, save_profile};

/// The tree of the client commands.
pub fn command() -> clap::Command {
    Cli::command()
}

/// The reference page `docs/reference/cli.md` for a tree.
pub fn reference(tree: clap::Command) -> String {
    reference::page(tree)
}

/// Carries one command out and says how it went. `tree` is the whole tree of the program, for completion scripts.
pub fn run(cli: Cli, tree: clap::Command) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return end(Err(Failure::Other(format!("cannot start: {error}")))),
    };
    let result = runtime.block_on(interruptible(cli, tree));
    // A thread may still wait for stdin; nobody waits for it.
    runtime.shutdown_background();
    end(result)
}

async fn interruptible(cli: Cli, tree: clap::Command) -> Result<(), Failure> {
    let hint =
        matches!(cli.command, args::Command::Cp(_)).then(|| commands::RESUME_HINT.to_owned());
    let session = session::Session::new(cli.global);
    tokio::select! {
        result = commands::run(&session, cli.command, tree) => result,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted { hint }),
    }
}

fn end(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Local { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{}", failure.lines());
            ExitCode::from(failure.exit_code())
        }
    }
}
