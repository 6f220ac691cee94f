use clap::Parser as _;
fn main() -> std::process::ExitCode {
    bailee_cli::run(bailee_cli::Cli::parse(), bailee_cli::command())
}
