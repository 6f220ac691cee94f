//! The normal form of a thing's fields, in which files and the server are compared: what is as usual is left out, sets
//! are in order, secrets are told as whether there is one, and other things by their names.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::kinds::{Absent, Form, Inner, Kind};

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

    /// The ids of all things of a kind.
    pub fn ids(&self, kind: &Kind) -> Vec<String> {
        let of_kind = self
            .by_id
            .iter()
            .filter(|(_, name)| name.get(kind.noun).is_some());
        let mut ids: Vec<_> = of_kind.map(|(id, _)| id.clone()).collect();
        ids.sort();
        ids
    }

    /// A value whose inner ids are names, as files have it.
    pub fn named(&self, value: &Value, inner: &[Inner]) -> Value {
        with_inner(value, inner, &|kind, value| match value {
            Value::String(id) => self
                .by_id
                .get(id)
                .filter(|name| name.get(kind.noun).is_some())
                .cloned(),
            _ => None,
        })
    }

    /// A value whose inner names are ids, as the API takes it. A name that is not known stays as it is.
    pub fn numbered(&self, value: &Value, inner: &[Inner]) -> Value {
        with_inner(value, inner, &|kind, value| {
            value.get(kind.noun)?;
            self.id_of(value).map(Value::String)
        })
    }

    /// Fields in which no id stands that has a name.
    pub fn without_ids(&self, kind: &Kind, fields: &mut Map<String, Value>) {
        for field in kind.fields {
            let Some(value) = fields.get_mut(field.name) else {
                continue;
            };
            if let (Form::Reference(..), Value::String(id)) = (field.form, &*value) {
                *value = self.name_of(id);
            }
            *value = self.named(value, field.form.inner());
        }
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

/// Changes the members of a value that name other things, however deep they stand.
fn with_inner(
    value: &Value,
    inner: &[Inner],
    change: &dyn Fn(&Kind, &Value) -> Option<Value>,
) -> Value {
    if inner.is_empty() {
        return value.clone();
    }
    let changed = |name: &String, value: &Value| {
        let mut kinds = inner.iter().filter(|(member, _)| member == name);
        let found = kinds.find_map(|(_, kind)| change(kind, value));
        found.unwrap_or_else(|| with_inner(value, inner, change))
    };
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.clone(), changed(name, value)));
            Value::Object(members.collect())
        }
        Value::Array(items) => items
            .iter()
            .map(|item| with_inner(item, inner, change))
            .collect(),
        other => other.clone(),
    }
}

/// The secret of its own that a credential refers to.
pub fn secret_name(value: &Value) -> Option<&str> {
    let (noun, name) = single(value)?;
    (noun == "secret").then_some(name)
}

/// Whether two texts are the same key of OpenPGP: armor around it may differ.
pub fn is_same_armor(one: &Value, other: &Value) -> bool {
    match (one.as_str(), other.as_str()) {
        (Some(one), Some(other)) => bare(one) == bare(other),
        _ => one == other,
    }
}

/// A key without its armor (RFC 9580, 6.2): headers end with an empty line, a checksum begins with `=`.
fn bare(key: &str) -> String {
    let lines = key.lines().map(str::trim);
    let mut lines: Vec<_> = lines.collect();
    if let Some(begin) = lines.iter().position(|line| line.starts_with("-----BEGIN")) {
        let rest = lines.split_off(begin);
        let body = rest.iter().skip_while(|line| !line.is_empty());
        let body = body.take_while(|line| !line.starts_with("-----END"));
        lines = body.copied().collect();
    }
    lines.retain(|line| !line.starts_with('='));
    lines.concat()
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
            Form::Part(_) => without_nothings(value),
            Form::Document(_) => without_name(value),
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
            Form::Credential(has) | Form::Secret(has) if member(has) == true => thing
                .get("secret_ids")
                .and_then(|ids| ids.get(field.name)?.as_str())
                .map_or_else(|| json!({}), |id| names.name_of(id)),
            Form::Credential(_) | Form::Secret(_) => Value::Null,
            Form::Armored(sign) => member(sign),
            Form::Switch(sign) => Value::Bool(!member(sign).is_null()),
            Form::Reference(wire, _) => match member(wire) {
                Value::String(id) => names.name_of(&id),
                other => other,
            },
            other => names.named(&member(field.name), other.inner()),
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
                members.retain(|name, _| name != "source");
            }
            Value::Object(members)
        }
        other => other.clone(),
    }
}

/// A document without its name, which is the thing's own.
fn without_name(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(members) = &mut value {
        members.retain(|name, _| name != "name");
    }
    value
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn armor_makes_no_other_key() {
        let armored = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: a\n\nmDME\nZZ==\n=wXyZ\n-----END PGP PUBLIC KEY BLOCK-----\n";
        let plain = "-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\nmDMEZZ==\r\n-----END PGP PUBLIC KEY BLOCK-----";
        assert_eq!(bare(armored), "mDMEZZ==");
        assert!(is_same_armor(&json!(armored), &json!(plain)));
        assert!(is_same_armor(&json!("mDME\nZZ=="), &json!(plain)));
        assert!(!is_same_armor(&json!("mDMEZY=="), &json!(plain)));
    }
}
