//! Reads YAML into trees that know their lines.
//!
//! A part of YAML 1.2, core schema: no aliases, no tags, no doubled names, no deep nesting. `yes` and `no` are texts.

use std::iter::Peekable;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Number, Value};

/// Deepest nesting of lists and objects.
const DEPTH_MAX: usize = 48;

/// What is wrong, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    /// In plain words.
    pub detail: String,
}

/// A value and the line in which it begins.
#[derive(Clone, Debug)]
pub struct Node {
    /// From 1.
    pub line: usize,
    /// The value.
    pub tree: Tree,
}

/// A value.
#[derive(Clone, Debug)]
pub enum Tree {
    /// Null, a bool, a number or a text.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// An object, its members as written.
    Map(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where the name stands, from 1.
    pub line: usize,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// The members, if it is an object.
    pub fn members(&self) -> Option<&[Member]> {
        match &self.tree {
            Tree::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        let mut members = self.members()?.iter();
        members.find(|member| member.name == name)
    }

    /// The same without lines.
    pub fn value(&self) -> Value {
        match &self.tree {
            Tree::Scalar(value) => value.clone(),
            Tree::List(items) => items.iter().map(Self::value).collect(),
            Tree::Map(members) => {
                let members = members
                    .iter()
                    .map(|member| (member.name.clone(), member.node.value()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    /// The line of what a JSON pointer names, or of the nearest thing around it.
    pub fn line_at(&self, pointer: &str) -> usize {
        let mut node = self;
        let mut line = self.line;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match &node.tree {
                Tree::Map(_) => node.member(&step).map(|member| (member.line, &member.node)),
                Tree::List(items) => step
                    .parse()
                    .ok()
                    .and_then(|at: usize| items.get(at))
                    .map(|item| (item.line, item)),
                Tree::Scalar(_) => None,
            };
            let Some((at, inner)) = next else { break };
            (line, node) = (at, inner);
        }
        line
    }
}

/// All documents of a text. An empty one is left out.
pub fn documents(text: &str) -> Result<Vec<Node>, Fault> {
    let mut reader = Reader {
        events: Parser::new_from_str(text).peekable(),
    };
    let mut documents = Vec::new();
    loop {
        let (line, event) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok(documents),
            Event::DocumentStart(_) => {
                let node = reader.node(0)?;
                if !matches!(node.tree, Tree::Scalar(Value::Null)) {
                    documents.push(node);
                }
            }
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            _ => return Err(fault(line, "this stands outside of a document")),
        }
    }
}

fn fault(line: usize, detail: impl Into<String>) -> Fault {
    Fault {
        line,
        detail: detail.into(),
    }
}

struct Reader<'a> {
    events: Peekable<Parser<'a, StrInput<'a>>>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(usize, Event<'a>), Fault> {
        match self.events.next() {
            Some(Ok((event, span))) => Ok((span.start.line(), event)),
            Some(Err(error)) => Err(fault(error.marker().line(), error.info())),
            None => Ok((0, Event::StreamEnd)),
        }
    }

    fn ends_with(&mut self, end: &Event<'_>) -> bool {
        let is_end = matches!(self.events.peek(), Some(Ok((event, _))) if event == end);
        if is_end {
            self.events.next();
        }
        is_end
    }

    fn node(&mut self, depth: usize) -> Result<Node, Fault> {
        let (line, event) = self.next()?;
        if depth > DEPTH_MAX {
            return Err(fault(line, "this is nested too deeply"));
        }
        let tree = match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return Err(fault(line, "tags such as !!str are not taken"));
            }
            Event::Scalar(text, style, _, None) => Tree::Scalar(scalar(&text, style)),
            Event::SequenceStart(_, None) => {
                let mut items = Vec::new();
                while !self.ends_with(&Event::SequenceEnd) {
                    items.push(self.node(depth + 1)?);
                }
                Tree::List(items)
            }
            Event::MappingStart(_, None) => {
                let mut members = Vec::new();
                while !self.ends_with(&Event::MappingEnd) {
                    let member = self.member(depth, &members)?;
                    members.push(member);
                }
                Tree::Map(members)
            }
            Event::Alias(_) => {
                return Err(fault(line, "aliases are not taken; write the value again"));
            }
            _ => return Err(fault(line, "a value is missing here")),
        };
        Ok(Node { line, tree })
    }

    fn member(&mut self, depth: usize, before: &[Member]) -> Result<Member, Fault> {
        let (line, event) = self.next()?;
        let Event::Scalar(name, _, _, None) = event else {
            return Err(fault(line, "a name is a plain text"));
        };
        if before.iter().any(|member| member.name == *name) {
            return Err(fault(line, format!("`{name}` is there twice")));
        }
        Ok(Member {
            name: name.into_owned(),
            line,
            node: self.node(depth + 1)?,
        })
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    match style {
        ScalarStyle::Plain => plain(text),
        _ => Value::String(text.to_owned()),
    }
}

/// What a text without quotes means in the core schema of YAML 1.2, special floats aside, which JSON does not have.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+');
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(Number::from);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8).ok().map(Number::from);
    }
    if !digits.chars().all(is_number) {
        return None;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    text.parse().ok().and_then(Number::from_f64)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(text: &str) -> Node {
        let mut all = documents(text).unwrap();
        assert_eq!(all.len(), 1, "{text}");
        all.remove(0)
    }

    #[test]
    fn values_are_those_of_the_core_schema() {
        let text = "a: yes\nb: 12\nc: '12'\nd: ~\ne: [true, 1.5, -3, 0x1f, 2026-01-01, .5, 1_000, 7:30]\nf: |\n  two\n  lines\n";
        let wanted = json!({"a": "yes", "b": 12, "c": "12", "d": null, "f": "two\nlines\n",
            "e": [true, 1.5, -3, 31, "2026-01-01", 0.5, "1_000", "7:30"]});
        assert_eq!(one(text).value(), wanted);
        assert_eq!(
            one("{\"a\": [1, {\"b\": \"c\\n\"}]}").value(),
            json!({"a": [1, {"b": "c\n"}]})
        );
    }

    #[test]
    fn documents_and_lines_are_told_apart() {
        let all = documents("# talk\n---\na: 1\n---\n---\nb:\n  - c: 2\n    d: 3\n").unwrap();
        assert_eq!(all.len(), 2);
        let second = all.get(1).unwrap();
        assert_eq!(second.line_at("/b/0/d"), 8);
        assert_eq!(second.line_at("/b/0/missing"), 7);
        assert_eq!(second.line_at("/b"), 6);
    }

    #[test]
    fn what_could_mislead_is_refused_with_its_line() {
        let deep = format!("a: {}{}", "[".repeat(60), "]".repeat(60));
        for (text, line, word) in [
            ("a: 1\na: 2\n", 2, "twice"),
            ("a: &x 1\nb: *x\n", 2, "aliases"),
            ("a: !!str 1\n", 1, "tags"),
            ("? [a]\n: 1\n", 1, "plain text"),
            ("a: [1, 2\nb: 3\n", 2, ""),
            (&deep, 1, "deep"),
        ] {
            let fault = documents(text).unwrap_err();
            assert!(fault.detail.contains(word), "{text}: {fault:?}");
            assert!(
                fault.line >= line && fault.line <= line + 1,
                "{text}: {fault:?}"
            );
        }
    }
}
