//! Key pairs to sign in with.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{HashAlg, PrivateKey, decode_secret_key};
use secrecy::SecretString;

use crate::fault::{Fault, FaultKind, Result};

/// A new key pair.
#[derive(Clone, Debug)]
pub struct SshKeyPair {
    /// The private key, PEM, not locked.
    pub private_key: SecretString,
    /// The public key in OpenSSH's one-line form.
    pub public_key: String,
    /// Its fingerprint, `SHA256:…`.
    pub fingerprint: String,
}

impl SshKeyPair {
    /// An Ed25519 pair made of 32 bytes of chance.
    pub fn ed25519(seed: &[u8; 32], comment: &str) -> Result<Self> {
        let mut key = PrivateKey::from(Ed25519Keypair::from_seed(seed));
        key.set_comment(comment);
        let private = key.to_openssh(LineEnding::LF).map_err(|_| unmade())?;
        Self::of(&key, private.as_str().to_owned().into())
    }

    /// An RSA pair of 4,096 bits. It takes seconds, and its primes are the library's own choice.
    pub fn rsa4096(comment: &str) -> Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa4096).map_err(|_| unmade())?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| unmade())?;
        let lines: Vec<String> = STANDARD
            .encode(der.as_ref())
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        let body = lines.join("\n");
        let private = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let mut key = decode_secret_key(&private, None).map_err(|_| unmade())?;
        key.set_comment(comment);
        Self::of(&key, private.into())
    }

    fn of(key: &PrivateKey, private_key: SecretString) -> Result<Self> {
        let public = key.public_key();
        Ok(Self {
            private_key,
            public_key: public.to_openssh().map_err(|_| unmade())?,
            fingerprint: public.fingerprint(HashAlg::Sha256).to_string(),
        })
    }
}

/// The library's errors may tell of the key.
fn unmade() -> Fault {
    Fault::new(FaultKind::Io, "the key pair could not be made")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_pair_reads_back_and_does_not_show_its_secret() {
        let pair = SshKeyPair::ed25519(&[7; 32], "bailee-bank").unwrap();
        assert!(pair.public_key.starts_with("ssh-ed25519 AAAA"));
        assert!(pair.public_key.ends_with(" bailee-bank"));
        assert!(pair.fingerprint.starts_with("SHA256:"));
        let key = decode_secret_key(pair.private_key.expose_secret(), None).unwrap();
        let print = key.public_key().fingerprint(HashAlg::Sha256).to_string();
        assert_eq!(print, pair.fingerprint);
        assert!(!format!("{pair:?}").contains("PRIVATE"));
        let same = SshKeyPair::ed25519(&[7; 32], "").unwrap();
        assert_eq!(same.fingerprint, pair.fingerprint);
    }
}
