//! The text of an API key: `bailee_<env>_<id><secret>` with separators and a checksum.
//!
//! ```text
//! bailee_live_01hzy3v7k2m4n6p8q0r2s4t6v8_<43 letters of secret><6 letters of checksum>
//! ```
//! The fixed beginning and the checksum are for leak scanners, and let a typing error be told without a look-up.
//! The secret is shown once; only [`KeyText::hash`] is ever stored. Absent: whether the key is known and good.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use bailee_model::{Chance, KeyId};
use crc_fast::CrcAlgorithm;
use zeroize::Zeroizing;

const BRAND: &str = "bailee";
/// Letters of secret and checksum, by value. A constant of the format.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 256 bits of chance.
const SECRET_BYTES: usize = 32;
/// Letters that hold 256 bits: 62^43 > 2^256.
const SECRET_LETTERS: usize = 43;
/// Letters that hold a CRC-32: 62^6 > 2^32.
const CHECKSUM_LETTERS: usize = 6;

/// For which kind of installation a key was made. Shown in the text, so that nobody takes one for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEnv {
    /// A real installation.
    Live,
    /// One started with `serve --dev`.
    Dev,
}

impl KeyEnv {
    /// As in the key text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Dev => "dev",
        }
    }
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// It does not look like one.
    #[error("the text is not an API key")]
    NotAKey,
    /// It looks like one and a letter is wrong.
    #[error("the API key has a typing error: its checksum does not fit")]
    Checksum,
}

/// A whole API key with its secret. Wiped from memory when dropped; `Debug` shows only what is public.
pub struct KeyText {
    text: Zeroizing<String>,
    env: KeyEnv,
    id: KeyId,
    hash: String,
}

impl KeyText {
    /// A new key text with a new secret, for the key `id`.
    pub fn make(env: KeyEnv, id: KeyId, chance: &dyn Chance) -> Self {
        let mut bits = Zeroizing::new([0u8; SECRET_BYTES]);
        chance.fill(bits.as_mut_slice());
        let secret = Zeroizing::new(letters::<SECRET_LETTERS>(bits.as_mut_slice()));
        let id_text = id.to_string();
        let id_letters = id_text.strip_prefix(KeyId::PREFIX).unwrap_or(&id_text);
        // One allocation, so that growing leaves no copy of the secret behind.
        let mut text = Zeroizing::new(String::with_capacity(128));
        for piece in [BRAND, "_", env.as_str(), "_", id_letters, "_", &secret] {
            text.push_str(piece);
        }
        let checksum = checksum(&text);
        text.push_str(&checksum);
        let hash = hash(&secret);
        Self {
            text,
            env,
            id,
            hash,
        }
    }

    /// Reads a key text. Neither error says anything about whether such a key exists.
    pub fn parse(text: &str) -> Result<Self, KeyTextError> {
        let (env, id, tail) = split(text).ok_or(KeyTextError::NotAKey)?;
        let (secret, shown) = tail
            .split_at_checked(SECRET_LETTERS)
            .ok_or(KeyTextError::NotAKey)?;
        let body = text.strip_suffix(shown).ok_or(KeyTextError::NotAKey)?;
        if checksum(body) != shown {
            return Err(KeyTextError::Checksum);
        }
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            env,
            id,
            hash: hash(secret),
        })
    }

    /// Which key it claims to be.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// For which kind of installation it was made.
    pub fn env(&self) -> KeyEnv {
        self.env
    }

    /// The whole text, secret included: to be shown once, and never logged.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the secret part, lower-case hex: what is stored.
    pub fn hash(&self) -> String {
        self.hash.clone()
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "KeyText({}, {}, …)", self.env.as_str(), self.id)
    }
}

/// Whether two hashes are the same, in a time that does not tell where they differ.
pub fn same_hash(a: &str, b: &str) -> bool {
    constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

/// Environment, id, and secret with checksum, if the text has the shape of a key.
fn split(text: &str) -> Option<(KeyEnv, KeyId, &str)> {
    let rest = text.strip_prefix(BRAND)?.strip_prefix('_')?;
    let (env, rest) = rest.split_once('_')?;
    let (id, tail) = rest.split_once('_')?;
    let env = [KeyEnv::Live, KeyEnv::Dev]
        .into_iter()
        .find(|known| known.as_str() == env)?;
    let id = format!("{}{id}", KeyId::PREFIX).parse().ok()?;
    let is_whole = tail.len() == SECRET_LETTERS + CHECKSUM_LETTERS;
    (is_whole && tail.bytes().all(|b| b.is_ascii_alphanumeric())).then_some((env, id, tail))
}

/// CRC-32 (ISO-HDLC, as in zip) of everything before the checksum. It finds each change of up to four letters in a row.
fn checksum(body: &str) -> String {
    let crc = crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, body.as_bytes()) as u32;
    letters::<CHECKSUM_LETTERS>(&mut crc.to_be_bytes())
}

