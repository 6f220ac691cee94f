//! SHA-256 while bytes pass, and the two spellings of a digest: hex in JSON, base64 in headers (RFC 9530).

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;

/// A SHA-256 under way.
#[derive(Clone)]
pub struct Sha256(Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Sha256 {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes so far.
    pub fn finish(self) -> Digest {
        let mut out = [0u8; 32];
        for (to, from) in out.iter_mut().zip(self.0.finish().as_ref()) {
            *to = *from;
        }
        Digest(out)
    }
}

/// A SHA-256 digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut sha = Sha256::default();
        sha.update(bytes);
        sha.finish()
    }

    /// Lower-case hex, as in JSON.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// `sha-256=:…:`, as in `Content-Digest` and `Repr-Digest`.
    pub fn header(&self) -> String {
        let text = base64::engine::general_purpose::STANDARD.encode(self.0);
        format!("sha-256=:{text}:")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_agree_with_the_contract() {
        // The empty digest, known everywhere.
        let empty = Digest::of(b"");
        assert_eq!(
            empty.hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            empty.header(),
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
        );
        let mut pieces = Sha256::default();
        pieces.update(b"a");
        pieces.update(b"bc");
        assert_eq!(pieces.finish(), Digest::of(b"abc"));
    }
}
