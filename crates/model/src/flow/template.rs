use std::fmt;
use std::str::FromStr;

use super::{ParamName, StepFault, StepId};
use crate::limit;
use crate::text::as_text;

/// What a name in a template or a condition stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// The run's time in the flow's time zone, in this form of `strftime`.
    Date(String),
    /// A fact of the file at hand: `name`, `stem`, `extension`, `path`, `folder`, `size`, `hash`, `id`.
    File(FileFact),
    /// A fact of the files that the step takes: `count`, `bytes`, `names`.
    Files(FilesFact),
    /// The run: `id`, `date`-less facts only.
    RunId,
    /// The flow's name.
    OfFlow,
    /// The flow's version.
    FlowVersion,
    /// What the trigger told: `path`, `event_id`.
    Trigger(String),
    /// A parameter.
    Param(ParamName),
    /// A fact of a step that ended: `outcome`, `count`, `bytes`, `error`.
    Step(StepId, StepFact),
}

/// A fact of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFact {
    /// `report.csv`
    Name,
    /// `report`
    Stem,
    /// `csv`
    Extension,
    /// `/in/report.csv`
    Path,
    /// `/in`
    Folder,
    /// Bytes.
    Size,
    /// SHA-256.
    Hash,
    /// The version's id.
    Id,
}

/// A fact of a set of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilesFact {
    /// How many.
    Count,
    /// Their bytes together.
    Bytes,
    /// Their names, with commas.
    Names,
}

/// A fact of a step that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepFact {
    /// `completed`, `failed` or `skipped`.
    Outcome,
    /// Files that it put out.
    Count,
    /// Their bytes together.
    Bytes,
    /// The code of its fault; empty if it had none.
    Error,
}

/// The value of a [`Name`].
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

impl fmt::Display for Fact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => out.write_str(text),
            Self::Number(number) => number.fmt(out),
            Self::Flag(flag) => flag.fmt(out),
        }
    }
}

/// What names stand for at some place of a run.
pub trait Facts {
    /// The value of a name; `None` where there is none.
    fn fact(&self, name: &Name) -> Option<Fact>;
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("`{text}` is not known; see the guide of flows for the names");
        if let Some(form) = text.strip_prefix("date:") {
            return dated(form);
        }
        let (root, rest) = text.split_once('.').unwrap_or((text, ""));
        let of_param = |text: &str| text.parse().map(Self::Param).map_err(str::to_owned);
        match (root, rest) {
            ("date", "") => dated("%Y-%m-%d"),
            ("file", fact) => file_fact(fact).map(Self::File).ok_or_else(unknown),
            ("files", "count") => Ok(Self::Files(FilesFact::Count)),
            ("files", "bytes") => Ok(Self::Files(FilesFact::Bytes)),
            ("files", "names") => Ok(Self::Files(FilesFact::Names)),
            ("run", "id") => Ok(Self::RunId),
            ("flow", "name") => Ok(Self::OfFlow),
            ("flow", "version") => Ok(Self::FlowVersion),
            ("params", name) => of_param(name),
            ("trigger", path) if is_trigger_path(path) => Ok(Self::Trigger(path.to_owned())),
            ("steps", rest) => {
                let (id, fact) = rest.split_once('.').ok_or_else(unknown)?;
                let id = id.parse().map_err(str::to_owned)?;
                step_fact(fact)
                    .map(|fact| Self::Step(id, fact))
                    .ok_or_else(unknown)
            }
            _ => Err(unknown()),
        }
    }
}

fn dated(form: &str) -> Result<Name, String> {
    let sample = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
    match jiff::fmt::strtime::format(form, &sample) {
        Ok(text) if !form.is_empty() && !text.is_empty() => Ok(Name::Date(form.to_owned())),
        _ => Err(format!("`{form}` is no form of a date, such as `%Y/%m/%d`")),
    }
}

fn file_fact(text: &str) -> Option<FileFact> {
    Some(match text {
        "name" => FileFact::Name,
        "stem" => FileFact::Stem,
        "extension" => FileFact::Extension,
        "path" => FileFact::Path,
        "folder" => FileFact::Folder,
        "size" => FileFact::Size,
        "hash" => FileFact::Hash,
        "id" => FileFact::Id,
        _ => return None,
    })
}

fn step_fact(text: &str) -> Option<StepFact> {
    Some(match text {
        "outcome" => StepFact::Outcome,
        "count" | "files.count" => StepFact::Count,
        "bytes" | "files.bytes" => StepFact::Bytes,
        "error" => StepFact::Error,
        _ => return None,
    })
}

