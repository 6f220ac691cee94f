//! Structs are read from JSON objects only. serde would take the fields from an array as well, by position, and
//! clients would come to lean on an order that no document tells.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Patch;

/// A struct, or a tagged enum of structs, that was sent as an object.
pub struct OfObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OfObject<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(Reader(PhantomData)).map(Self)
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
    type Value = T;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries))
    }
}

/// For a field that is an object.
pub(crate) fn plain<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    OfObject::deserialize(input).map(|object| object.0)
}

/// For a field that is an object or `null`; absence needs `#[serde(default)]`.
pub(crate) fn or_null<'de, D, T>(input: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let object = Option::<OfObject<T>>::deserialize(input)?;
    Ok(object.map(|object| object.0))
}

/// For a patch of a field that is an object.
pub(crate) fn patch<'de, D, T>(input: D) -> Result<Patch<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(or_null(input)?.map_or(Patch::Clear, Patch::Set))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::{ChangeApiKey, CreateApiKey, CreateTransfer, CreateWebhook};

    fn is_read<T: for<'de> Deserialize<'de>>(text: &str) -> bool {
        serde_json::from_str::<OfObject<T>>(text).is_ok()
    }

    #[test]
    fn an_array_is_no_object_at_any_depth() {
        assert!(!is_read::<CreateApiKey>(r#"["a",["files:read"]]"#));
        for (limits, fits) in [
            (r#"{"reads_per_minute":1}"#, true),
            ("null", true),
            ("[1,2]", false),
        ] {
            let text = format!(r#"{{"name":"a","scopes":["files:read"],"limits":{limits}}}"#);
            assert_eq!(is_read::<CreateApiKey>(&text), fits, "{limits}");
            let text = format!(r#"{{"limits":{limits}}}"#);
            assert_eq!(is_read::<ChangeApiKey>(&text), fits, "{limits}");
        }
        for (filters, fits) in [(r#"{"path_prefix":null}"#, true), ("[null]", false)] {
            let text = format!(r#"{{"url":"https://a","types":["*"],"filters":{filters}}}"#);
            assert_eq!(is_read::<CreateWebhook>(&text), fits, "{filters}");
        }
        for (end, fits) in [(r#"{"path":"/a"}"#, true), (r#"["/a"]"#, false)] {
            let text = format!(r#"{{"source":"a","destination":{end}}}"#);
            assert_eq!(is_read::<CreateTransfer>(&text), fits, "{end}");
        }
    }

    #[test]
    fn what_may_be_absent_stays_so() {
        let OfObject(key) =
            serde_json::from_str::<OfObject<CreateApiKey>>(r#"{"name":"a","scopes":[]}"#).unwrap();
        assert!(key.limits.is_none());
        let OfObject(change) = serde_json::from_str::<OfObject<ChangeApiKey>>("{}").unwrap();
        assert!(change.limits.is_keep());
    }
}
