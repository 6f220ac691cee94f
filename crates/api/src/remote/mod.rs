//! Remotes: far systems with address, credential and limits. Secrets go in and never come out.

mod create;
mod health;
mod ssh_key;
mod window;

pub(crate) use create::bodies;
pub use create::*;
pub use health::*;
pub use ssh_key::*;
pub use window::*;

use std::collections::BTreeMap;

use bailee_model::{RemoteId, SecretId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};
use crate::{Links, List};

words! {
    /// Which connector speaks to a remote.
    RemoteKind {
        /// A server of the SSH file transfer protocol.
        Sftp = "sftp",
        /// A server of FTP over TLS.
        Ftps = "ftps",
        /// A web server whose files are at URLs.
        Https = "https",
        /// A WebDAV server.
        Webdav = "webdav",
        /// A bucket of S3, or of a store that speaks its protocol.
        S3 = "s3",
        /// A container of Azure Blob Storage.
        AzureBlob = "azure_blob",
        /// A bucket of Google Cloud Storage.
        Gcs = "gcs",
        /// Another Bailee.
        Bailee = "bailee",
        /// A folder of the server's machine that the operator allows.
        Local = "local",
    }
}
words_from!(bailee_model::RemoteKind => RemoteKind { Sftp, Ftps, Https, Webdav, S3, AzureBlob, Gcs, Bailee, Local });

/// A remote. Fields of other kinds are null; secrets are shown as whether there is one.
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
    /// Pinned fingerprint of an SFTP server's key; null until one is trusted.
    #[schema(required)]
    pub host_key: Option<String>,
    /// The folder that `/` of this remote means; `.` is where it starts.
    #[schema(required)]
    pub base_path: Option<String>,
    /// When TLS begins, for kind `ftps`.
    #[schema(required)]
    pub mode: Option<FtpsMode>,
    /// URL that `/` of this remote means, or where the server is.
    #[schema(required)]
    pub url: Option<String>,
    /// Header that carries the credential.
    #[schema(required)]
    pub header_name: Option<String>,
    /// Whether a web server takes files.
    #[schema(required)]
    pub can_write: Option<bool>,
    /// How files are written, for kind `https`.
    #[schema(required)]
    pub method: Option<HttpMethod>,
    /// Where the store answers; null for its usual address.
    #[schema(required)]
    pub endpoint: Option<String>,
    /// Region that signatures name.
    #[schema(required)]
    pub region: Option<String>,
    /// Bucket.
    #[schema(required)]
    pub bucket: Option<String>,
    /// Storage account, for kind `azure_blob`.
    #[schema(required)]
    pub account: Option<String>,
    /// Container, for kind `azure_blob`.
    #[schema(required)]
    pub container: Option<String>,
    /// Name of the access key.
    #[schema(required)]
    pub access_key_id: Option<String>,
    /// Whether the bucket stands in the path.
    #[schema(required)]
    pub path_style: Option<bool>,
    /// How the store encrypts what is written.
    #[schema(required)]
    pub server_side_encryption: Option<String>,
    /// Key of `aws:kms`.
    #[schema(required)]
    pub kms_key_id: Option<String>,
    /// Storage class of what is written.
    #[schema(required)]
    pub storage_class: Option<String>,
    /// Whether what is written carries a checksum.
    #[schema(required)]
    pub sends_checksums: Option<bool>,
    /// The folder, for kind `local`.
    #[schema(required)]
    pub folder: Option<String>,
    /// Proxy on the way.
    #[schema(required)]
    pub proxy_url: Option<String>,
    /// Certificate authorities that are trusted besides, PEM.
    #[schema(required)]
    pub ca_pem: Option<String>,
    /// Certificate that is shown, PEM.
    #[schema(required)]
    pub client_certificate: Option<String>,
    /// Whether a password is kept.
    pub has_password: bool,
    /// Whether a private key is kept.
    pub has_private_key: bool,
    /// Whether the private key before it is kept, which is tried after it.
    pub has_previous_private_key: bool,
    /// Whether a passphrase of the private key is kept.
    pub has_passphrase: bool,
    /// Whether a token is kept.
    pub has_bearer_token: bool,
    /// Whether the header's value is kept.
    pub has_header_value: bool,
    /// Whether an API key is kept.
    pub has_api_key: bool,
    /// Whether the access key's secret is kept.
    pub has_secret_access_key: bool,
    /// Whether a session token is kept.
    pub has_session_token: bool,
    /// Whether a key of the storage account is kept.
    pub has_account_key: bool,
    /// Whether a shared access signature is kept.
    pub has_sas_token: bool,
    /// Whether a service account's key is kept.
    pub has_service_account_key: bool,
    /// Whether the key of a client certificate is kept.
    pub has_client_key: bool,
    /// Which of these are kept as secrets of their own: the field, such as `password`, and the secret.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"password": "sec_01m7yp4nyyevr88y42wdngtn4v"}))]
    pub secret_ids: BTreeMap<String, SecretId>,
    /// The public halves of the key pairs that were made here, the newest first; what a partner puts into
    /// `authorized_keys`.
    pub ssh_keys: Vec<SshKey>,
    /// Transfers with it under way at once.
    pub concurrency: u32,
    /// How often it is looked at in the background, in seconds; null for never.
    #[schema(required)]
    pub health_check_seconds: Option<u32>,
    /// The zone of the times in `windows`.
    #[schema(example = "UTC")]
    pub time_zone: String,
    /// How fast transfers with it may be at which time.
    pub windows: Vec<RemoteWindow>,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of remotes.
