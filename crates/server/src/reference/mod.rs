//! Pages of the reference that are made from the program and checked in: what they say cannot differ from what it does.
//!
//! Absent: the API document and the command line's page, which come from their own crates.

mod configuration;
mod events;
mod limits;
mod problems;

/// Said at the top of each page.
const MADE: &str = "Made by `cargo xtask generate` from the program itself; do not edit.";

/// Every page with its place below the root of the project, in Markdown. Stable: the same program gives the same text.
pub fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("docs/reference/configuration.md", configuration::page()),
        ("docs/reference/events.md", events::page()),
        ("docs/reference/limits.md", limits::page()),
        (
            "docs/reference/policy-table.md",
            bailee_core::decision_table(),
        ),
        ("docs/reference/problems.md", problems::page()),
    ]
}

/// Text for one cell of a table: a bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
