//! A SHA-256 whose running state can be saved: the hash of a part session follows the contiguous prefix of its parts, and
//! a restart continues where it was.

use sha2::Digest as _;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use zeroize::{Zeroize, Zeroizing};

const STATE_VERSION: u8 = 1;

/// The bytes are not a saved state of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a saved SHA-256 state")]
pub struct HashStateError;

/// SHA-256 over a prefix that grows.
#[derive(Clone, Default)]
pub struct PrefixHasher {
    hasher: sha2::Sha256,
    hashed_bytes: u64,
}

impl PrefixHasher {
    /// A hasher of the empty prefix.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.hashed_bytes += bytes.len() as u64;
    }

    /// How many bytes the prefix has: where the next ones must begin.
    pub fn hashed_bytes(&self) -> u64 {
        self.hashed_bytes
    }

    /// The digest of the prefix.
    pub fn finish(self) -> [u8; 32] {
        self.hasher.finalize().into()
    }

    /// The running state. It contains up to 63 bytes of content in clear: seal it
    /// ([`WrappingKey::seal_secret`](crate::WrappingKey::seal_secret)) before it is stored.
    pub fn save(&self) -> Zeroizing<Vec<u8>> {
        let mut state = self.hasher.serialize();
        let mut saved = Zeroizing::new(Vec::with_capacity(SAVED_BYTES));
        saved.push(STATE_VERSION);
        saved.extend_from_slice(&self.hashed_bytes.to_be_bytes());
        saved.extend_from_slice(&state);
        state.as_mut_slice().zeroize();
        saved
    }

    /// The hasher that was saved.
    pub fn restore(saved: &[u8]) -> Result<Self, HashStateError> {
        let (&version, rest) = saved.split_first().ok_or(HashStateError)?;
        let (hashed_bytes, state) = rest.split_first_chunk::<8>().ok_or(HashStateError)?;
        if version != STATE_VERSION {
            return Err(HashStateError);
        }
        let state = SerializedState::<sha2::Sha256>::try_from(state).map_err(|_| HashStateError)?;
        let hasher = sha2::Sha256::deserialize(&state).map_err(|_| HashStateError)?;
        Ok(Self {
            hasher,
            hashed_bytes: u64::from_be_bytes(*hashed_bytes),
        })
    }
}

/// Version, length of the prefix; then chaining value, block count, and the length and bytes of the block being filled.
const SAVED_BYTES: usize = 1 + 8 + 32 + 8 + 1 + 63;

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use super::*;

    #[test]
    fn a_restored_state_continues_at_any_point() {
        let content: Vec<u8> = (0..=255u8).cycle().take(700).collect();
        let whole = {
            let mut hasher = PrefixHasher::new();
            hasher.update(&content);
            hasher.finish()
        };
        assert_eq!(
            whole.as_slice(),
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &content).as_ref()
        );
        for cut in 0..content.len() {
            let mut hasher = PrefixHasher::new();
            hasher.update(&content[..cut]);
            let mut restored = PrefixHasher::restore(&hasher.save()).unwrap();
            assert_eq!(restored.hashed_bytes(), cut as u64);
            restored.update(&content[cut..]);
            assert_eq!(restored.finish(), whole);
        }
    }

    #[test]
    fn foreign_states_are_refused() {
        let saved = PrefixHasher::new().save();
        assert_eq!(saved.len(), SAVED_BYTES);
        assert!(PrefixHasher::restore(&saved[..saved.len() - 1]).is_err());
        assert!(PrefixHasher::restore(&[]).is_err());
        let mut other = saved.to_vec();
        other[0] = 2;
        assert!(PrefixHasher::restore(&other).is_err());
    }
}
