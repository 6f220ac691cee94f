use std::fmt;

use serde::de::value::Error as ProbeError;
use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use super::section::{
    Data, Database, Egress, Events, Keys, Limits, Local, Log, Metrics, RateLimits, Secrets, Server,
    Tls, Transfers, Uploads,
};

/// Secrets: only the environment may set them.
pub(crate) const SECRETS: [&str; 2] = ["database.url", "keys.root_key"];

/// How alike two keys must be for one to be proposed for the other (0 to 1, Jaro-Winkler).
const ALIKE_MIN: f64 = 0.8;

/// Every key that exists, as `section.key`, in the order of the structs.
pub(crate) fn known() -> Vec<String> {
    sections()
        .into_iter()
        .flat_map(|(section, keys)| keys.iter().map(move |key| format!("{section}.{key}")))
        .collect()
}

/// The known key that resembles `key` most, if one does.
pub(crate) fn nearest(key: &str) -> Option<String> {
    known()
        .into_iter()
        .map(|known| (strsim::jaro_winkler(key, &known), known))
        .filter(|(alike, _)| *alike >= ALIKE_MIN)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, known)| known)
}

fn sections() -> [(&'static str, &'static [&'static str]); 15] {
    [
        ("server", fields::<Server>()),
        ("tls", fields::<Tls>()),
        ("data", fields::<Data>()),
        ("database", fields::<Database>()),
        ("keys", fields::<Keys>()),
        ("limits", fields::<Limits>()),
        ("rate_limits", fields::<RateLimits>()),
        ("egress", fields::<Egress>()),
        ("local", fields::<Local>()),
        ("secrets", fields::<Secrets>()),
        ("uploads", fields::<Uploads>()),
        ("transfers", fields::<Transfers>()),
        ("events", fields::<Events>()),
        ("log", fields::<Log>()),
        ("metrics", fields::<Metrics>()),
    ]
}

/// Field names of a struct, asked of its `Deserialize`, so that there is no second list to forget.
fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut found: &'static [&'static str] = &[];
    // The probe always ends in an error; what counts is what it saw.
    let _error = T::deserialize(Probe(&mut found)).err();
    found
}

struct Probe<'a>(&'a mut &'static [&'static str]);

impl fmt::Debug for Probe<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Probe")
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = ProbeError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, ProbeError> {
        *self.0 = fields;
        Err(ProbeError::custom("probe"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, ProbeError> {
        Err(ProbeError::custom("probe"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::super::section::Config;
    use super::*;

    #[test]
    fn every_section_is_listed() {
        let listed: Vec<_> = sections().into_iter().map(|(section, _)| section).collect();
        assert_eq!(listed, fields::<Config>());
        assert!(sections().iter().all(|(_, keys)| !keys.is_empty()));
        assert!(
            SECRETS
                .iter()
                .all(|secret| known().iter().any(|known| known == secret))
        );
    }

    #[test]
    fn a_slip_finds_its_key_and_nonsense_finds_none() {
        assert_eq!(
            nearest("tls.certifcate").as_deref(),
            Some("tls.certificate")
        );
        assert_eq!(
            nearest("limit.connections").as_deref(),
            Some("limits.connections")
        );
        assert_eq!(nearest("zzz.qqq"), None);
    }
}
