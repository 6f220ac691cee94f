//! Carries a plan out, one thing after the other, up to the first failure.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bailee_client::Error;
use serde_json::{Map, Value, json};

use super::form::{self, reference, secret_name, secret_source};
use super::kinds::{Absent, Field, Form, Kind, Time, Update};
use super::plan::{Change, Plan, Step};
use super::read::{Declared, Place};
use super::server::{Call, Present, Server, etag, json, text};
use crate::Failure;
use crate::session::{Session, read_secret};

/// How a thing is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Way {
    method: &'static str,
    /// What stands behind the path of the thing.
    suffix: &'static str,
}

/// One call that changes a thing, and what it sends.
type Sent = (Way, Map<String, Value>);

const REFRESH: Way = Way {
    method: "POST",
    suffix: "/refresh",
};
const PUT: Way = Way {
    method: "PUT",
    suffix: "",
};
const PATCH: Way = Way {
    method: "PATCH",
    suffix: "",
};

/// What carries a plan out.
pub struct Carrier<'a> {
    /// Whom to tell.
    pub session: &'a Session,
    /// Where things are.
    pub server: Server<'a>,
    /// Where secrets go that the server shows once.
    pub secrets_to: Option<PathBuf>,
}

impl Carrier<'_> {
    /// Does it all. What was done before a failure stays done.
    pub async fn carry(&mut self, plan: &Plan) -> Result<(), Failure> {
        let secrets = secrets(plan)?;
        let total = plan.steps.len();
        for (done, (step, secrets)) in plan.steps.iter().zip(secrets).enumerate() {
            let result = match step {
                Step::Make(declared) => self.make(declared, secrets).await,
                Step::Change {
                    declared,
                    present,
                    changes,
                } => self.change((declared, present), changes, secrets).await,
                Step::Remove(present) => self.remove(present).await,
            };
            let what = step.what();
            if let Err(failure) = result {
                if let Step::Make(declared) | Step::Change { declared, .. } = step {
                    told_by_place(declared, &failure);
                }
                self.session.say(&format!(
                    "{done} of {total} done; {} {what} failed, and what follows was not tried",
                    step.action()
                ));
                return Err(failure);
            }
            self.session.say(&format!("{}: {what}", past(step)));
        }
        Ok(())
    }

    async fn make(&mut self, declared: &Declared, secrets: Secrets) -> Result<(), Failure> {
        let kind = declared.kind;
        let collection = self.collection(declared)?;
        let mut body = Map::new();
        let mut rest = Map::new();
        for field in kind.fields {
            let Some(value) = declared.fields.get(field.name) else {
                continue;
            };
            let is_later =
                field.time == Time::Later || matches!(field.form, Form::OrNever) && value.is_null();
            let into = if is_later { &mut rest } else { &mut body };
            self.put(into, declared, (field, value))?;
        }
        body.extend(secrets.0);
        let call = Call {
            body: Some(body),
            ..Call::default()
        };
        let answer = self.server.call("POST", &collection, call).await?;
        let thing = json(&answer)?;
        let id = text(&thing, kind.id);
        let name = form::name(kind, &declared.fields);
        self.server.names.learn(kind, &name, &id);
        self.keep_shown(kind, &name, &thing)?;
        if rest.is_empty() {
            return Ok(());
        }
        let call = Call {
            body: Some(rest),
            if_match: etag(&answer),
            ..Call::default()
        };
        let path = format!("{collection}/{id}");
        self.server.call("PATCH", &path, call).await?;
        Ok(())
    }

    async fn change(
        &self,
        (declared, present): (&Declared, &Present),
        changes: &[Change],
        secrets: Secrets,
    ) -> Result<(), Failure> {
        let (now, if_match) = self.server.read(present).await?;
        if now.fields != present.fields {
            return Err(Failure::Other(format!(
                "{} {} was changed by somebody else meanwhile; look at the differences again",
                declared.kind.noun,
                form::name(declared.kind, &declared.fields)
            )));
        }
        let mut if_match = if_match;
        for (way, body) in self.bodies((declared, present), changes, secrets)? {
            let call = Call {
                body: Some(body),
                if_match: if_match.filter(|_| way.method != "POST"),
                ..Call::default()
            };
            let path = format!("{}{}", present.path(), way.suffix);
            if_match = etag(&self.server.call(way.method, &path, call).await?);
        }
        Ok(())
    }

    /// What is sent to change a thing, in order.
    fn bodies(
        &self,
        (declared, present): (&Declared, &Present),
        changes: &[Change],
        secrets: Secrets,
    ) -> Result<Vec<Sent>, Failure> {
        let update = declared.kind.update;
        let way_of = |change: &Change| match (change.field.time, update) {
            (Time::Refreshed, _) => REFRESH,
            (_, Update::Patch) | (Time::Later, Update::PutAndPatch) => PATCH,
            (_, Update::Put | Update::PutAndPatch) => PUT,
        };
        let mut bodies = Vec::new();
        for way in [REFRESH, PUT, PATCH] {
            let changes: Vec<_> = changes
                .iter()
                .filter(|change| way_of(change) == way)
                .collect();
            if changes.is_empty() {
                continue;
            }
            let body = match way {
                PUT => self.whole((declared, present), &changes)?,
                _ => self.patch(declared, &changes)?,
            };
            bodies.push((way, body));
        }
        // Secrets are of things that are changed in one way.
        if let Some((_, body)) = bodies.last_mut() {
            body.extend(secrets.0);
        }
        Ok(bodies)
    }

    fn patch(
        &self,
        declared: &Declared,
        changes: &[&Change],
    ) -> Result<Map<String, Value>, Failure> {
        let mut body = Map::new();
        for change in changes {
            if let Form::Object(_) = change.field.form {
                let patch = merged(&change.from, &change.to);
                body.insert(change.field.wire().to_owned(), patch);
            } else {
                self.put(&mut body, declared, (change.field, &change.to))?;
            }
        }
        Ok(body)
    }

    /// All of a thing as it should be.
    fn whole(
        &self,
        (declared, present): (&Declared, &Present),
        changes: &[&Change],
    ) -> Result<Map<String, Value>, Failure> {
        let mut body = Map::new();
        // What is of another kind has other fields.
        let is_same_kind = changes.iter().all(|change| change.field.name != "kind");
        for field in declared.kind.fields {
            let stays = is_same_kind && matches!(field.absent, Absent::AsItIs);
            let value = declared.fields.get(field.name);
            let value = value.or_else(|| present.fields.get(field.name).filter(|_| stays));
            if let Some(value) = value.filter(|_| field.time != Time::Later) {
                self.put(&mut body, declared, (field, value))?;
            }
        }
        Ok(body)
    }

    async fn remove(&self, present: &Present) -> Result<(), Failure> {
        let (_, if_match) = self.server.read(present).await?;
        let call = Call {
            if_match,
            ..Call::default()
        };
        self.server.call("DELETE", &present.path(), call).await?;
        Ok(())
    }

    /// Where the API has a thing that is to be made.
    fn collection(&self, declared: &Declared) -> Result<String, Failure> {
        let Some(parent) = declared.kind.parent() else {
            return Ok(declared.kind.path.to_owned());
        };
        let name = declared.fields.get(parent.name).unwrap_or(&Value::Null);
        let id = self.wired((parent, name), &declared.place)?;
        Ok(declared.kind.collection(id.as_str().unwrap_or_default()))
    }

    /// Puts a field into a body. What stands in the path, and secrets, which are read elsewhere, do not.
    fn put(
        &self,
        body: &mut Map<String, Value>,
        declared: &Declared,
        (field, value): (&Field, &Value),
    ) -> Result<(), Failure> {
        let is_secret = field.form.is_secret() && secret_source(value).is_some();
        let parent = declared.kind.parent();
        if is_secret || parent.is_some_and(|parent| parent.name == field.name) {
            return Ok(());
        }
        match (field.form, self.wired((field, value), &declared.place)?) {
            (Form::Document(_), Value::Object(document)) => body.extend(document),
            (_, value) => _ = body.insert(field.wire().to_owned(), value),
        }
        Ok(())
    }

    /// A value as the API takes it.
    fn wired(&self, (field, value): (&Field, &Value), place: &Place) -> Result<Value, Failure> {
        let secret = field.form.is_secret().then(|| secret_name(value)).flatten();
        let is_reference = matches!(field.form, Form::Reference(..));
        if value.is_null() || !is_reference && secret.is_none() {
            return Ok(self.server.names.numbered(value, field.form.inner()));
        }
        let id = self.server.names.id_of(value).ok_or_else(|| {
            let (noun, name) = reference(value).unwrap_or_default();
            let at = place.of(&format!("/{}", field.name));
            Failure::Site(vec![format!("{at}: there is no {noun} {name}")])
        })?;
        Ok(match secret {
            Some(_) => json!({"secret_id": id}),
            None => Value::String(id),
        })
    }

    /// Keeps a secret that the server showed this once, in a file that nobody else can read.
    fn keep_shown(&self, kind: &Kind, name: &str, thing: &Value) -> Result<(), Failure> {
        let secret = kind.shown_once.map(|member| text(thing, member));
        let Some(secret) = secret.filter(|secret| !secret.is_empty()) else {
            return Ok(());
        };
        let Some(folder) = &self.secrets_to else {
            let hint = "--secrets-to keeps such secrets; rotating makes another";
            self.session.say(&format!(
                "the secret of {} {name} was not kept: {hint}",
                kind.noun
            ));
            return Ok(());
        };
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        };
        let name: String = name.chars().map(plain).take(80).collect();
        let file = folder.join(format!("{}-{name}-{}", kind.noun, text(thing, kind.id)));
        write_private(folder, &file, &secret)?;
        self.session
            .say(&format!("its secret is in {}", file.display()));
        Ok(())
    }
}

