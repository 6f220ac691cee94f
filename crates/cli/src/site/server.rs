//! What is there: reads the things of the server, and changes them one at a time.

use bailee_client::{Answer, Client, RawCall};
use serde_json::{Map, Value};

use super::form::{self, Names, shown};
use super::kinds::{self, Form, Kind};
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
    /// Its id; empty if there is just one.
    pub id: String,
    /// Its fields in normal form.
    pub fields: Map<String, Value>,
}

impl Present {
    /// Where the API has it.
    pub fn path(&self) -> String {
        path_of(self.kind, &self.id)
    }
}

/// Where the API has a thing.
pub fn path_of(kind: &Kind, id: &str) -> String {
    if id.is_empty() {
        kind.path.to_owned()
    } else {
        format!("{}/{id}", kind.path)
    }
}

/// The server as site files see it.
pub struct Server<'a> {
    client: &'a Client,
    /// What things are called.
    pub names: Names,
}

impl<'a> Server<'a> {
    /// Nothing is read yet.
    pub fn new(client: &'a Client) -> Self {
        Self {
            client,
            names: Names::default(),
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
            for thing in self.all(kind).await? {
                if (kind.is_gone)(&thing) {
                    continue;
                }
                let id = text(&thing, kind.id);
                let fields = shown(kind, &thing, &self.names);
                self.names.learn(kind, &form::name(kind, &fields), &id);
                if is_wanted(kind) {
                    things.push(Present { kind, id, fields });
                }
            }
        }
        Ok(things)
    }

    async fn all(&self, kind: &'static Kind) -> Result<Vec<Value>, Failure> {
        if kind.is_single() {
            let answer = self.call("GET", kind.path, Call::default()).await?;
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
                        kind.path,
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
        let now = Present {
            fields: shown(thing.kind, &json(&answer)?, &self.names),
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
    kind.fields.iter().any(|field| match field.form {
        Form::Reference(_, kinds) => kinds.iter().any(|kind| kind.plural == to.plural),
        _ => false,
    })
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
