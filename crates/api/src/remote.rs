//! Remotes: far systems with address, credential and limits. Secrets go in and never come out.

use bailee_model::{RemoteId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::word::{words, words_from};
use crate::{Links, List, Patch, SecretText, tagged};

words! {
    /// Which connector speaks to a remote.
    RemoteKind {
        /// A server of the SSH file transfer protocol.
        Sftp = "sftp",
        /// A folder of the server's machine that the operator allows.
        Local = "local",
    }
}
words_from!(bailee_model::RemoteKind => RemoteKind { Sftp, Local });

/// Body of `POST /remotes`: told apart by `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CreateRemote {
    /// An SFTP server.
    Sftp(CreateSftpRemote),
    /// A folder of the server's machine.
    Local(CreateLocalRemote),
}

impl PartialSchema for CreateRemote {
    fn schema() -> RefOr<Schema> {
        let variants = [("sftp", "CreateSftpRemote"), ("local", "CreateLocalRemote")];
        tagged::union(
            "kind",
            "Body of `POST /remotes`: told apart by `kind`.",
            &variants,
        )
    }
}

impl ToSchema for CreateRemote {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let sftp = tagged::variant(CreateSftpRemote::schema(), "kind", "sftp");
        schemas.push((CreateSftpRemote::name().into_owned(), sftp));
        CreateSftpRemote::schemas(schemas);
        let local = tagged::variant(CreateLocalRemote::schema(), "kind", "local");
        schemas.push((CreateLocalRemote::name().into_owned(), local));
        CreateLocalRemote::schemas(schemas);
    }
}

/// An SFTP server (SSH File Transfer Protocol, version 3), with `kind` `sftp`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "bank", "kind": "sftp", "host": "sftp.bank.example", "username": "acme", "password": "…", "base_path": "/in"}))]
pub struct CreateSftpRemote {
    /// What stands before the colon in `bank:/in/a.csv`: `[a-z0-9][a-z0-9-]{0,62}`, unique in the tenant.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// TCP port; 22 when absent.
    pub port: Option<u16>,
    /// Whom to sign in as.
    pub username: String,
    /// Password; not together with `private_key`.
    #[schema(value_type = Option<String>)]
    pub password: Option<SecretText>,
    /// Private key in OpenSSH or PKCS #8 PEM form; not together with `password`.
    #[schema(value_type = Option<String>)]
    pub private_key: Option<SecretText>,
    /// What opens the private key.
    #[schema(value_type = Option<String>)]
    pub passphrase: Option<SecretText>,
    /// Fingerprint of the server's key, `SHA256:…` as OpenSSH prints it. Without one, nothing moves until it is trusted.
    pub host_key: Option<String>,
    /// The folder that `/` of this remote means; the one after sign-in when absent.
    pub base_path: Option<String>,
    /// Transfers with it under way at once.
    pub concurrency: Option<u32>,
}

/// A folder of the server's machine, with `kind` `local`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "dropbox", "kind": "local", "folder": "/srv/exchange"}))]
pub struct CreateLocalRemote {
    /// What stands before the colon in `name:/path`: `[a-z0-9][a-z0-9-]{0,62}`, unique in the tenant.
    pub name: String,
    /// One of the folders that the operator allows, or one below.
    pub folder: String,
    /// Transfers with it under way at once.
    pub concurrency: Option<u32>,
}

/// Body of `PATCH /remotes/{remote_id}`: a JSON Merge Patch (RFC 7396). A field of another kind is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRemote {
    /// Host name or address.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub host: Option<String>,
    /// TCP port.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = u16, required = false)]
    pub port: Option<u16>,
    /// Whom to sign in as.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub username: Option<String>,
    /// A new password; null removes it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<String>)]
    pub password: Patch<SecretText>,
    /// A new private key; null removes it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<String>)]
    pub private_key: Patch<SecretText>,
    /// What opens the private key.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<String>)]
    pub passphrase: Patch<SecretText>,
    /// Fingerprint of the server's key; null forgets it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<String>)]
    pub host_key: Patch<String>,
    /// The folder that `/` of this remote means.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<String>)]
    pub base_path: Patch<String>,
    /// The folder, for kind `local`.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub folder: Option<String>,
    /// Transfers with it under way at once.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = u32, required = false)]
    pub concurrency: Option<u32>,
}

/// A remote. Fields of the other kind are null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Remote {
    /// Names the remote.
    #[schema(value_type = String, example = "rem_01m7yp4kyae4ma4jz41b93y214")]
    pub remote_id: RemoteId,
    /// What stands before the colon in `bank:/in/a.csv`.
    #[schema(example = "bank")]
    pub name: String,
    /// Which connector speaks to it.
    pub kind: RemoteKind,
    /// Host name or address.
    #[schema(required)]
    pub host: Option<String>,
    /// TCP port.
    #[schema(required)]
    pub port: Option<u16>,
    /// Whom Bailee signs in as.
    #[schema(required)]
    pub username: Option<String>,
    /// Pinned fingerprint of the server's key; null until one is trusted.
    #[schema(required)]
    pub host_key: Option<String>,
    /// The folder that `/` of this remote means.
    #[schema(required)]
    pub base_path: Option<String>,
    /// The folder, for kind `local`.
    #[schema(required)]
    pub folder: Option<String>,
    /// Whether a password is kept.
    pub has_password: bool,
    /// Whether a private key is kept.
    pub has_private_key: bool,
    /// Transfers with it under way at once.
    pub concurrency: u32,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of remotes.
pub type RemoteList = List<Remote>;

/// Answer to `POST /remotes/{remote_id}/test`: what was tried, in order, up to the first failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RemoteTest {
    /// Whether every step went through.
    pub ok: bool,
    /// The steps that were tried.
    pub steps: Vec<RemoteTestStep>,
    /// Fingerprint of the key that the server showed, when one was seen.
    #[schema(required)]
    pub host_key: Option<String>,
    /// When the test ended.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub tested_at: Timestamp,
}

/// One step of a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RemoteTestStep {
    /// What was tried.
    #[schema(example = "connect")]
    pub name: String,
    /// Whether it went through.
    pub ok: bool,
    /// How long it took, in seconds.
    pub duration_seconds: f64,
    /// What was seen, or what went wrong, in plain words.
    #[schema(required)]
    pub detail: Option<String>,
    /// Why it failed: one of the transfer codes.
    #[schema(required)]
    pub error_code: Option<String>,
    /// What to do next.
    #[schema(required)]
    pub hint: Option<String>,
}

/// Body of `POST /remotes/{remote_id}/trust`: pins a host key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustHostKey {
    /// The fingerprint, `SHA256:…` as OpenSSH prints it, compared with the one the server's owner published.
    #[schema(example = "SHA256:uNiVztksCsDhcc0u9e8BrMnTs1UHjPP9mMA2Y3n1lqI")]
    pub fingerprint: String,
}
