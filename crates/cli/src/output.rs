//! Results on stdout. Data goes through here and nothing else does: talk is on stderr.

use std::io::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value;

use crate::Failure;
use crate::args::Format;
use crate::failure::visible;

/// How a kind of thing is shown: which members are columns, and which one names it.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Heading and member of each column.
    pub columns: &'static [(&'static str, &'static str)],
    /// The member that `-o name` prints.
    pub name: &'static str,
}

/// Where results go, and how.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    format: Format,
}

impl Output {
    /// Prints in this format.
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// Whether people read it.
    pub fn is_table(self) -> bool {
        self.format == Format::Table
    }

    /// Prints a list.
    pub fn list(self, rows: &[impl Serialize], view: View) -> Result<(), Failure> {
        let rows = rows.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        print(&render_list(&rows, view, self.format))
    }

    /// Prints one thing.
    pub fn one(self, thing: &impl Serialize, view: View) -> Result<(), Failure> {
        print(&render_one(&value(thing)?, view, self.format))
    }

    /// Prints a line for people, or `thing` for programs.
    pub fn line(self, line: &str, thing: &impl Serialize, view: View) -> Result<(), Failure> {
        if self.is_table() {
            return print(&format!("{}\n", visible(line)));
        }
        // Things that come one by one are lines, whatever kind of JSON was asked for.
        let format = if self.format == Format::Json {
            Format::Jsonl
        } else {
            self.format
        };
        print(&render_one(&value(thing)?, view, format))
    }
}

fn value(thing: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(thing).map_err(|error| Failure::Other(error.to_string()))
}

/// Prints text as it is. A closed pipe ends the command: whoever read has enough.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Failure::local("write", "-"))
}

fn render_list(rows: &[Value], view: View, format: Format) -> String {
    match format {
        Format::Json => format!("{:#}\n", Value::from(rows)),
        Format::Jsonl => lines(rows.iter().map(ToString::to_string)),
        Format::Name => lines(rows.iter().map(|row| cell(row.get(view.name)))),
        Format::Table if rows.is_empty() => String::new(),
        Format::Table => {
            let mut table = bare();
            table.set_header(view.columns.iter().map(|(heading, _)| *heading));
            for row in rows {
                table.add_row(
                    view.columns
                        .iter()
                        .map(|(_, member)| cell(row.get(*member))),
                );
            }
            text_of(table)
        }
    }
}

/// Each item with its line end.
fn lines(items: impl Iterator<Item = String>) -> String {
    items.flat_map(|item| [item, "\n".to_owned()]).collect()
}

fn render_one(thing: &Value, view: View, format: Format) -> String {
    match format {
        Format::Json => format!("{thing:#}\n"),
        Format::Jsonl => format!("{thing}\n"),
        Format::Name => format!("{}\n", cell(thing.get(view.name))),
        Format::Table => {
            let mut table = bare();
            for (name, member) in thing.as_object().into_iter().flatten() {
                if name != "links" && !member.is_null() {
                    table.add_row([name.clone(), cell(Some(member))]);
                }
            }
            text_of(table)
        }
    }
}

fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// Columns two spaces apart, none at the ends.
fn text_of(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    format!("{}\n", table.trim_fmt())
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => visible(text),
        Some(Value::Array(items)) if items.iter().all(|item| !item.is_object()) => items
            .iter()
            .map(|item| cell(Some(item)))
            .collect::<Vec<_>>()
            .join(","),
        Some(other) => visible(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const VIEW: View = View {
        columns: &[("NAME", "name"), ("SIZE", "size"), ("TAGS", "tags")],
        name: "name",
    };

    #[test]
    fn a_list_has_four_forms() {
        let rows = [
            json!({"name": "a", "size": 12, "tags": ["x", "y"]}),
            json!({"name": "b\u{1b}[2J", "size": null, "tags": []}),
        ];
        let table = render_list(&rows, VIEW, Format::Table);
        let lines: Vec<_> = table
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(lines, ["NAME SIZE TAGS", "a 12 x,y", "b\u{fffd}[2J -"]);
        assert_eq!(render_list(&rows, VIEW, Format::Name), "a\nb\u{fffd}[2J\n");
        assert_eq!(render_list(&rows, VIEW, Format::Jsonl).lines().count(), 2);
        let json: Value =
            serde_json::from_str(&render_list(&rows, VIEW, Format::Json)).unwrap_or_default();
        assert_eq!(json, Value::from(&rows[..]));
        assert_eq!(render_list(&[], VIEW, Format::Table), "");
        assert_eq!(render_list(&[], VIEW, Format::Json), "[]\n");
    }

    #[test]
    fn one_thing_has_its_members_in_lines() {
        let thing = json!({"name": "a", "nothing": null, "links": {"self": "/"}, "size": 3});
        let table = render_one(&thing, VIEW, Format::Table);
        assert!(
            table.contains("name") && table.contains("size") && !table.contains("links"),
            "{table}"
        );
        assert!(!table.contains("nothing"));
    }
}
