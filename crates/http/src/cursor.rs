//! Cursors: where the next page of a list begins, signed, bound to tenant, operation and filter, good for a day.

use aws_lc_rs::hmac;
use bailee_model::{Cursor, Error, ErrorKind, Timestamp, limit};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::limit::CURSOR_CHARS_MAX;
use crate::options::CursorKey;

/// Bytes of the signature in front of a cursor.
const TAG_BYTES: usize = 32;

/// Signs and reads cursors.
pub(crate) struct Cursors(hmac::Key);

#[derive(Serialize, Deserialize)]
struct Content {
    #[serde(rename = "c")]
    cursor: Cursor,
    #[serde(rename = "u")]
    until_ms: i64,
}

impl Cursors {
    pub(crate) fn new(key: &CursorKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key.0))
    }

    /// The text of a cursor. `binding` names whatever must be the same when it comes back.
    pub(crate) fn write(&self, cursor: Cursor, binding: &str, now: Timestamp) -> String {
        let content = Content {
            cursor,
            until_ms: now.plus(limit::CURSOR_LIFE).ms(),
        };
        let content = serde_json::to_vec(&content).unwrap_or_default();
        let mut text = hmac::sign(&self.0, &signed(&content, binding))
            .as_ref()
            .to_vec();
        text.extend_from_slice(&content);
        URL_SAFE_NO_PAD.encode(text)
    }

    /// The cursor behind a text, if it is ours, fits the list and is still good.
    pub(crate) fn read(&self, text: &str, binding: &str, now: Timestamp) -> Result<Cursor, Error> {
        let bad = || {
            Error::new(
                ErrorKind::InvalidCursor,
                "The cursor is not of this list and filter, or older than a day.",
            )
        };
        if text.len() > CURSOR_CHARS_MAX {
            return Err(bad());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
        let (tag, content) = bytes.split_at_checked(TAG_BYTES).ok_or_else(bad)?;
        hmac::verify(&self.0, &signed(content, binding), tag).map_err(|_| bad())?;
        let content: Content = serde_json::from_slice(content).map_err(|_| bad())?;
        if now.ms() >= content.until_ms {
            return Err(bad());
        }
        Ok(content.cursor)
    }
}

/// What is signed: the length keeps binding and content apart.
fn signed(content: &[u8], binding: &str) -> Vec<u8> {
    let mut bytes = (binding.len() as u64).to_be_bytes().to_vec();
    bytes.extend_from_slice(binding.as_bytes());
    bytes.extend_from_slice(content);
    bytes
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn cursors() -> Cursors {
        Cursors::new(&CursorKey::new([7; 32]))
    }

    proptest! {
        #[test]
        fn a_cursor_reads_back_only_where_it_belongs(key in ".{0,40}", id in ".{0,40}", binding in ".{0,40}", at in 0usize..60) {
            let (cursors, now) = (cursors(), Timestamp::from_ms(1_795_252_440_000));
            let cursor = Cursor { key, id };
            let text = cursors.write(cursor.clone(), &binding, now);
            prop_assert_eq!(cursors.read(&text, &binding, now).unwrap(), cursor);
            let elsewhere = format!("{binding}x");
            prop_assert!(cursors.read(&text, &elsewhere, now).is_err());
            let day = Duration::from_hours(24);
            prop_assert!(cursors.read(&text, &binding, now.plus(day)).is_err());
            let other = Cursors::new(&CursorKey::new([8; 32]));
            prop_assert!(other.read(&text, &binding, now).is_err());
            let mut altered = text.into_bytes();
            let at = at % altered.len();
            if let Some(byte) = altered.get_mut(at) {
                *byte = if *byte == b'A' { b'B' } else { b'A' };
            }
            let altered = String::from_utf8(altered).unwrap();
            prop_assert!(cursors.read(&altered, &binding, now).is_err());
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "a", "!", &"A".repeat(5000)] {
            assert!(cursors().read(text, "", Timestamp::from_ms(0)).is_err());
        }
    }
}
