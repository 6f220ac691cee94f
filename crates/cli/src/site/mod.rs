//! Site files: which users, keys, remotes, webhooks and so on a tenant should have, told in YAML.
//!
//! [`kinds`] has a table for each kind; [`read`] turns files into things that should be there, [`server`] tells what is
//! there, [`plan`] compares the two in the normal form of [`form`], and [`carry`] does what the plan says. Secrets stand
//! in no file: files say where a secret comes from, and the server never shows one.

mod carry;
mod form;
mod kinds;
mod node;
mod plan;
mod read;
mod server;
mod text;

pub use carry::Carrier;
pub use kinds::KINDS;
pub use plan::{Meaning, Plan, STEP, plan};
pub use read::{Site, read};
pub use server::Server;

use serde_json::{Map, Value, json};

use self::form::name;
use self::kinds::Kind;
use self::server::Present;
use self::text::{Members, yaml, yaml_list};
use crate::Failure;

/// The kinds of these names, in the order of dependence; all if none is named.
pub fn kinds_named(names: &[String]) -> Vec<&'static Kind> {
    let wanted = |kind: &&Kind| names.is_empty() || names.iter().any(|name| name == kind.plural);
    kinds::ALL.iter().copied().filter(wanted).collect()
}

/// Calls what the files name by ids by its name, as the server's things are.
pub fn without_ids(site: &mut Site, server: &Server<'_>) {
    for declared in &mut site.things {
        server
            .names
            .without_ids(declared.kind, &mut declared.fields);
    }
}

/// One kind as a site file tells it.
pub struct Chapter {
    /// Its name.
    pub kind: &'static str,
    /// In YAML.
    pub yaml: String,
    /// The same for programs.
    pub value: Value,
}

/// What is there, as site files would tell it.
pub async fn chapters(
    server: &mut Server<'_>,
    kinds: &[&'static Kind],
) -> Result<Vec<Chapter>, Failure> {
    let mut things = server.things(kinds).await?;
    // Of those with one name, too, the order does not depend on when they were made.
    things.sort_by_cached_key(|thing| {
        let fields = Value::Object(thing.fields.clone());
        (name(thing.kind, &thing.fields), fields.to_string())
    });
    let chapters = kinds.iter().map(|kind| {
        let things: Vec<_> = things
            .iter()
            .filter(|thing| thing.kind.plural == kind.plural)
            .map(members)
            .collect();
        chapter(kind, &things)
    });
    Ok(chapters.collect())
}

fn chapter(kind: &Kind, things: &[Members]) -> Chapter {
    let object = |members: &Members| Value::Object(members.iter().cloned().collect::<Map<_, _>>());
    let (value, yaml) = match things.first() {
        Some(thing) if kind.is_single() => {
            let value = object(thing);
            (value.clone(), yaml(&vec![(kind.plural.to_owned(), value)]))
        }
        _ => (
            things.iter().map(object).collect(),
            yaml_list(kind.plural, things),
        ),
    };
    Chapter {
        kind: kind.plural,
        yaml,
        value,
    }
}

/// The fields of a thing in the order of its table. Secrets become references for somebody to fill in.
fn members(thing: &Present) -> Members {
    let fields = thing.kind.fields.iter().filter_map(|field| {
        let value = thing.fields.get(field.name)?;
        let value = match field.form {
            form if form.is_secret() && form::secret_name(value).is_none() => {
                let name = name(thing.kind, &thing.fields);
                json!({"env": variable(&[thing.kind.noun, &name, field.name])})
            }
            _ => value.clone(),
        };
        Some((field.name.to_owned(), value))
    });
    fields.collect()
}

/// A name for the environment.
fn variable(parts: &[&str]) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    parts.join("_").chars().map(plain).collect()
}
