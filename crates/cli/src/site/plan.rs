//! Compares files with the server: what is to be made, changed and removed.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::form::{self, secret_source};
use super::kinds::{Absent, Field, Form, Kind, Time};
use super::read::{Declared, Site};
use super::server::Present;
use super::text::inline;
use crate::Failure;
use crate::output::View;

/// Longest value that is shown in a plan.
const SHOWN_MAX: usize = 100;

/// Most places inside of a value of which a plan tells.
const PLACES_MAX: usize = 20;

/// How a plan is printed for programs.
pub const STEP: View = View {
    columns: &[("ACTION", "action"), ("KIND", "kind"), ("NAME", "name")],
    name: "name",
};

/// What is to be done, in order.
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// Things that the files leave out, and that stay all the same.
    pub kept: Vec<String>,
}

/// One thing to be done.
pub enum Step {
    /// A thing is made.
    Make(Declared),
    /// A thing is changed.
    Change {
        /// As it should be.
        declared: Declared,
        /// As it is.
        present: Present,
        /// The fields that differ.
        changes: Vec<Change>,
    },
    /// A thing is removed.
    Remove(Present),
}

/// A field that differs.
pub struct Change {
    /// Which.
    pub field: &'static Field,
    /// As it is.
    pub from: Value,
    /// As it should be.
    pub to: Value,
}

/// How files are meant.
#[derive(Clone, Copy, Default)]
pub struct Meaning<'a> {
    /// Whether what they leave out is removed.
    pub prunes: bool,
    /// Whether secrets are sent that are there already.
    pub sends_secrets: bool,
    /// Ids of things that are never removed: those that the caller acts by.
    pub own: &'a [String],
}

/// Compares what files say with what is there.
pub fn plan(site: Site, present: Vec<Present>, meaning: Meaning<'_>) -> Result<Plan, Failure> {
    let mut there: BTreeMap<(&'static str, String), Vec<Present>> = BTreeMap::new();
    for thing in present {
        let key = (thing.kind.plural, form::key(thing.kind, &thing.fields));
        there.entry(key).or_default().push(thing);
    }
    let mut steps = Vec::new();
    let mut faults = Vec::new();
    for (declared, present) in pairs(site.things, &mut there) {
        let Some(present) = present else {
            steps.push(Step::Make(declared));
            continue;
        };
        let changes = changes(&declared, &present, meaning);
        faults.extend(fixed(&declared, &changes));
        if !changes.is_empty() {
            steps.push(Step::Change {
                declared,
                present,
                changes,
            });
        }
    }
    if !faults.is_empty() {
        return Err(Failure::Site(faults));
    }
    let mut plan = Plan {
        steps,
        kept: Vec::new(),
    };
    for kind in site.kinds.iter().rev().filter(|kind| !kind.is_single()) {
        let left = there
            .iter_mut()
            .filter(|((plural, _), _)| *plural == kind.plural);
        for thing in left.flat_map(|(_, things)| std::mem::take(things)) {
            let name = format!("{} {}", kind.noun, form::name(kind, &thing.fields));
            if !meaning.prunes {
                plan.kept.push(name);
            } else if meaning.own.contains(&thing.id) {
                plan.kept.push(format!("{name} (this command acts by it)"));
            } else {
                plan.steps.push(Step::Remove(thing));
            }
        }
    }
    Ok(plan)
}

/// Finds for each declared thing the one that is there. Where several have one name, the same ones find each other first.
fn pairs(
    declared: Vec<Declared>,
    there: &mut BTreeMap<(&'static str, String), Vec<Present>>,
) -> Vec<(Declared, Option<Present>)> {
    let mut pairs = Vec::new();
    for declared in declared {
        let key = (
            declared.kind.plural,
            form::key(declared.kind, &declared.fields),
        );
        let same = there.get_mut(&key).and_then(|things| {
            let at = things
                .iter()
                .position(|thing| changes(&declared, thing, Meaning::default()).is_empty())?;
            Some(things.remove(at))
        });
        pairs.push((declared, same));
    }
    for (declared, present) in &mut pairs {
        if present.is_none() {
            let key = (
                declared.kind.plural,
                form::key(declared.kind, &declared.fields),
            );
            *present = there
                .get_mut(&key)
                .filter(|things| !things.is_empty())
                .map(|things| things.remove(0));
        }
    }
    pairs
}

fn changes(declared: &Declared, present: &Present, meaning: Meaning<'_>) -> Vec<Change> {
    let fields = declared.kind.fields.iter();
    let changes = fields.filter_map(|field| {
        let wish = declared.fields.get(field.name);
        let now = present.fields.get(field.name);
        let is_same = match (wish, now) {
            (None, None) => true,
            (None, Some(_)) => matches!(field.absent, Absent::AsItIs),
            (Some(wish), Some(now)) => match field.form {
                Form::Secret(_) => !meaning.sends_secrets,
                Form::Credential(_) => match (form::secret_name(wish), form::secret_name(now)) {
                    (None, None) => !meaning.sends_secrets,
                    (wish, now) => wish == now,
                },
                Form::Part(_) => form::agrees(wish, now),
                Form::Armored(_) => form::is_same_armor(wish, now),
                _ => wish == now,
            },
            (Some(wish), None) => wish.is_null(),
        };
        let usual = match field.absent {
            Absent::Is(usual) => usual.value(),
            _ => Value::Null,
        };
        (!is_same).then(|| Change {
            field,
            from: now.cloned().unwrap_or_default(),
            to: wish.cloned().unwrap_or(usual),
        })
    });
    changes.collect()
}

/// Faults of fields that can be said only when a thing is made.
fn fixed<'a>(
    declared: &'a Declared,
    changes: &'a [Change],
) -> impl Iterator<Item = String> + use<'a> {
    let fixed = changes
        .iter()
        .filter(|change| change.field.time == Time::Once);
    fixed.map(|change| {
        format!(
            "{}: this cannot change from {} to {}; name it otherwise, or remove the old one",
            declared.place.of(&format!("/{}", change.field.name)),
            inline(&change.from),
            inline(&change.to)
        )
    })
}

