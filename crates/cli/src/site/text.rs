//! Writes values as YAML that reads well, and reads back as the same.

use std::fmt::Write as _;

use serde_json::Value;

use super::node::plain;

/// Members of an object in the order in which they are written.
pub type Members = Vec<(String, Value)>;

/// The text of one object.
pub fn yaml(members: &Members) -> String {
    let mut text = String::new();
    for (name, value) in members {
        member(&mut text, 0, name, value);
    }
    text
}

/// The text of a list of objects that has a name.
pub fn yaml_list(name: &str, items: &[Members]) -> String {
    if items.is_empty() {
        return format!("{name}: []\n");
    }
    let mut text = format!("{name}:\n");
    for item in items {
        entry_of(&mut text, 1, item.iter().map(|(name, value)| (name, value)));
    }
    text
}

/// A value in one line.
pub fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{}: {}", scalar(name), inline(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

/// Longest list or object that stands in the line of its name.
const LINE_MAX: usize = 80;

fn member(text: &mut String, depth: usize, name: &str, value: &Value) {
    let _ = write!(text, "{}{}:", "  ".repeat(depth), scalar(name));
    after_name(text, depth, value);
}

fn after_name(text: &mut String, depth: usize, value: &Value) {
    match value {
        Value::String(lines) if is_block(lines) => block(text, depth + 1, lines),
        Value::Array(items) if !is_short(value) => {
            text.push('\n');
            for item in items {
                entry(text, depth + 1, item);
            }
        }
        Value::Object(members) if !is_short(value) => {
            text.push('\n');
            for (name, value) in members {
                member(text, depth + 1, name, value);
            }
        }
        other => {
            let _ = writeln!(text, " {}", inline(other));
        }
    }
}

fn entry(text: &mut String, depth: usize, item: &Value) {
    match item {
        Value::Object(members) if !members.is_empty() => entry_of(text, depth, members.iter()),
        other => {
            let _ = write!(text, "{}-", "  ".repeat(depth));
            after_name(text, depth, other);
        }
    }
}

/// An object in a list: its first member stands behind the dash.
fn entry_of<'a>(
    text: &mut String,
    depth: usize,
    members: impl Iterator<Item = (&'a String, &'a Value)>,
) {
    let indent = "  ".repeat(depth);
    for (at, (name, value)) in members.enumerate() {
        let mark = if at == 0 { "- " } else { "  " };
        let _ = write!(text, "{indent}{mark}{}:", scalar(name));
        after_name(text, depth + 1, value);
    }
}

/// Whether it fits behind its name: small, and with nothing inside that has insides.
fn is_short(value: &Value) -> bool {
    let is_flat = match value {
        Value::Array(items) => items
            .iter()
            .all(|item| !item.is_object() && !item.is_array()),
        Value::Object(members) => members
            .values()
            .all(|member| !member.is_object() && !member.is_array()),
        _ => true,
    };
    is_flat && inline(value).len() <= LINE_MAX
}

/// Whether a text is written as lines below its name: it has several, and nothing that such lines cannot hold.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !text.ends_with("\n\n")
        && !body.starts_with([' ', '\t', '\n'])
        && body
            .lines()
            .all(|line| !line.ends_with(' ') || line.is_empty())
        && text.chars().all(|c| c == '\n' || is_printable(c))
}

fn block(text: &mut String, depth: usize, lines: &str) {
    text.push_str(if lines.ends_with('\n') {
        " |\n"
    } else {
        " |-\n"
    });
    for line in lines.lines() {
        if !line.is_empty() {
            let _ = write!(text, "{}{line}", "  ".repeat(depth));
        }
        text.push('\n');
    }
}

fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// A text in one line: as it is where nothing could take it for something else, else in double quotes.
fn scalar(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-./+@=$ ".contains(c);
    // Digits begin dates, and numbers of sorts that some readers know and others do not.
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || "_/".contains(c));
    let looks_like_text = !is_word_of_old(text) && plain(text).is_string();
    if begins_well
        && looks_like_text
        && !text.ends_with(' ')
        && text.replace("://", "").chars().all(is_word)
    {
        return text.to_owned();
    }
    quoted(text)
}

/// What readers of YAML 1.1 take for a bool.
fn is_word_of_old(text: &str) -> bool {
    ["yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str())
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::node::documents;
    use super::*;

    #[test]
    fn it_reads_well() {
        let members = vec![
            ("bailee".to_owned(), json!(1)),
            (
                "remotes".to_owned(),
                json!([{"ca_pem": "-----BEGIN\nx\n-----END\n", "host": "sftp.bank.example", "label": "no", "mode": "0755",
                    "name": "bank", "password": {"env": "REMOTE_BANK_PASSWORD"}, "port": 22, "url": "https://h:1/a?b"}]),
            ),
            ("webhooks".to_owned(), json!([])),
        ];
        let wanted = "bailee: 1\nremotes:\n  - ca_pem: |\n      -----BEGIN\n      x\n      -----END\n    host: sftp.bank.example\n    \
                      label: \"no\"\n    mode: \"0755\"\n    name: bank\n    password: {env: REMOTE_BANK_PASSWORD}\n    port: 22\n    \
                      url: \"https://h:1/a?b\"\nwebhooks: []\n";
        let text = yaml(&members);
        assert_eq!(text, wanted);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[ -~\n\t]{0,40}".prop_map(Value::from),
            "(yes|no|null|~|1e3|0x1f|1\\.5|- a|a: b|a #b|<<|&a|\\*a|!a|%a|@a|`a|2026-01-01| a|a )"
                .prop_map(Value::from),
            "[a-c \n]{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ -~]{0,8}|[a-z_]{1,8}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in value(), name in "[a-z_]{1,8}") {
            let text = yaml(&vec![(name.clone(), value.clone())]);
            let read = documents(&text).unwrap();
            prop_assert_eq!(read.first().unwrap().value(), json!({name: value}), "{}", text);
        }
    }
}
