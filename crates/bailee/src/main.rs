//! One binary: the server's commands act on the configuration and data of this machine, all others are a client of a
//! server anywhere. This file only tells them apart.

mod generate;

use std::process::ExitCode;

use bailee_cli::{Environment, Profile};
use bailee_server::{DevInfo, LocalCommand};
use clap::{Arg, ArgMatches, Command, FromArgMatches as _, Subcommand as _};

const GENERATE: &str = "generate";
const OUT: &str = "out";
const DEV_PROFILE: &str = "dev";

fn main() -> ExitCode {
    let matches = match program().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return told(&error),
    };
    match matches.subcommand() {
        Some((GENERATE, arguments)) => generate(arguments),
        Some((name, _)) if LocalCommand::has_subcommand(name) => local(&matches),
        _ => client(&matches),
    }
}

/// All commands that people see: help, completion scripts and the reference page are made from it.
fn tree() -> Command {
    let client = bailee_cli::command();
    let about = client.get_about().cloned().unwrap_or_default();
    // Commands bring their enum's description along, which is not the program's.
    LocalCommand::augment_subcommands(client).about(about)
}

/// The tree and what only the build uses.
fn program() -> Command {
    tree().subcommand(
        Command::new(GENERATE)
            .hide(true)
            .about("Write the files that are made from the program")
            .arg(Arg::new(OUT).long(OUT).value_name("DIR").required(true)),
    )
}

fn local(matches: &ArgMatches) -> ExitCode {
    let command = match LocalCommand::from_arg_matches(matches) {
        Ok(command) => command,
        Err(error) => return told(&error),
    };
    match bailee_server::run(command, save_profile) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Lets the command line find a development server without being told where it is.
fn save_profile(info: &DevInfo) {
    let profile = Profile {
        url: info.url.clone(),
        ca_file: Some(info.ca_file.clone()),
    };
    match bailee_cli::save_profile(&Environment::read(), DEV_PROFILE, profile, &info.api_key) {
        Ok(()) => println!("Command-line profile `{DEV_PROFILE}` saved: try `bailee ls :/`\n"),
        Err(error) => eprintln!("The command-line profile could not be saved: {error}"),
    }
}

fn client(matches: &ArgMatches) -> ExitCode {
    match bailee_cli::Cli::from_arg_matches(matches) {
        Ok(cli) => bailee_cli::run(cli, tree()),
        Err(error) => told(&error),
    }
}

fn generate(arguments: &ArgMatches) -> ExitCode {
    let Some(out) = arguments.get_one::<String>(OUT) else {
        return ExitCode::from(bailee_cli::exit::USAGE);
    };
    match generate::write(out.as_ref(), tree()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Help and version go to stdout and are a success; wrong use goes to stderr.
fn told(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    match (error.use_stderr(), printed) {
        (false, Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::from(bailee_cli::exit::USAGE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_tree_is_sound() {
        program().debug_assert();
    }

    #[test]
    fn what_only_the_build_uses_is_not_shown() {
        let help = program().render_long_help().to_string();
        assert!(
            help.contains("transfer") && !help.contains(GENERATE),
            "{help}"
        );
    }
}