/// Facts that triggers give: known ones, and whatever is in the body of a call.
fn is_trigger_path(path: &str) -> bool {
    const KNOWN: &[&str] = &[
        "kind",
        "event_type",
        "event_id",
        "path",
        "file_id",
        "file_name",
        "transfer_id",
        "flow",
        "run_id",
        "outcome",
        "schedule",
        "scheduled_at",
        "remote",
        "source",
        "size",
        "modified_at",
        "webhook_id",
        "body",
    ];
    let is_word = |word: &str| {
        let is_letter = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
        !word.is_empty() && word.chars().all(is_letter)
    };
    let within = path.strip_prefix("body.");
    KNOWN.contains(&path) || within.is_some_and(|within| within.split('.').all(is_word))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hole(Name),
}

/// A text with holes: `/archive/${date:%Y/%m}/${file.name}`. `$${` stands for `${`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

impl Template {
    /// The names in its holes.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Hole(name) => Some(name),
            Piece::Text(_) => None,
        })
    }

    /// Whether one of its holes is about a single file.
    pub fn is_per_file(&self) -> bool {
        self.names().any(|name| matches!(name, Name::File(_)))
    }

    /// Whether one of its holes is filled by what a trigger told, which nobody of the tenant may have written.
    pub fn is_told(&self) -> bool {
        self.names().any(|name| matches!(name, Name::Trigger(_)))
    }

    /// The text with every hole filled by `x`: what can be said of it before a run.
    pub fn outline(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Hole(_) => "x".to_owned(),
        };
        self.pieces.iter().map(piece).collect()
    }

    /// The text before its first hole: what is certain before a run.
    pub fn head(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }

    /// The text with its holes filled.
    pub fn render(&self, facts: &dyn Facts) -> Result<String, StepFault> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(own) => text.push_str(own),
                Piece::Hole(name) => {
                    let fact = facts.fact(name).ok_or_else(|| missing(&self.source))?;
                    text.push_str(&fact.to_string());
                }
            }
        }
        if text.len() > limit::FLOW_TEXT_BYTES_MAX {
            let detail = format!("`{}` becomes too long when it is filled in.", self.source);
            return Err(StepFault::permanent("template_invalid", detail));
        }
        Ok(text)
    }
}

fn missing(source: &str) -> StepFault {
    let detail = format!("`{source}` names something that this run does not have.");
    StepFault::permanent("template_invalid", detail)
}

impl FromStr for Template {
    type Err = String;

    fn from_str(source: &str) -> Result<Self, String> {
        if source.len() > limit::FLOW_TEXT_BYTES_MAX {
            return Err(format!(
                "a text has at most {} bytes",
                limit::FLOW_TEXT_BYTES_MAX
            ));
        }
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('$') {
                text.push_str(before);
                text.push_str("${");
                rest = after;
                continue;
            }
            text.push_str(before);
            let (name, after) = after
                .split_once('}')
                .ok_or("a `${` needs its `}`; write `$${` for the characters themselves")?;
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::Hole(name.parse()?));
            rest = after;
        }
        text.push_str(rest);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Self {
            source: source.to_owned(),
            pieces,
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.source)
    }
}

as_text!(Template);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    struct Some3;
    impl Facts for Some3 {
        fn fact(&self, name: &Name) -> Option<Fact> {
            match name {
                Name::Date(form) => Some(Fact::Text(form.replace("%Y", "2026"))),
                Name::File(FileFact::Stem) => Some(Fact::Text("a".to_owned())),
                Name::Files(FilesFact::Count) => Some(Fact::Number(3.0)),
                _ => None,
            }
        }
    }

    fn rendered(text: &str) -> Result<String, String> {
        let template: Template = text.parse()?;
        template.render(&Some3).map_err(|fault| fault.code)
    }

    #[test]
    fn holes_are_filled() {
        assert_eq!(
            rendered("/x/${date:%Y}/${file.stem}-${files.count}.csv").unwrap(),
            "/x/2026/a-3.csv"
        );
        assert_eq!(
            rendered("$${date} costs $5 {a}").unwrap(),
            "${date} costs $5 {a}"
        );
        assert_eq!(rendered("plain").unwrap(), "plain");
        assert_eq!(rendered("${run.id}").unwrap_err(), "template_invalid");
    }

    #[test]
    fn unknown_names_are_refused() {
        for text in [
            "${",
            "${x}",
            "${file.owner}",
            "${date:%!}",
            "${date:}",
            "${params.}",
            "${steps.a}",
            "${steps.a.name}",
            "${trigger.secret}",
            "${trigger.body.}",
            "${trigger.body.a..b}",
            "${trigger.path.a}",
            "${run.id",
            "${ run.id }",
        ] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
        for text in [
            "${trigger.path}",
            "${trigger.source}",
            "${trigger.body}",
            "${trigger.body.order.lines-2.name}",
            "${steps.a-1.files.count}",
            "${params.region}",
        ] {
            assert!(text.parse::<Template>().is_ok(), "{text}");
        }
    }
}
