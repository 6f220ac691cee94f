//! What the core needs from above: the means to reach a far system, given to it at start.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bailee_model::{
    File, Remote, RemoteCertificate, RemoteKind, RemoteSecretField, Result, SecretId, SecretSource,
    SshKeyAlgorithm, Timestamp, Transfer,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// One secret of a remote: its text, or the secret that holds it.
#[derive(Clone, Debug)]
enum RemoteSecretPart {
    Text(SecretString),
    Reference(SecretId),
}

use crate::transfers::{PlanRequest, TransferPlan};

/// The secrets of a remote, by field.
#[derive(Clone, Debug, Default)]
pub struct RemoteSecret(BTreeMap<RemoteSecretField, RemoteSecretPart>);

/// As it is sealed: texts as they were before there were references.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SealedPart {
    Text(String),
    Reference { secret_id: SecretId },
}

impl RemoteSecret {
    /// A password.
    pub fn password(text: impl Into<SecretString>) -> Self {
        Self::default().with(RemoteSecretField::Password, text)
    }

    /// A private key in OpenSSH or PEM form, not locked.
    pub fn private_key(pem: impl Into<SecretString>) -> Self {
        Self::default().with(RemoteSecretField::PrivateKey, pem)
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, field: RemoteSecretField, text: impl Into<SecretString>) -> Self {
        self.0.insert(field, RemoteSecretPart::Text(text.into()));
        self
    }

    /// The same with one more, which another secret holds.
    #[must_use]
    pub fn with_reference(mut self, field: RemoteSecretField, secret: SecretId) -> Self {
        self.0.insert(field, RemoteSecretPart::Reference(secret));
        self
    }

    /// One of them; nothing where another secret holds it and was not read yet.
    pub fn field(&self, field: RemoteSecretField) -> Option<&SecretString> {
        match self.0.get(&field)? {
            RemoteSecretPart::Text(text) => Some(text),
            RemoteSecretPart::Reference(_) => None,
        }
    }

    /// Which there are.
    pub fn fields(&self) -> Vec<RemoteSecretField> {
        self.0.keys().copied().collect()
    }

    /// Those that other secrets hold.
    pub(crate) fn references(&self) -> BTreeMap<RemoteSecretField, SecretId> {
        let references = self.0.iter().filter_map(|(field, part)| match part {
            RemoteSecretPart::Text(_) => None,
            RemoteSecretPart::Reference(id) => Some((*field, *id)),
        });
        references.collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them signs in.
    pub(crate) fn signs_in(&self) -> bool {
        self.0.keys().any(|field| field.signs_in())
    }

    /// These in place of `old` ones: what signs in is replaced as a whole, so that no password stays behind a key.
    pub(crate) fn over(self, mut old: Self) -> Self {
        let replaces = self.signs_in();
        old.0
            .retain(|field, _| !(self.0.contains_key(field) || replaces && field.signs_in()));
        old.0.extend(self.0);
        old
    }

    /// Without one of them.
    pub(crate) fn forget(&mut self, field: RemoteSecretField) {
        self.0.remove(&field);
    }

    pub(crate) fn to_plain(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let plain: BTreeMap<_, _> = self
            .0
            .iter()
            .map(|(field, part)| {
                let sealed = match part {
                    RemoteSecretPart::Text(text) => {
                        SealedPart::Text(text.expose_secret().to_owned())
                    }
                    RemoteSecretPart::Reference(secret_id) => SealedPart::Reference {
                        secret_id: *secret_id,
                    },
                };
                (field, sealed)
            })
            .collect();
        zeroize::Zeroizing::new(serde_json::to_vec(&plain).unwrap_or_default())
    }

    pub(crate) fn from_plain(plain: &[u8]) -> Option<Self> {
        let plain: BTreeMap<RemoteSecretField, SealedPart> = serde_json::from_slice(plain).ok()?;
        let secrets = plain.into_iter().map(|(field, part)| {
            let part = match part {
                SealedPart::Text(text) => RemoteSecretPart::Text(text.into()),
                SealedPart::Reference { secret_id } => RemoteSecretPart::Reference(secret_id),
            };
            (field, part)
        });
        Some(Self(secrets.collect()))
    }
}

/// What is asked of a store of secrets.
#[derive(Clone, Debug)]
pub struct SecretAsk {
    /// Where the secret is.
    pub source: SecretSource,
    /// What signs in there.
    pub credential: Option<SecretString>,
    /// Now.
    pub now: Timestamp,
}

/// Why a secret could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFault {
    /// In plain words, without any secret.
    pub detail: String,
    /// Whether it may be there a little later.
    pub is_transient: bool,
}

