use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Chance, Timestamp};

/// Crockford's base32 in lower case: no `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The text is not an id of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of kind {0}")]
pub struct IdError(pub &'static str);

/// A UUIDv7 (RFC 9562): 48 bits of milliseconds, 74 bits of chance.
fn uuid_v7(now: Timestamp, chance: &dyn Chance) -> u128 {
    let mut random = [0u8; 16];
    chance.fill(&mut random);
    let random = u128::from_be_bytes(random);
    let ms = (now.ms().max(0) as u128) & 0xffff_ffff_ffff;
    let rand_a = (random >> 64) & 0xfff;
    let rand_b = random & 0x3fff_ffff_ffff_ffff;
    (ms << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b
}

/// 26 characters of base32, most significant first, in one write: ids are written several times for each request.
fn encode(value: u128, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut letters = [b'0'; 26];
    let mut rest = value;
    for letter in letters.iter_mut().rev() {
        *letter = ALPHABET.get((rest & 31) as usize).copied().unwrap_or(b'0');
        rest >>= 5;
    }
    out.write_str(std::str::from_utf8(&letters).map_err(|_| fmt::Error)?)
}

fn decode(text: &str) -> Option<u128> {
    if text.len() != 26 {
        return None;
    }
    let mut value: u128 = 0;
    for (at, letter) in text.bytes().enumerate() {
        let digit = u128::from(digit(letter)?);
        if at == 0 && digit > 7 {
            return None; // 26 × 5 = 130 bits; the first letter holds only three
        }
        value = (value << 5) | digit;
    }
    Some(value)
}

/// The place of a letter in [`ALPHABET`], without a search: ids are read several times for each request.
const fn digit(letter: u8) -> Option<u8> {
    Some(match letter {
        b'0'..=b'9' => letter - b'0',
        b'a'..=b'h' => letter - b'a' + 10,
        b'j' | b'k' => letter - b'j' + 18,
        b'm' | b'n' => letter - b'm' + 20,
        b'p'..=b't' => letter - b'p' + 22,
        b'v'..=b'z' => letter - b'v' + 27,
        _ => return None,
    })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id from the time and chance given.
            pub fn new(now: Timestamp, chance: &dyn Chance) -> Self {
                Self(uuid_v7(now, chance))
            }

            /// The id with the given bits: for ids that are fixed by convention or share a UUID.
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// The 128 bits behind the text.
            pub const fn bits(self) -> u128 {
                self.0
            }

            /// When this id was made, by its own clock bits.
            pub const fn made_at(self) -> Timestamp {
                Timestamp::from_ms((self.0 >> 80) as i64)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str($prefix)?;
                encode(self.0, out)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, out)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix).and_then(decode).map(Self).ok_or(IdError($prefix))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(input)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A tenant: the customer whose data is kept apart.
    TenantId = "ten_";
    /// A user: a person who may act.
    UserId = "usr_";
    /// A service account: a program that may act.
    ServiceAccountId = "svc_";
    /// An API key.
    KeyId = "key_";
    /// A file version and its bytes, for ever.
    FileId = "fil_";
    /// A folder. Not shown on the wire, where folders are named by path.
    FolderId = "fol_";
    /// An upload by parts.
    UploadId = "upl_";
    /// A sealed blob. Not shown on the wire.
    BlobId = "blb_";
    /// A transfer.
    TransferId = "xfr_";
    /// A remote: a far system.
    RemoteId = "rem_";
    /// A secret that remotes refer to.
    SecretId = "sec_";
    /// An OpenPGP key.
    PgpKeyId = "pgp_";
    /// A webhook: a receiver a tenant registered.
    WebhookId = "whk_";
    /// A channel: a folder whose files are handed on.
    ChannelId = "chn_";
    /// A subscriber of a channel.
    SubscriberId = "sbs_";
    /// A delivery: one try to hand one event to one webhook.
    DeliveryId = "dlv_";
    /// A flow.
    FlowId = "flw_";
    /// A run of a flow.
    FlowRunId = "run_";
    /// A journal entry read as audit record. Shares its bits with [`EventId`].
    AuditId = "aud_";
    /// A journal entry read as event.
    EventId = "evt_";
    /// A job in the durable queue.
    JobId = "job_";
    /// A calendar: which days are worked on.
    CalendarId = "cal_";
    /// A schedule: what happens by itself, and when.
    ScheduleId = "sch_";
    /// An alert: what needs attention.
    AlertId = "alr_";
    /// An alert rule: what raises alerts.
    AlertRuleId = "arl_";
    /// A request.
    RequestId = "req_";
    /// A policy decision.
    DecisionId = "dec_";
}

/// Whoever may act: the id of a user or a service account, told apart by prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalId {
    /// A person.
    User(UserId),
    /// A program.
    ServiceAccount(ServiceAccountId),
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(out),
            Self::ServiceAccount(id) => id.fmt(out),
        }
    }
}

impl fmt::Debug for PrincipalId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for PrincipalId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.starts_with(UserId::PREFIX) {
            text.parse().map(Self::User)
        } else {
            text.parse().map(Self::ServiceAccount)
        }
    }
}

impl Serialize for PrincipalId {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PrincipalId {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(input)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Chance for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn an_id_reads_back_as_itself() {
        for byte in [0, 1, 0x7f, 0xff] {
            let id = FileId::new(Timestamp::from_ms(1_795_252_440_000), &Fixed(byte));
            let text = id.to_string();
            assert_eq!(text.len(), 30);
            assert_eq!(text.parse::<FileId>(), Ok(id));
            assert_eq!(id.made_at(), Timestamp::from_ms(1_795_252_440_000));
        }
    }

    #[test]
    fn a_digit_is_the_place_of_its_letter() {
        for letter in 0..=u8::MAX {
            let place = ALPHABET.iter().position(|known| *known == letter);
            assert_eq!(digit(letter).map(usize::from), place, "{letter}");
        }
    }

    #[test]
    fn ids_of_another_kind_or_spelling_are_refused() {
        let text = FileId::from_bits(u128::MAX).to_string();
        assert!(text.parse::<UploadId>().is_err());
        assert!(text.to_uppercase().parse::<FileId>().is_err());
        assert!("fil_".parse::<FileId>().is_err());
        assert!(text.replace("fil_7", "fil_8").parse::<FileId>().is_err());
    }

    #[test]
    fn ids_sort_by_time() {
        let early = FileId::new(Timestamp::from_ms(1000), &Fixed(0xff));
        let late = FileId::new(Timestamp::from_ms(1001), &Fixed(0));
        assert!(early.to_string() < late.to_string());
    }
}
