//! Fields of a JSON Merge Patch (RFC 7396): absent, `null` and a value are three different wishes.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a merge patch wants of one field that may be empty.
///
/// The field needs `#[serde(default, skip_serializing_if = "Patch::is_keep")]`: absence is the default, and a kept
/// field is not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Absent: leave it as it is.
    #[default]
    Keep,
    /// `null`: empty it.
    Clear,
    /// A value: replace it.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the field was absent.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Applies the wish to a field that is empty as `None`.
    pub fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }

    /// Applies the wish to a field that is empty as its default (a list, a map).
    pub fn apply_or_default(self, field: &mut T)
    where
        T: Default,
    {
        match self {
            Self::Keep => {}
            Self::Clear => *field = T::default(),
            Self::Set(value) => *field = value,
        }
    }
}

impl<V> Patch<BTreeMap<String, Option<V>>> {
    /// Merges entry by entry: `null` removes an entry, a value sets it, and entries not named stay.
    pub fn merge(self, entries: &mut BTreeMap<String, V>) {
        match self {
            Self::Keep => {}
            Self::Clear => entries.clear(),
            Self::Set(wishes) => {
                for (name, wish) in wishes {
                    match wish {
                        Some(value) => entries.insert(name, value),
                        None => entries.remove(&name),
                    };
                }
            }
        }
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => out.serialize_none(),
            Self::Set(value) => value.serialize(out),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(input)?.map_or(Self::Clear, Self::Set))
    }
}

/// For a field that may be absent from a patch but cannot be emptied: `null` is refused.
pub(crate) fn given<'de, D, T>(input: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(input).map(Some)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wish {
        #[serde(default, skip_serializing_if = "Patch::is_keep")]
        label: Patch<String>,
    }

    #[test]
    fn absent_null_and_a_value_are_three_wishes() {
        for (text, wish) in [
            ("{}", Patch::Keep),
            (r#"{"label":null}"#, Patch::Clear),
            (r#"{"label":"a"}"#, Patch::Set("a".to_owned())),
        ] {
            let read: Wish = serde_json::from_str(text).unwrap();
            assert_eq!(read.label, wish);
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
    }

    #[test]
    fn entries_merge_one_by_one() {
        let mut entries = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
        let patch: Patch<BTreeMap<String, Option<i32>>> =
            serde_json::from_str(r#"{"a":null,"c":3}"#).unwrap();
        patch.merge(&mut entries);
        assert_eq!(
            entries,
            BTreeMap::from([("b".to_owned(), 2), ("c".to_owned(), 3)])
        );
    }
}
