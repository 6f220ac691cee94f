//! The normal form of a thing's fields, in which files and the server are compared: what is as usual is left out, sets
//! are in order, secrets are told as whether there is one, and other things by their names.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::kinds::{Absent, Form, Kind};

/// Ids of things by what they are called, and the other way round.
#[derive(Default)]
pub struct Names {
    by_id: HashMap<String, Value>,
    by_name: HashMap<String, String>,
}

impl Names {
    /// Learns what a thing is called.
    pub fn learn(&mut self, kind: &Kind, name: &str, id: &str) {
        let reference = json!({kind.noun: name});
        self.by_name.insert(reference.to_string(), id.to_owned());
        self.by_id.insert(id.to_owned(), reference);
    }

    /// A thing as files name it; its id if it is not known.
    pub fn name_of(&self, id: &str) -> Value {
        let name = self.by_id.get(id).cloned();
        name.unwrap_or_else(|| Value::String(id.to_owned()))
    }

    /// The id of what a file names.
    pub fn id_of(&self, reference: &Value) -> Option<String> {
        match reference {
            Value::String(id) => Some(id.clone()),
            reference => self.by_name.get(&reference.to_string()).cloned(),
        }
    }
}

/// Where a secret comes from: the kind of source and its name.
pub fn secret_source(value: &Value) -> Option<(&str, &str)> {
    let (source, name) = single(value)?;
    ["env", "file"].contains(&source).then_some((source, name))
}

/// What a reference names: a kind and a name, or an id as it is.
pub fn reference(value: &Value) -> Option<(&str, &str)> {
    match value {
        Value::String(id) => Some(("", id)),
        value => single(value),
    }
}

fn single(value: &Value) -> Option<(&str, &str)> {
    let members = value.as_object()?;
    match (members.len(), members.iter().next()?) {
        (1, (name, Value::String(text))) => Some((name, text)),
        _ => None,
    }
}

/// Brings fields of a file into normal form.
pub fn normal(kind: &Kind, fields: Map<String, Value>) -> Map<String, Value> {
    let mut normal = Map::new();
    for field in kind.fields {
        let Some(value) = fields.get(field.name) else {
            continue;
        };
        let value = match field.form {
            Form::Set => sorted(value),
            Form::Object(_) => without_nulls(value),
            Form::Part => without_nothings(value),
            _ => value.clone(),
        };
        let is_usual = match field.absent {
            Absent::Is(usual) => value.is_null() || value == usual.value(),
            Absent::AsItIs => value.is_null() && !matches!(field.form, Form::OrNever),
            Absent::Required => false,
        };
        if !is_usual {
            normal.insert(field.name.to_owned(), value);
        }
    }
    normal
}

/// The fields of a thing as the API shows it, in normal form. A secret that is there is `{}`.
pub fn shown(kind: &Kind, thing: &Value, names: &Names) -> Map<String, Value> {
    let sources = thing.get("sources");
    let mut fields = Map::new();
    for field in kind.fields {
        let member = |name: &str| thing.get(name).cloned().unwrap_or_default();
        let is_default = sources
            .and_then(|sources| sources.get(field.name))
            .is_some_and(|source| source == "default");
        let value = match field.form {
            _ if is_default => Value::Null,
            Form::Secret(has) if member(has) == true => json!({}),
            Form::Secret(_) => Value::Null,
            Form::Switch(sign) => Value::Bool(!member(sign).is_null()),
            Form::Reference(wire, _) => match member(wire) {
                Value::String(id) => names.name_of(&id),
                other => other,
            },
            _ => member(field.name),
        };
        fields.insert(field.name.to_owned(), value);
    }
    normal(kind, fields)
}

/// What tells a thing from all others of its kind.
pub fn key(kind: &Kind, fields: &Map<String, Value>) -> String {
    let parts = kind.key.iter().map(|name| fields.get(*name).cloned());
    Value::Array(parts.map(Option::unwrap_or_default).collect()).to_string()
}

/// The same for people.
pub fn name(kind: &Kind, fields: &Map<String, Value>) -> String {
    let parts = kind.key.iter().filter_map(|name| fields.get(*name));
    let parts: Vec<_> = parts
        .map(|part| match (part, single(part)) {
            (Value::String(text), _) => text.clone(),
            (_, Some((_, name))) => name.to_owned(),
            (other, None) => other.to_string(),
        })
        .collect();
    parts.join("/")
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items = items.clone();
            items.sort_by_key(Value::to_string);
            items.dedup();
            Value::Array(items)
        }
        other => other.clone(),
    }
}

/// An object without members that say nothing: null, and empty lists and objects.
fn without_nothings(value: &Value) -> Value {
    let says_nothing = |value: &Value| match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        other => other.is_null(),
    };
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, member)| (name.clone(), without_nothings(member)))
                .filter(|(_, member)| !says_nothing(member));
            let mut members: Map<_, _> = members.collect();
            // Of a transfer of many, the API shows the first source once more.
            if members.contains_key("sources") {
                members.remove("source");
            }
            Value::Object(members)
        }
        other => other.clone(),
    }
}

/// Whether a thing is as a file wishes: of objects, what the file says.
pub fn agrees(wish: &Value, now: &Value) -> bool {
    match (wish, now) {
        (Value::Object(wish), Value::Object(now)) => wish
            .iter()
            .all(|(name, wish)| now.get(name).is_some_and(|now| agrees(wish, now))),
        (wish, now) => wish == now,
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .filter(|(_, member)| !member.is_null())
                .map(|(name, member)| (name.clone(), without_nulls(member)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}
