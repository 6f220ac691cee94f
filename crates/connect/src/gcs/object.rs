//! The service's words for an object and for lists of them.

use bailee_model::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::connector::{EntryKind, RemoteEntry};
use crate::fault::{Fault, Result};

/// What is asked of each object.
pub(super) const FIELDS: &str = "name,size,updated,generation,crc32c";

#[derive(Debug, Deserialize)]
pub(super) struct Object {
    #[serde(default)]
    pub name: String,
    /// Decimal digits: 64 bits are too many for a JSON number.
    pub size: Option<Text>,
    pub updated: Option<String>,
    pub generation: Option<Text>,
    crc32c: Option<String>,
}

/// A number that most servers write as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Digits(String),
    Number(u64),
}

impl Text {
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Digits(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    pub items: Vec<Object>,
    #[serde(default)]
    pub prefixes: Vec<String>,
    #[serde(rename = "nextPageToken")]
    pub next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Rewritten {
    pub done: bool,
    #[serde(rename = "rewriteToken")]
    pub token: Option<String>,
}

impl Object {
    pub(super) fn size_bytes(&self) -> Option<u64> {
        self.size.as_ref()?.number()
    }

    pub(super) fn generation(&self) -> Option<u64> {
        self.generation.as_ref()?.number()
    }

    /// CRC-32C of the content.
    pub(super) fn crc32c(&self) -> Option<u32> {
        let bytes = STANDARD.decode(self.crc32c.as_deref()?).ok()?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    }

    pub(super) fn entry(&self, name: &str) -> RemoteEntry {
        RemoteEntry {
            name: name.to_owned(),
            kind: EntryKind::File,
            size_bytes: self.size_bytes(),
            modified: self.updated.as_deref().and_then(Timestamp::parse),
            version: self.generation().map(|generation| generation.to_string()),
        }
    }
}

/// The document in an answer.
pub(super) fn read<'a, T: Deserialize<'a>>(document: &'a [u8]) -> Result<T> {
    serde_json::from_slice(document)
        .map_err(|_| Fault::protocol("the far system's document cannot be read"))
}