/// Reads secrets where they are kept. The engine implements it.
#[async_trait]
pub trait SecretStores: Send + Sync {
    /// Reads one.
    async fn read(&self, ask: SecretAsk) -> std::result::Result<SecretString, SecretFault>;
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
    /// The certificates that are needed to reach it.
    pub certificates: Vec<RemoteCertificate>,
}

/// Looks what a transfer would do. The engine implements it.
#[async_trait]
pub trait TransferPlanner: Send + Sync {
    /// Looks at both ends, within a bounded time. Fails where the transfer would before it found any file.
    async fn plan(&self, wish: PlanRequest) -> Result<TransferPlan>;
}

/// Shows objects as clients of the API see them. The API implements it.
pub trait ObjectView: Send + Sync {
    /// A transfer.
    fn transfer(&self, transfer: &Transfer) -> serde_json::Value;
    /// A file version.
    fn file(&self, file: &File) -> serde_json::Value;
}

/// What connectors of a kind can do where the server and the configuration let them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectorAbilities {
    /// Files can be read from the middle on: a cut download goes on at the byte.
    pub can_read_at: bool,
    /// Files can be written from the middle on: a cut upload goes on at the byte.
    pub can_write_at: bool,
    /// Files can be written.
    pub can_write: bool,
    /// Folders can be listed.
    pub can_list: bool,
    /// Files can be renamed.
    pub can_rename: bool,
    /// Files can be removed.
    pub can_remove: bool,
    /// Files can be copied without their bytes coming here.
    pub can_copy: bool,
    /// Folders are things of their own.
    pub has_folders: bool,
    /// A file is replaced in one step.
    pub replaces_atomically: bool,
    /// Nothing of a file is seen before it is whole.
    pub appears_whole: bool,
}

/// One thing in a folder of a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteChild {
    /// Its name in the folder.
    pub name: String,
    /// Its path at the remote.
    pub path: String,
    /// `file`, `folder`, `link` or `other`.
    pub kind: &'static str,
    /// Its size, where the remote tells.
    pub size_bytes: Option<u64>,
    /// When it was last changed, where the remote tells.
    pub modified_at: Option<Timestamp>,
}

/// What is in a folder of a remote, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteFolder {
    /// What was found.
    pub children: Vec<RemoteChild>,
    /// The folder holds more than is ever listed.
    pub is_cut: bool,
    /// Entries that are left out because their names cannot be named.
    pub unnameable: u64,
}

/// A key pair of SSH.
#[derive(Clone, Debug)]
pub struct SshKeyPair {
    /// The private key, PEM.
    pub private_key: SecretString,
    /// The public key in OpenSSH's one-line form.
    pub public_key: String,
    /// Its fingerprint, `SHA256:…`.
    pub fingerprint: String,
}

/// Reaches remotes. The engine implements it.
#[async_trait]
pub trait RemoteProber: Send + Sync {
    /// What connectors of a kind can do.
    fn abilities(&self, kind: RemoteKind) -> ConnectorAbilities;

    /// Makes a key pair for SSH; the public half carries the comment.
    async fn new_ssh_key(&self, algorithm: SshKeyAlgorithm, comment: &str) -> Result<SshKeyPair>;

    /// What is in the folder `path` of a remote.
    async fn browse(&self, remote: RemoteTarget, path: &str) -> Result<RemoteFolder>;

    /// Tries each step against the far side. Failures are steps, not errors.
    async fn probe(&self, remote: RemoteTarget) -> ProbeReport;
}
