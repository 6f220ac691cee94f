//! Key pairs of SSH that are made here.

use bailee_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};

words! {
    /// The kind of a key pair.
    SshKeyAlgorithm {
        /// Short and quick; what to take unless the partner cannot.
        Ed25519 = "ed25519",
        /// RSA with 4,096 bits, for old servers.
        Rsa4096 = "rsa4096",
    }
}
words_from!(bailee_model::SshKeyAlgorithm => SshKeyAlgorithm { Ed25519, Rsa4096 });

/// Body of `POST /remotes/{remote_id}/ssh-key`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSshKey {
    /// The kind of the pair; `ed25519` when absent.
    pub algorithm: Option<SshKeyAlgorithm>,
}

/// The public half of a key pair that was made here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SshKey {
    /// Its kind.
    pub algorithm: SshKeyAlgorithm,
    /// The public key in OpenSSH's one-line form.
    #[schema(example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm2… bailee-bank")]
    pub public_key: String,
    /// Its fingerprint.
    #[schema(example = "SHA256:uNiVztksCsDhcc0u9e8BrMnTs1UHjPP9mMA2Y3n1lqI")]
    pub fingerprint: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
}
