//! What is there: reads the things of the server, and changes them one at a time.

use bailee_client::{Answer, Client, RawCall};
use serde_json::{Map, Value};

use super::form::{self, Names, shown};
use super::kinds::{self, Kind};
use crate::Failure;

/// Things that one page of a list holds.
const PAGE: &str = "500";
/// Most things of a kind.
const THINGS_MAX: usize = 100_000;

/// A thing that is there.
#[derive(Clone)]
pub struct Present {
    /// What it is.
    pub kind: &'static Kind,
    /// Where the API has it and those beside it.
    pub collection: String,
    /// Its id; empty if there is just one.
    pub id: String,
    /// Its fields in normal form.
    pub fields: Map<String, Value>,
}

impl Present {
    /// Where the API has it.
    pub fn path(&self) -> String {
        if self.id.is_empty() {
            self.collection.clone()
        } else {
            format!("{}/{}", self.collection, self.id)
        }
    }
}

/// The server as site files see it.
pub struct Server<'a> {
    client: &'a Client,
    /// What things are called.
    pub names: Names,
    /// Things that are there and that no file can tell of, each with the reason.
    pub withheld: Vec<String>,
}

impl<'a> Server<'a> {
    /// Nothing is read yet.
    pub fn new(client: &'a Client) -> Self {
        Self {
            client,
            names: Names::default(),
            withheld: Vec::new(),
        }
    }

    /// All things of these kinds. Those that they may refer to are learned by name.
    pub async fn things(&mut self, wanted: &[&'static Kind]) -> Result<Vec<Present>, Failure> {
        let is_wanted = |kind: &Kind| wanted.iter().any(|other| other.plural == kind.plural);
        let mut things = Vec::new();
        for kind in kinds::ALL {
            if !is_wanted(kind) && !wanted.iter().any(|other| refers(other, kind)) {
                continue;
            }
            for collection in self.collections(kind) {
                for thing in self.present(kind, &collection).await? {
                    let name = form::name(kind, &thing.fields);
                    self.names.learn(kind, &name, &thing.id);
                    if is_wanted(kind) {
                        things.push(thing);
                    }
                }
            }
        }
        Ok(things)
    }

    /// Where the API has the things of a kind: below each thing in which they are.
    fn collections(&self, kind: &Kind) -> Vec<String> {
        let Some(parent) = kind.parent() else {
            return vec![kind.path.to_owned()];
        };
        let kinds = kinds::ALL.iter().filter(|kind| parent.form.refers_to(kind));
        let parents = kinds.flat_map(|kind| self.names.ids(kind));
        parents.map(|id| kind.collection(&id)).collect()
    }

    /// The things of a collection that files can tell of.
    async fn present(
        &mut self,
        kind: &'static Kind,
        collection: &str,
    ) -> Result<Vec<Present>, Failure> {
        let mut present = Vec::new();
        for thing in self.all(kind, collection).await? {
            if (kind.is_gone)(&thing) {
                continue;
            }
            if let Some(withheld) = kind.withheld
                && (withheld.is)(&thing)
            {
                let name = text(&thing, "name");
                let line = format!("left out {} {name}: {}", kind.noun, withheld.why);
                self.withheld.push(line);
                continue;
            }
            let mut thing_there = Present {
                kind,
                collection: collection.to_owned(),
                id: text(&thing, kind.id),
                fields: Map::new(),
            };
            let thing = self.detailed(&thing_there, thing).await?;
            thing_there.fields = shown(kind, &thing, &self.names);
            present.push(thing_there);
        }
        Ok(present)
    }

    /// A thing with the members that only a call of their own shows.
    async fn detailed(&self, present: &Present, mut thing: Value) -> Result<Value, Failure> {
        let Some(details) = present.kind.details else {
            return Ok(thing);
        };
        let path = format!("{}{details}", present.path());
        let more = json(&self.call("GET", &path, Call::default()).await?)?;
        if let (Value::Object(thing), Value::Object(more)) = (&mut thing, more) {
            thing.extend(more);
        }
        Ok(thing)
    }

    async fn all(&self, kind: &'static Kind, collection: &str) -> Result<Vec<Value>, Failure> {
        if kind.is_single() {
            let answer = self.call("GET", collection, Call::default()).await?;
            return Ok(vec![json(&answer)?]);
        }
        let mut things = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = vec![("limit".to_owned(), PAGE.to_owned())];
            query.extend(cursor.take().map(|cursor| ("cursor".to_owned(), cursor)));
            let mut page = json(
                &self
                    .call(
                        "GET",
                        collection,
                        Call {
                            query,
                            ..Call::default()
                        },
                    )
                    .await?,
            )?;
            if let Some(Value::Array(rows)) = page.get_mut("data").map(Value::take) {
                things.extend(rows);
            }
            cursor = page
                .get("next_cursor")
                .and_then(Value::as_str)
                .map(str::to_owned);
            if cursor.is_none() {
                return Ok(things);
            }
            if things.len() > THINGS_MAX {
                return Err(Failure::Other(format!(
                    "more than {THINGS_MAX} {}",
                    kind.plural
                )));
            }
        }
    }

    /// A thing as it is now, and its ETag if it has one.
    pub async fn read(&self, thing: &Present) -> Result<(Present, Option<String>), Failure> {
        let answer = self.call("GET", &thing.path(), Call::default()).await?;
        let shows = self.detailed(thing, json(&answer)?).await?;
        let now = Present {
            fields: shown(thing.kind, &shows, &self.names),
            ..thing.clone()
        };
        Ok((now, etag(&answer)))
    }

    /// Sends a call.
    pub async fn call(&self, method: &str, path: &str, call: Call) -> Result<Answer, Failure> {
        let call = RawCall {
            method: method.to_owned(),
            path: path.to_owned(),
            query: call.query,
            body: call.body.map(Value::Object),
            if_match: call.if_match,
        };
        Ok(self.client.raw(call).await?)
    }
}

/// What goes along with a call.
#[derive(Default)]
pub struct Call {
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// Body.
    pub body: Option<Map<String, Value>>,
    /// ETag that the thing must still have.
    pub if_match: Option<String>,
}

fn refers(kind: &Kind, to: &Kind) -> bool {
    kind.fields.iter().any(|field| field.form.refers_to(to))
}

/// The ETag of an answer.
pub fn etag(answer: &Answer) -> Option<String> {
    let etag = answer.headers.get("etag")?.to_str().ok()?;
    Some(etag.to_owned())
}

/// The body of an answer.
pub fn json(answer: &Answer) -> Result<Value, Failure> {
    serde_json::from_slice(&answer.body)
        .map_err(|_| Failure::Other("the answer is not what this version expects".to_owned()))
}

/// A member that is a text; empty if it is none.
pub fn text(thing: &Value, member: &str) -> String {
    let text = thing.get(member).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}
