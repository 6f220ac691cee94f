//! Bytes for files and their digests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// Bytes that differ everywhere, so that a swapped, repeated or shifted stretch is seen. `seed` makes files differ.
pub(crate) fn pattern(seed: u64, count: usize) -> Vec<u8> {
    (0..count as u64)
        .map(|at| ((at ^ seed << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect()
}

/// As in `hash`.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// As in `Repr-Digest` and `Content-Digest`.
pub(crate) fn sha256_base64(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(bytes)))
}
