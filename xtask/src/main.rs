//! `cargo xtask`: the one door to the project's tools.
//!
//! Everything that elsewhere would be a shell script is Rust here, so that it is read, linted and tested like the rest.
//! Paths are taken from the place of this package, so a command works from any folder of the clone.

mod bench;
mod generate;
mod process;
mod run;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  run [--release] [arguments of `bailee serve`]
        build Bailee and start it for development, over HTTPS
  test [name] [--database sqlite|postgres] [--only phase]
        format, clippy, tidy, generated files, deny, then all tests on both databases, and
        whether they met each documented problem; installs what the tests need; a name or a database narrows it
  tidy [--report]
        the structural checks alone; --report prints the numbers we aim at
  generate [--check]
        write openapi.json and docs/reference; --check fails on a difference
  bench [arguments]
        the measured aims, as ratios of one run
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("", arguments.as_slice()),
    };
    let outcome = match command {
        "run" => run::main(rest),
        "test" => test::main(rest),
        "tidy" => tidy::main(rest),
        "generate" => generate::main(rest),
        "bench" => bench::main(rest),
        "help" | "-h" | "--help" => {
            println!("{USAGE}");
            Ok(())
        }
        "" => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
        other => {
            eprintln!("error: no command `{other}`\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