/// Secrets of a step, by their names on the wire. They have no `Debug`.
struct Secrets(Map<String, Value>);

/// Reads all secrets that a plan needs before anything is done.
fn secrets(plan: &Plan) -> Result<Vec<Secrets>, Failure> {
    let mut faults = Vec::new();
    let mut all = Vec::new();
    for step in &plan.steps {
        let mut secrets = Map::new();
        if let Step::Make(declared) | Step::Change { declared, .. } = step {
            for field in declared.kind.fields {
                let value = declared.fields.get(field.name);
                let Some((source, name)) = value
                    .filter(|_| field.form.is_secret())
                    .and_then(secret_source)
                else {
                    continue;
                };
                match secret(source, name, &declared.place) {
                    Ok(secret) => {
                        secrets.insert(field.wire().to_owned(), Value::String(secret));
                    }
                    Err(fault) => {
                        let at = declared.place.of(&format!("/{}", field.name));
                        faults.push(format!("{at}: {fault}"));
                    }
                }
            }
        }
        all.push(Secrets(secrets));
    }
    if faults.is_empty() {
        Ok(all)
    } else {
        Err(Failure::Site(faults))
    }
}

fn secret(source: &str, name: &str, place: &Place) -> Result<String, String> {
    if source == "env" {
        let secret = std::env::var(name).ok().filter(|text| !text.is_empty());
        return secret.ok_or_else(|| format!("the environment has no text `{name}`"));
    }
    // Keys in PEM keep their lines; `read_secret` takes off only the last line's end.
    read_secret(&place.beside(name)).map_err(|failure| failure.to_string())
}

