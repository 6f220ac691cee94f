//! The kinds of remotes that there are.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::remote::bodies;
use crate::{CreateRemote, RemoteKind};

/// A kind of remotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Connector {
    /// The word that stands as `kind` in a remote.
    pub kind: RemoteKind,
    /// What it is, for people.
    #[schema(
        example = "An SFTP server (SSH File Transfer Protocol, version 3), with `kind` `sftp`."
    )]
    pub description: String,
    /// What it can do where the server and the configuration let it.
    pub capabilities: ConnectorCapabilities,
    /// JSON Schema (draft 2020-12) of the body of `POST /remotes` for this kind.
    #[schema(value_type = Object)]
    pub configuration: Value,
}

/// What a connector can do where the server and the configuration let it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectorCapabilities {
    /// Reads can begin inside a file: a cut download goes on at the byte.
    pub can_read_at: bool,
    /// Writes can go on inside a file: a cut upload goes on at the byte.
    pub can_write_at: bool,
    /// Files can be written.
    pub can_write: bool,
    /// Folders can be listed.
    pub can_list: bool,
    /// Files can be renamed.
    pub can_rename: bool,
    /// Files can be removed.
    pub can_remove: bool,
    /// Files can be copied at the far side, without their bytes coming here.
    pub can_copy: bool,
    /// Folders are things of their own: they can be empty.
    pub has_folders: bool,
    /// A file is replaced in one step: there is no moment without one.
    pub replaces_atomically: bool,
    /// Nothing of a file is seen before it is whole, so that no temporary name is needed.
    pub appears_whole: bool,
}

/// Answer to `GET /connectors`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectorList {
    /// All kinds.
    pub data: Vec<Connector>,
}

impl Connector {
    /// The kind `kind` with its schema.
    pub fn new(kind: RemoteKind, capabilities: ConnectorCapabilities) -> Self {
        let configuration = configuration(kind.as_str());
        let description = configuration.get("description").and_then(Value::as_str);
        Self {
            description: description.unwrap_or_default().to_owned(),
            kind,
            capabilities,
            configuration,
        }
    }
}

/// The schema of a remote's body, with what it refers to.
fn configuration(kind: &str) -> Value {
    let Some((_, name, _)) = bodies().into_iter().find(|(word, ..)| *word == kind) else {
        return json!({});
    };
    let mut schemas: Vec<(String, RefOr<Schema>)> = Vec::new();
    CreateRemote::schemas(&mut schemas);
    let find = |name: &str| {
        let found = schemas.iter().find(|(known, _)| known == name);
        found.map(|(_, schema)| serde_json::to_value(schema).unwrap_or_default())
    };
    let mut own = find(name).unwrap_or_else(|| json!({}));
    let mut names = Vec::new();
    refer_within(&mut own, &mut names);
    let mut parts = serde_json::Map::new();
    while let Some(name) = names.pop() {
        let Some(mut part) = find(&name).filter(|_| !parts.contains_key(&name)) else {
            continue;
        };
        refer_within(&mut part, &mut names);
        parts.insert(name, part);
    }
    if let Value::Object(own) = &mut own {
        let draft = "https://json-schema.org/draft/2020-12/schema";
        own.insert("$schema".to_owned(), draft.into());
        if !parts.is_empty() {
            own.insert("$defs".to_owned(), Value::Object(parts));
        }
    }
    own
}

/// Has references lead to `$defs`, and notes their names.
fn refer_within(schema: &mut Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get_mut("$ref")
                && let Some(name) = target.strip_prefix("#/components/schemas/")
            {
                names.push(name.to_owned());
                *target = format!("#/$defs/{name}");
            }
            members
                .values_mut()
                .for_each(|member| refer_within(member, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer_within(item, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_schema_that_stands_alone() {
        for kind in RemoteKind::KNOWN {
            let schema = configuration(kind);
            let text = schema.to_string();
            assert!(!text.contains("#/components"), "{text}");
            assert_eq!(schema.pointer("/additionalProperties"), Some(&json!(false)));
            assert_eq!(
                schema.pointer("/properties/kind/enum"),
                Some(&json!([kind])),
                "{text}"
            );
            for reference in text.split("#/$defs/").skip(1) {
                let name = reference.split('"').next().unwrap_or_default();
                assert!(
                    schema.pointer(&format!("/$defs/{name}")).is_some(),
                    "{name}"
                );
            }
        }
    }
}