fn hash(secret: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, secret.as_bytes()))
}

/// The number in `bits` (most significant first) as `LETTERS` letters to the base 62. Leaves `bits` all zero.
fn letters<const LETTERS: usize>(bits: &mut [u8]) -> String {
    let mut places = [0u32; LETTERS];
    for place in places.iter_mut().rev() {
        let mut rest = 0u32;
        for byte in bits.iter_mut() {
            let value = (rest << 8) | u32::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        *place = rest;
    }
    let letter = |value: &u32| {
        ALPHABET
            .get(*value as usize)
            .map_or('0', |b| char::from(*b))
    };
    let mut text = String::with_capacity(LETTERS);
    text.extend(places.iter().map(letter));
    zeroize::Zeroize::zeroize(&mut places);
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    struct Fixed([u8; SECRET_BYTES]);
    impl Chance for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            for (byte, fixed) in bytes.iter_mut().zip(self.0) {
                *byte = fixed;
            }
        }
    }

    fn sample(byte: u8) -> KeyText {
        KeyText::make(KeyEnv::Live, KeyId::from_bits(7), &Fixed([byte; 32]))
    }

    #[test]
    fn the_format_is_as_it_always_was() {
        assert_eq!(
            sample(0xff).reveal(),
            "bailee_live_00000000000000000000000007_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp12MlluW"
        );
        assert_eq!(
            sample(0).hash(),
            hash("0000000000000000000000000000000000000000000")
        );
    }

    #[test]
    fn each_wrong_letter_is_found() {
        let good = sample(0x5a);
        for at in 0..good.reveal().len() {
            for letter in b' '..=b'~' {
                let mut bytes = good.reveal().as_bytes().to_vec();
                let place = bytes.get_mut(at).unwrap();
                if *place == letter {
                    continue;
                }
                *place = letter;
                let bad = String::from_utf8(bytes).unwrap();
                let error = KeyText::parse(&bad).err();
                let is_in_secret = at >= good.reveal().len() - SECRET_LETTERS - CHECKSUM_LETTERS;
                if is_in_secret && letter.is_ascii_alphanumeric() {
                    assert_eq!(error, Some(KeyTextError::Checksum), "{bad}");
                } else {
                    assert!(error.is_some(), "{bad}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let key = sample(1);
        let (short, _) = key.reveal().split_at(key.reveal().len() - 1);
        let long = format!("{}0", key.reveal());
        let upper = key.reveal().to_uppercase();
        for text in [
            "",
            "bailee",
            "bailee_live_",
            "bailee_live__",
            "Bearer x",
            short,
            &long,
            &upper,
            "ä",
        ] {
            assert_eq!(
                KeyText::parse(text).err(),
                Some(KeyTextError::NotAKey),
                "{text}"
            );
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = sample(0x5a);
        let shown = format!("{key:?}");
        assert_eq!(shown, "KeyText(live, key_00000000000000000000000007, …)");
        assert!(!shown.contains(&key.hash()));
    }

    #[test]
    fn hashes_are_compared_whole() {
        let hash = sample(1).hash();
        assert!(same_hash(&hash, &sample(1).hash()));
        assert!(!same_hash(&hash, &sample(2).hash()));
        assert!(!same_hash(&hash, ""));
        assert!(!same_hash("", &hash));
    }

    proptest! {
        #[test]
        fn a_key_reads_back_as_itself(bits: [u8; 32], id: u128, is_live: bool) {
            let env = if is_live { KeyEnv::Live } else { KeyEnv::Dev };
            let key = KeyText::make(env, KeyId::from_bits(id), &Fixed(bits));
            let read = KeyText::parse(key.reveal()).unwrap();
            prop_assert_eq!(read.id(), KeyId::from_bits(id));
            prop_assert_eq!(read.env(), env);
            prop_assert_eq!(read.hash(), key.hash());
            prop_assert_eq!(read.reveal(), key.reveal());
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,200}") {
            prop_assert!(KeyText::parse(&text).is_err());
        }
    }
}