impl Plan {
    /// How many things are made, changed and removed.
    pub fn summary(&self) -> String {
        let count = |action: &str| {
            self.steps
                .iter()
                .filter(|step| step.action() == action)
                .count()
        };
        let counts = [
            ("make", count("make")),
            ("change", count("change")),
            ("remove", count("remove")),
        ];
        let counts = counts.iter().filter(|(_, count)| *count > 0);
        let counts: Vec<_> = counts
            .map(|(action, count)| format!("{count} to {action}"))
            .collect();
        if counts.is_empty() {
            "no changes".to_owned()
        } else {
            counts.join(", ")
        }
    }

    /// The plan for people.
    pub fn text(&self) -> String {
        let lines = self.steps.iter().flat_map(Step::lines);
        lines.fold(String::new(), |text, line| {
            text + &crate::failure::visible(&line) + "\n"
        })
    }

    /// The plan for programs.
    pub fn rows(&self) -> Vec<Value> {
        self.steps.iter().map(Step::row).collect()
    }
}

impl Step {
    /// What is done.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Make(_) => "make",
            Self::Change { .. } => "change",
            Self::Remove(_) => "remove",
        }
    }

    /// To what.
    pub fn what(&self) -> String {
        let (kind, fields) = self.subject();
        format!("{} {}", kind.noun, form::name(kind, fields))
            .trim_end()
            .to_owned()
    }

    fn subject(&self) -> (&'static Kind, &Map<String, Value>) {
        match self {
            Self::Make(declared) | Self::Change { declared, .. } => {
                (declared.kind, &declared.fields)
            }
            Self::Remove(present) => (present.kind, &present.fields),
        }
    }

    fn lines(&self) -> Vec<String> {
        let mark = match self {
            Self::Make(_) => '+',
            Self::Change { .. } => '~',
            Self::Remove(_) => '-',
        };
        let mut lines = vec![format!("{mark} {}", self.what())];
        match self {
            Self::Make(declared) => {
                for field in declared.kind.fields {
                    let is_told = declared.kind.key.contains(&field.name);
                    if let Some(value) = declared.fields.get(field.name).filter(|_| !is_told) {
                        lines.push(format!("    {}: {}", field.name, said(value, field)));
                    }
                }
            }
            Self::Change { changes, .. } => {
                lines.extend(changes.iter().flat_map(Change::lines));
            }
            Self::Remove(_) => {}
        }
        lines
    }

    fn row(&self) -> Value {
        let (kind, fields) = self.subject();
        let changes: Vec<_> = match self {
            Self::Make(declared) => declared
                .fields
                .iter()
                .map(|(name, value)| json!({"field": name, "from": null, "to": value}))
                .collect(),
            Self::Change { changes, .. } => changes
                .iter()
                .map(|change| {
                    json!({"field": change.field.name, "from": change.from, "to": change.to})
                })
                .collect(),
            Self::Remove(_) => Vec::new(),
        };
        json!({"action": self.action(), "kind": kind.noun, "name": form::name(kind, fields), "changes": changes})
    }
}

