//! The reference page of the command line, made from the tree itself.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// The page, in Markdown. Stable: the same tree gives the same text.
pub fn page(command: Command) -> String {
    let mut command = command.disable_help_flag(true).disable_version_flag(true);
    command.build();
    let mut page = String::from(
        "# Command line\n\nMade by `cargo xtask generate` from the program itself. Data goes to stdout, talk to stderr.\n",
    );
    exit_codes(&mut page);
    page.push_str("\n## Global options\n\n");
    for argument in command
        .get_arguments()
        .filter(|argument| shown(argument) && argument.is_global_set())
    {
        option(&mut page, argument);
    }
    for child in command
        .get_subcommands()
        .filter(|child| !child.is_hide_set())
    {
        section(&mut page, child, "bailee", 2);
    }
    page
}

fn exit_codes(page: &mut String) {
    page.push_str("\n## Exit codes\n\n| Code | Meaning |\n|---|---|\n");
    for (code, meaning) in [
        (0, "done"),
        (1, "other failure"),
        (
            2,
            "wrong use, or a question that nobody could answer; of `diff`: something differs",
        ),
        (3, "not found"),
        (4, "sign-in or permission"),
        (5, "temporary: try again"),
        (6, "transfer failed"),
        (7, "conflict or precondition"),
        (8, "still running at `--timeout`"),
        (9, "bytes are not what they should be"),
        (130, "interrupted"),
    ] {
        let _ = writeln!(page, "| {code} | {meaning} |");
    }
}

fn section(page: &mut String, command: &Command, parent: &str, depth: usize) {
    let name = format!("{parent} {}", command.get_name());
    let _ = writeln!(page, "\n{} `{name}`\n", "#".repeat(depth.min(4)));
    if let Some(about) = command.get_about() {
        let _ = writeln!(page, "{about}.\n");
    }
    let children: Vec<_> = command
        .get_subcommands()
        .filter(|child| !child.is_hide_set())
        .collect();
    if children.is_empty() {
        let _ = writeln!(page, "```\n{}\n```\n", usage(command, &name));
    }
    for argument in command
        .get_arguments()
        .filter(|argument| shown(argument) && !argument.is_global_set())
    {
        option(page, argument);
    }
    if let Some(examples) = command.get_after_help() {
        let _ = writeln!(page, "\n```\n{examples}\n```");
    }
    for child in children {
        section(page, child, &name, depth + 1);
    }
}

fn usage(command: &Command, name: &str) -> String {
    let mut words = vec![name.to_owned()];
    if command
        .get_arguments()
        .any(|argument| shown(argument) && !argument.is_positional())
    {
        words.push("[OPTIONS]".to_owned());
    }
    for argument in command.get_positionals() {
        let value = value_name(argument);
        words.push(if argument.is_required_set() {
            value
        } else {
            format!("[{value}]")
        });
    }
    words.join(" ")
}

fn shown(argument: &Arg) -> bool {
    !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
}

fn value_name(argument: &Arg) -> String {
    match argument.get_value_names() {
        Some(names) => names
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" "),
        None => argument.get_id().as_str().to_uppercase(),
    }
}

fn option(page: &mut String, argument: &Arg) {
    let mut spelling = Vec::new();
    if let Some(short) = argument.get_short() {
        spelling.push(format!("-{short}"));
    }
    if let Some(long) = argument.get_long() {
        spelling.push(format!("--{long}"));
    }
    let takes_value = argument.get_action().takes_values();
    let mut text = spelling.join(", ");
    if argument.is_positional() {
        text = value_name(argument);
    } else if takes_value {
        let _ = write!(text, " {}", value_name(argument));
    }
    let _ = write!(page, "- `{text}`");
    if let Some(help) = argument.get_help() {
        let _ = write!(page, ": {help}");
    }
    if takes_value {
        facts(page, argument);
    }
    page.push('\n');
}

fn facts(page: &mut String, argument: &Arg) {
    let words: Vec<_> = argument
        .get_possible_values()
        .iter()
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !words.is_empty() {
        let _ = write!(page, "; one of {}", words.join(", "));
    }
    if let [default] = argument.get_default_values() {
        let _ = write!(page, "; default `{}`", default.to_string_lossy());
    }
    if let Some(name) = argument.get_env() {
        let _ = write!(page, "; environment `{}`", name.to_string_lossy());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_page_names_every_command_and_is_stable() {
        let once = page(crate::args::Cli::command());
        assert_eq!(once, page(crate::args::Cli::command()));
        for heading in [
            "## `bailee cp`",
            "### `bailee transfer create`",
            "- `--url URL`",
            "environment `BAILEE_URL`",
        ] {
            assert!(once.contains(heading), "{heading} in\n{once}");
        }
        assert!(!once.contains("--help"));
    }
}
