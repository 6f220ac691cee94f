use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{PgpKeyId, Timestamp};

/// A key's name: `[a-z0-9][a-z0-9-]{0,62}`. Flows name keys by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PgpKeyName(String);

impl PgpKeyName {
    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PgpKeyName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if text.is_empty() || text.len() > 63 || !letters || text.starts_with('-') {
            return Err(
                "a key's name is 1 to 63 of a-z, 0-9 and -, and does not begin with a hyphen",
            );
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for PgpKeyName {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for PgpKeyName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// How flows name a key: by id or by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PgpKeyRef {
    /// By id, which stays.
    Id(PgpKeyId),
    /// By name, behind which another key may be put.
    Name(PgpKeyName),
}

impl FromStr for PgpKeyRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .map(Self::Id)
            .or_else(|_| text.parse().map(Self::Name))
    }
}

impl fmt::Display for PgpKeyRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(out),
            Self::Name(name) => name.fmt(out),
        }
    }
}

impl Serialize for PgpKeyRef {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PgpKeyRef {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PgpUsage {
    /// To encrypt for its owner, and to decrypt where its secret part is here.
    Encrypt,
    /// To verify its owner's signatures, and to sign where its secret part is here.
    Sign,
}

impl PgpUsage {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Encrypt, Self::Sign];

    /// The usage as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Sign => "sign",
        }
    }
}

/// Whether an administrator stands behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PgpKeyTrust {
    /// Its fingerprint was compared: flows may use it.
    Trusted,
    /// It is kept, and nothing may use it.
    Untrusted,
}

/// How a key stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PgpKeyState {
    /// It is good.
    Valid,
    /// Its time ran out.
    Expired,
    /// Its owner revoked it.
    Revoked,
}

/// The primary key or a subkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PgpKeyPart {
    /// In upper-case hexadecimal.
    pub fingerprint: String,
    /// Its algorithm.
    pub algorithm: String,
    /// When its owner made it.
    pub created_at: Timestamp,
    /// When its time runs out; never if absent.
    pub expires_at: Option<Timestamp>,
    /// Whether its owner revoked it.
    pub is_revoked: bool,
    /// Whether it encrypts while it is valid.
    pub can_encrypt: bool,
    /// Whether it signs while it is valid.
    pub can_sign: bool,
}

impl PgpKeyPart {
    /// How it stands.
    pub fn state(&self, now: Timestamp) -> PgpKeyState {
        if self.is_revoked {
            PgpKeyState::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            PgpKeyState::Expired
        } else {
            PgpKeyState::Valid
        }
    }
}

/// An OpenPGP key that a tenant knows: a partner's public key, or one of its own with its secret part. The key itself is
/// kept beside it, as [`PgpMaterial`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PgpKey {
    /// Its id.
    pub id: PgpKeyId,
    /// Unique in the tenant.
    pub name: PgpKeyName,
    /// Whose it is, as `Name <address>`; the main one first.
    pub user_ids: Vec<String>,
    /// The primary key.
    pub primary: PgpKeyPart,
    /// Its subkeys.
    pub subkeys: Vec<PgpKeyPart>,
    /// Whether its secret part is here.
    pub has_secret: bool,
    /// What it may be used for.
    pub usage: Vec<PgpUsage>,
    /// Whether an administrator stands behind it.
    pub trust: PgpKeyTrust,
    /// Since when it is here.
    pub created_at: Timestamp,
    /// Rises with every change: the object's ETag.
    pub revision: u64,
}

impl PgpKey {
    /// How the key as a whole stands.
    pub fn state(&self, now: Timestamp) -> PgpKeyState {
        self.primary.state(now)
    }

    /// Whether some part of it does `usage` at `now`, whatever the tenant allows.
    pub fn can(&self, usage: PgpUsage, now: Timestamp) -> bool {
        let fits = |part: &PgpKeyPart| match usage {
            PgpUsage::Encrypt => part.can_encrypt,
            PgpUsage::Sign => part.can_sign,
        };
        self.state(now) == PgpKeyState::Valid
            && std::iter::once(&self.primary)
                .chain(&self.subkeys)
                .any(|part| fits(part) && part.state(now) == PgpKeyState::Valid)
    }

    /// Whether the tenant lets it be used for `usage`.
    pub fn is_for(&self, usage: PgpUsage) -> bool {
        self.trust == PgpKeyTrust::Trusted && self.usage.contains(&usage)
    }
}

/// A key itself.
#[derive(Clone, PartialEq, Eq)]
pub struct PgpMaterial {
    /// The public part, binary.
    pub public: Vec<u8>,
    /// The secret part with what opens it, sealed by the tenant's wrapping_key.
    pub sealed_secret: Option<Vec<u8>>,
}

impl fmt::Debug for PgpMaterial {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PgpMaterial").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(expires_ms: Option<i64>) -> PgpKeyPart {
        PgpKeyPart {
            fingerprint: "AB".to_owned(),
            algorithm: "EdDSA".to_owned(),
            created_at: Timestamp::from_ms(0),
            expires_at: expires_ms.map(Timestamp::from_ms),
            is_revoked: false,
            can_encrypt: false,
            can_sign: true,
        }
    }

    #[test]
    fn a_key_ends_at_its_time_and_all_its_parts_with_it() {
        let mut key = PgpKey {
            id: PgpKeyId::from_bits(1),
            name: PgpKeyName("a".to_owned()),
            user_ids: Vec::new(),
            primary: part(Some(1000)),
            subkeys: vec![PgpKeyPart {
                can_encrypt: true,
                ..part(Some(500))
            }],
            has_secret: false,
            usage: vec![PgpUsage::Sign],
            trust: PgpKeyTrust::Trusted,
            created_at: Timestamp::from_ms(0),
            revision: 1,
        };
        let at = Timestamp::from_ms;
        assert!(key.can(PgpUsage::Encrypt, at(499)));
        assert!(!key.can(PgpUsage::Encrypt, at(500)), "its subkey has ended");
        assert!(key.can(PgpUsage::Sign, at(999)));
        assert_eq!(key.state(at(1000)), PgpKeyState::Expired);
        assert!(!key.can(PgpUsage::Sign, at(1000)));
        assert!(key.is_for(PgpUsage::Sign) && !key.is_for(PgpUsage::Encrypt));
        key.primary.is_revoked = true;
        assert_eq!(key.state(at(1)), PgpKeyState::Revoked);
        key.trust = PgpKeyTrust::Untrusted;
        assert!(!key.is_for(PgpUsage::Sign));
    }

    #[test]
    fn names_are_short_words() {
        for good in ["a", "partner-2026", "0x"] {
            assert!(good.parse::<PgpKeyName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a b", "a_b", "ä", &"a".repeat(64)] {
            assert!(bad.parse::<PgpKeyName>().is_err(), "{bad}");
        }
    }
}