pub type RemoteList = List<Remote>;

words! {
    /// What stands in a folder of a remote; devices and the like are `other`.
    RemoteChildType {
        /// A file.
        File = "file",
        /// A folder.
        Folder = "folder",
        /// A symbolic link.
        Link = "link",
    }
}

/// One thing in a folder of a remote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemoteChild {
    /// What it is.
    #[serde(rename = "type")]
    pub child_type: RemoteChildType,
    /// Its name in the folder.
    #[schema(example = "a.csv")]
    pub name: String,
    /// Its path at the remote, as a transfer names it behind `bank:`.
    #[schema(example = "/in/a.csv")]
    pub path: String,
    /// Its size in bytes, where the remote tells.
    #[schema(required)]
    pub size: Option<u64>,
    /// When it was last changed, by the remote's clock, where it tells.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub modified_at: Option<Timestamp>,
}

/// A page of what is in a folder of a remote, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemoteChildList {
    /// What was found.
    pub data: Vec<RemoteChild>,
    /// Whether more follow.
    pub has_more: bool,
    /// What to send as `cursor` for the next page; null on the last one. Opaque, good for 24 hours.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// Whether the folder holds more than the 10,000 entries that are ever listed.
    pub is_cut: bool,
    /// Entries that are left out because their names are none that a transfer could name.
    pub unnameable: u64,
}

words! {
    /// What uses a remote.
    RemoteUserType {
        /// A transfer.
        Transfer = "transfer",
        /// A flow.
        Flow = "flow",
        /// A schedule.
        Schedule = "schedule",
        /// A webhook.
        Webhook = "webhook",
    }
}

/// One thing that uses a remote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RemoteUser {
    /// What it is.
    #[serde(rename = "type")]
    pub user_type: RemoteUserType,
    /// Its id: `xfr_…`, `flw_…`, `sch_…`, `whk_…`.
    pub id: String,
    /// What it does with the remote, for people.
    #[schema(example = "/out/a.csv → bank:/in/a.csv")]
    pub summary: String,
    /// Its state.
    pub state: String,
    /// Where it is found.
    pub links: Links,
}

/// Answer to `GET /remotes/{remote_id}/used-by`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RemoteUserList {
    /// Transfers that have not ended, newest first, then flows and schedules that name the remote, then webhooks that are
    /// bound to it.
    pub data: Vec<RemoteUser>,
    /// Whether there is more than is told: more transfers, or what the caller may not see.
    pub has_more: bool,
}

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
