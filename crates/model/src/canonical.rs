//! One text for one JSON value, so that what is signed can be compared byte by byte.
//!
//! FORMAT: members in the order of their names, two spaces for each level, `": "` behind names, a line for each member and
//! item, `{}` and `[]` for what is empty, text escaped only where JSON demands it, a line feed at the end. It is what
//! Python writes with `json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"`.

use std::collections::BTreeMap;

use serde_json::Value;

/// The text of a value.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out.push('\n');
    out
}

fn write(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            out.push('{');
            for (at, (name, member)) in sorted.into_iter().enumerate() {
                next(out, at, depth + 1);
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push_str(": ");
                write(out, member, depth + 1);
            }
            indent(out, depth);
            out.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                next(out, at, depth + 1);
                write(out, item, depth + 1);
            }
            indent(out, depth);
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

fn next(out: &mut String, at: usize, depth: usize) {
    if at > 0 {
        out.push(',');
    }
    indent(out, depth);
}

fn indent(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_text() {
        let value =
            serde_json::json!({"b": [1, {"z": null, "a": "ü\"\n\u{1f}"}], "a": {}, "c": []});
        let text = "{\n  \"a\": {},\n  \"b\": [\n    1,\n    {\n      \"a\": \"ü\\\"\\n\\u001f\",\n      \"z\": null\n    }\n  ],\n  \"c\": []\n}\n";
        assert_eq!(canonical(&value), text);
    }
}