impl Change {
    /// What differs, for people: of what has insides, the places that do.
    fn lines(&self) -> Vec<String> {
        if let Form::Armored(_) = self.field.form {
            return vec![format!("    {}: another form of it", self.field.name)];
        }
        let has_insides = matches!(self.field.form, Form::Part(_) | Form::Document(_));
        let mut places = Vec::new();
        if has_insides && self.from.is_object() && self.to.is_object() {
            let is_part = matches!(self.field.form, Form::Part(_));
            differences(self.field.name, (&self.from, &self.to), &mut places);
            // Of a part, what a file leaves out is no difference.
            places.retain(|(_, _, to)| !is_part || !to.is_null());
        }
        if places.is_empty() {
            let name = self.field.name.to_owned();
            places.push((name, self.from.clone(), self.to.clone()));
        }
        let more = places.len().saturating_sub(PLACES_MAX);
        places.truncate(PLACES_MAX);
        let lines = places.iter().map(|(place, from, to)| {
            let (from, to) = (said(from, self.field), said(to, self.field));
            format!("    {place}: {from} → {to}")
        });
        let mut lines: Vec<_> = lines.collect();
        lines.extend((more > 0).then(|| format!("    and {more} more")));
        lines
    }
}

/// Where two values differ, as deep as both have the same form.
fn differences(
    place: &str,
    (from, to): (&Value, &Value),
    places: &mut Vec<(String, Value, Value)>,
) {
    let below = |name: &dyn std::fmt::Display| format!("{place}/{name}");
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => {
            let gone = from.keys().filter(|name| !to.contains_key(*name));
            for name in to.keys().chain(gone) {
                let member = |members: &Map<String, Value>| members.get(name).cloned();
                let (from, to) = (
                    member(from).unwrap_or_default(),
                    member(to).unwrap_or_default(),
                );
                differences(&below(name), (&from, &to), places);
            }
        }
        (Value::Array(from), Value::Array(to)) if from.len() == to.len() => {
            for (at, pair) in from.iter().zip(to).enumerate() {
                differences(&below(&at), pair, places);
            }
        }
        (from, to) if from == to => {}
        (from, to) => places.push((place.to_owned(), from.clone(), to.clone())),
    }
}

/// A value for people: secrets by where they come from, long ones cut.
fn said(value: &Value, field: &Field) -> String {
    if field.form.is_secret() {
        return match (secret_source(value), form::secret_name(value)) {
            (Some((source, name)), _) => format!("secret of {source} {name}"),
            (None, Some(name)) => format!("the secret {name}"),
            (None, None) if value.is_null() => "no secret".to_owned(),
            (None, None) => "a secret".to_owned(),
        };
    }
    let text = inline(value);
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