/// A merge patch that makes an object of another: members that are no more are null.
fn merged(from: &Value, to: &Value) -> Value {
    let (Value::Object(from), Value::Object(to)) = (from, to) else {
        return to.clone();
    };
    let gone = from.keys().filter(|name| !to.contains_key(*name));
    let mut patch: Map<_, _> = gone.map(|name| (name.clone(), Value::Null)).collect();
    for (name, value) in to {
        let value = merged(from.get(name).unwrap_or(&Value::Null), value);
        patch.insert(name.clone(), value);
    }
    Value::Object(patch)
}

/// Tells where in the files the fields stand that the server refused.
fn told_by_place(declared: &Declared, failure: &Failure) {
    let Failure::Client(Error::Api { problem, .. }) = failure else {
        return;
    };
    for error in &problem.errors {
        let pointer = error.pointer.trim_start_matches('#');
        let first = pointer.trim_start_matches('/').split('/').next();
        let first = first.unwrap_or_default();
        let field = declared
            .kind
            .fields
            .iter()
            .find(|field| field.wire() == first);
        let is_document = |field: &&Field| matches!(field.form, Form::Document(_));
        let document = declared.kind.fields.iter().find(is_document);
        let pointer = match (field, document) {
            (Some(field), _) => pointer.replacen(first, field.name, 1),
            (None, Some(document)) => format!("/{}{pointer}", document.name),
            (None, None) => pointer.to_owned(),
        };
        let line = format!("{}: {}", declared.place.of(&pointer), error.detail);
        eprintln!("error: {}", crate::failure::visible(&line));
    }
}

fn past(step: &Step) -> &'static str {
    match step {
        Step::Make(_) => "made",
        Step::Change { .. } => "changed",
        Step::Remove(_) => "removed",
    }
}

fn write_private(folder: &Path, file: &Path, secret: &str) -> Result<(), Failure> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(Failure::local("make", folder))?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let write = || {
        let mut out = options.open(file)?;
        out.write_all(secret.as_bytes())?;
        out.sync_all()
    };
    write().map_err(Failure::local("write", file))
}
