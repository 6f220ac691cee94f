//! What the core needs from above: the means to reach a far system, given to it at start.

use async_trait::async_trait;
use bailee_model::{Remote, RemoteSecretKind};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// The credential of a remote.
#[derive(Clone, Debug)]
pub enum RemoteSecret {
    /// A password.
    Password(SecretString),
    /// A private key in OpenSSH or PEM form.
    PrivateKey {
        /// The key's text.
        pem: SecretString,
        /// What opens it, if it is locked.
        passphrase: Option<SecretString>,
    },
}

/// How a secret looks inside its seal.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Plain {
    Password {
        password: String,
    },
    PrivateKey {
        pem: String,
        passphrase: Option<String>,
    },
}

impl RemoteSecret {
    pub(crate) fn kind(&self) -> RemoteSecretKind {
        match self {
            Self::Password(_) => RemoteSecretKind::Password,
            Self::PrivateKey { .. } => RemoteSecretKind::PrivateKey,
        }
    }

    pub(crate) fn to_plain(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let plain = match self {
            Self::Password(password) => Plain::Password {
                password: password.expose_secret().to_owned(),
            },
            Self::PrivateKey { pem, passphrase } => Plain::PrivateKey {
                pem: pem.expose_secret().to_owned(),
                passphrase: passphrase
                    .as_ref()
                    .map(|text| text.expose_secret().to_owned()),
            },
        };
        zeroize::Zeroizing::new(serde_json::to_vec(&plain).unwrap_or_default())
    }

    pub(crate) fn from_plain(plain: &[u8]) -> Option<Self> {
        Some(match serde_json::from_slice(plain).ok()? {
            Plain::Password { password } => Self::Password(password.into()),
            Plain::PrivateKey { pem, passphrase } => Self::PrivateKey {
                pem: pem.into(),
                passphrase: passphrase.map(Into::into),
            },
        })
    }
}

/// A remote with what is needed to reach it.
#[derive(Clone, Debug)]
pub struct RemoteTarget {
    /// The remote.
    pub remote: Remote,
    /// Its credential, opened.
    pub secret: Option<RemoteSecret>,
}

/// One step of a remote's test.
#[derive(Clone, Debug)]
pub struct ProbeStep {
    /// `resolve`, `connect`, `host_key`, `sign_in`, `list`, `write`, `read`, `delete`.
    pub name: &'static str,
    /// Whether it went through.
    pub ok: bool,
    /// How long it took.
    pub duration_ms: u64,
    /// What happened.
    pub detail: String,
    /// Why it failed, in the words of a transfer's `error_code`.
    pub error_code: Option<&'static str>,
    /// What to do about it.
    pub fix: Option<String>,
}

/// What a test of a remote found.
#[derive(Clone, Debug)]
pub struct ProbeReport {
    /// The steps, in order.
    pub steps: Vec<ProbeStep>,
    /// The host key that the far side showed, as `SHA256:…`.
    pub seen_host_key: Option<String>,
}

/// Tests remotes. The engine implements it.
#[async_trait]
pub trait RemoteProber: Send + Sync {
    /// Tries each step against the far side. Failures are steps, not errors.
    async fn probe(&self, remote: RemoteTarget) -> ProbeReport;
}
