use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{RemoteId, RemoteTimes, SecretId, Timestamp};

/// Which connector speaks to a remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemoteKind {
    /// A server of the SSH file transfer protocol.
    Sftp,
    /// A server of FTP over TLS.
    Ftps,
    /// A web server whose files are at URLs.
    Https,
    /// A WebDAV server.
    Webdav,
    /// A bucket of S3, or of a store that speaks its protocol.
    S3,
    /// A container of Azure Blob Storage.
    AzureBlob,
    /// A bucket of Google Cloud Storage.
    Gcs,
    /// Another Bailee.
    Bailee,
    /// A folder of this machine that the operator allows.
    Local,
}

impl RemoteKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::Sftp,
        Self::Ftps,
        Self::Https,
        Self::Webdav,
        Self::S3,
        Self::AzureBlob,
        Self::Gcs,
        Self::Bailee,
        Self::Local,
    ];

    /// The kind as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sftp => "sftp",
            Self::Ftps => "ftps",
            Self::Https => "https",
            Self::Webdav => "webdav",
            Self::S3 => "s3",
            Self::AzureBlob => "azure_blob",
            Self::Gcs => "gcs",
            Self::Bailee => "bailee",
            Self::Local => "local",
        }
    }
}

/// A remote's name: `[a-z0-9][a-z0-9-]{0,62}`, not `bailee`. It stands before the colon in `bank:/in/a.csv`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RemoteName(String);

impl RemoteName {
    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RemoteName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if text.is_empty() || text.len() > 63 || !letters || text.starts_with('-') {
            return Err("a remote's name is 1 to 63 of a-z, 0-9 and -, and does not begin with -");
        }
        if text == "bailee" {
            return Err("the name `bailee` is reserved");
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for RemoteName {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for RemoteName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Where a remote is and who we are there; the secrets are kept apart, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RemoteAddress {
    /// An SFTP server.
    Sftp {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// Whom we sign in as.
        username: String,
        /// The pinned host key, as `SHA256:…` fingerprint; `None` until it is trusted.
        host_key: Option<String>,
        /// The folder that `/` of this remote means.
        base_path: String,
    },
    /// A server of FTP over TLS.
    Ftps {
        /// Name or address.
        host: String,
        /// TCP port of the control connection.
        port: u16,
        /// When TLS begins.
        mode: FtpsMode,
        /// Whom we sign in as.
        username: String,
        /// The folder that `/` of this remote means; `.` is the one after sign-in.
        base_path: String,
        /// How its TLS is trusted.
        #[serde(flatten)]
        tls: RemoteTls,
    },
    /// A web server whose files are at URLs.
    Https {
        /// The URL that `/` of this remote means.
        url: String,
        /// How we name ourselves there.
        #[serde(flatten)]
        sign_in: HttpSignIn,
        /// Whether the server takes files.
        can_write: bool,
        /// By which request files are written.
        method: HttpMethod,
        /// How it is reached.
        #[serde(flatten)]
        route: RemoteRoute,
    },
    /// A WebDAV server.
    Webdav {
        /// The URL of the folder that `/` of this remote means.
        url: String,
        /// How we name ourselves there.
        #[serde(flatten)]
        sign_in: HttpSignIn,
        /// How it is reached.
        #[serde(flatten)]
        route: RemoteRoute,
    },
    /// A bucket of S3, or of a store that speaks its protocol.
    S3 {
        /// Where the store answers; `None` for Amazon's own by region.
        endpoint: Option<String>,
        /// The region that signatures name.
        region: String,
        /// The bucket.
        bucket: String,
        /// The folder that `/` of this remote means; `.` is the whole bucket.
        base_path: String,
        /// The name of the access key.
        access_key_id: String,
        /// The bucket stands in the path instead of the host name.
        path_style: bool,
        /// How the store encrypts what is written: `AES256` or `aws:kms`; `None` for the bucket's own setting.
        server_side_encryption: Option<String>,
        /// The key of `aws:kms`, by id or ARN.
        kms_key_id: Option<String>,
        /// The storage class of what is written.
        storage_class: Option<String>,
        /// Whether what is written carries a checksum header; some stores refuse it.
        sends_checksums: bool,
        /// How it is reached.
        #[serde(flatten)]
        route: RemoteRoute,
    },
    /// A container of Azure Blob Storage.
    AzureBlob {
        /// Where the account answers; `None` for its usual address.
        endpoint: Option<String>,
        /// The storage account.
        account: String,
        /// The container.
        container: String,
        /// The folder that `/` of this remote means; `.` is the whole container.
        base_path: String,
        /// How it is reached.
        #[serde(flatten)]
        route: RemoteRoute,
    },
    /// A bucket of Google Cloud Storage.
    Gcs {
        /// Where the service answers; `None` for its usual address.
        endpoint: Option<String>,
        /// The bucket.
        bucket: String,
        /// The folder that `/` of this remote means; `.` is the whole bucket.
        base_path: String,
        /// How it is reached.
        #[serde(flatten)]
        route: RemoteRoute,
    },
    /// Another Bailee.
    Bailee {
        /// Where the server is, without `/v1`.
        url: String,
        /// The folder that `/` of this remote means; `.` is the root.
        base_path: String,
        /// How it is reached.
        #[serde(flatten)]
        route: RemoteRoute,
    },
    /// A folder of this machine.
    Local {
        /// One of the folders that the operator allows, or one below.
        folder: String,
    },
}

/// When TLS begins on a control connection of FTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FtpsMode {
    /// By the command `AUTH TLS`.
    Explicit,
    /// With the first byte.
    Implicit,
}

/// By which request a file is written over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpMethod {
    /// The body becomes what stands at the URL.
    Put,
    /// The body is handed to whatever stands behind the URL.
    Post,
}

/// How we name ourselves to an HTTP server; which secret goes with it tells how we sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpSignIn {
    /// The account, with a password.
    pub username: Option<String>,
    /// The header of the server's own, with its value as the secret.
    pub header_name: Option<String>,
}

/// Whom TLS trusts beside the machine's own authorities, and how we show who we are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteTls {
    /// Certificate authorities, PEM.
    pub ca_pem: Option<String>,
    /// Our certificate with those between it and its authority, PEM; its key is a secret.
    pub client_certificate: Option<String>,
}

/// How a server is reached over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteRoute {
    /// A proxy on the way, `http://host:port`.
    pub proxy_url: Option<String>,
    /// How its TLS is trusted.
    #[serde(flatten)]
    pub tls: RemoteTls,
}

/// The kind of a key pair of SSH.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SshKeyAlgorithm {
    /// Short and quick; what to take unless the partner cannot.
    Ed25519,
    /// RSA with 4,096 bits, for old servers.
    Rsa4096,
}

/// The public half of a key pair that was made here, whose private half never leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshKey {
    /// Its kind.
    pub algorithm: SshKeyAlgorithm,
    /// The public key in OpenSSH's one-line form: what the partner puts into `authorized_keys`.
    pub public_key: String,
    /// Its fingerprint, `SHA256:…`.
    pub fingerprint: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A secret that a remote may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemoteSecretField {
    /// A password.
    Password,
    /// A private key of SSH.
    PrivateKey,
    /// The private key of SSH before it, which is tried after it.
    PreviousPrivateKey,
    /// What opens the private keys.
    Passphrase,
    /// A token that is sent with every request.
    BearerToken,
    /// What the header of the server's own holds.
    HeaderValue,
    /// An API key of another Bailee.
    ApiKey,
    /// The secret of an S3 access key.
    SecretAccessKey,
    /// What goes with an S3 key that holds for some hours.
    SessionToken,
    /// A key of an Azure storage account.
    AccountKey,
    /// A shared access signature of Azure.
    SasToken,
    /// The JSON key of a Google service account.
    ServiceAccountKey,
    /// The private key of our client certificate.
    ClientKey,
}

impl RemoteSecretField {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Password,
        Self::PrivateKey,
        Self::PreviousPrivateKey,
        Self::Passphrase,
        Self::BearerToken,
        Self::HeaderValue,
        Self::ApiKey,
        Self::SecretAccessKey,
        Self::SessionToken,
        Self::AccountKey,
        Self::SasToken,
        Self::ServiceAccountKey,
        Self::ClientKey,
    ];

    /// The field as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PrivateKey => "private_key",
            Self::PreviousPrivateKey => "previous_private_key",
            Self::Passphrase => "passphrase",
            Self::BearerToken => "bearer_token",
            Self::HeaderValue => "header_value",
            Self::ApiKey => "api_key",
            Self::SecretAccessKey => "secret_access_key",
            Self::SessionToken => "session_token",
            Self::AccountKey => "account_key",
            Self::SasToken => "sas_token",
            Self::ServiceAccountKey => "service_account_key",
            Self::ClientKey => "client_key",
        }
    }

    /// Whether the far side learns it, or is shown that we have it, to let us in. The key of a client certificate stands
    /// beside such a secret.
    pub const fn signs_in(self) -> bool {
        !matches!(self, Self::ClientKey)
    }
}

/// A far system with address, credential and limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// Its id.
    pub id: RemoteId,
    /// Unique in the tenant.
    pub name: RemoteName,
    /// Where it is.
    pub address: RemoteAddress,
    /// Which secrets it has.
    pub secret_fields: Vec<RemoteSecretField>,
    /// Of these, the ones that are kept as secrets of their own.
    #[serde(default)]
    pub secret_refs: BTreeMap<RemoteSecretField, SecretId>,
    /// Its secrets, sealed by the tenant's wrapping_key.
    pub sealed_secret: Option<Vec<u8>>,
    /// The key pairs that were made here, the newest first.
    #[serde(default)]
    pub ssh_keys: Vec<SshKey>,
    /// Transfers with it under way at once.
    pub concurrency: u32,
    /// When it is used and looked at.
    #[serde(default)]
    pub times: RemoteTimes,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Rises with every change: the object's ETag.
    pub revision: u64,
}

impl Remote {
    /// Which connector speaks to it.
    pub fn kind(&self) -> RemoteKind {
        self.address.kind()
    }
}

impl RemoteAddress {
    /// Which connector speaks to it.
    pub fn kind(&self) -> RemoteKind {
        match self {
            Self::Sftp { .. } => RemoteKind::Sftp,
            Self::Ftps { .. } => RemoteKind::Ftps,
            Self::Https { .. } => RemoteKind::Https,
            Self::Webdav { .. } => RemoteKind::Webdav,
            Self::S3 { .. } => RemoteKind::S3,
            Self::AzureBlob { .. } => RemoteKind::AzureBlob,
            Self::Gcs { .. } => RemoteKind::Gcs,
            Self::Bailee { .. } => RemoteKind::Bailee,
            Self::Local { .. } => RemoteKind::Local,
        }
    }

    /// How it is reached over HTTP, where it is.
    pub fn route(&self) -> Option<&RemoteRoute> {
        match self {
            Self::Https { route, .. }
            | Self::Webdav { route, .. }
            | Self::S3 { route, .. }
            | Self::AzureBlob { route, .. }
            | Self::Gcs { route, .. }
            | Self::Bailee { route, .. } => Some(route),
            Self::Sftp { .. } | Self::Ftps { .. } | Self::Local { .. } => None,
        }
    }

    /// How its TLS is trusted, where it has any.
    pub fn tls(&self) -> Option<&RemoteTls> {
        match self {
            Self::Ftps { tls, .. } => Some(tls),
            _ => self.route().map(|route| &route.tls),
        }
    }

    /// Whether another machine, or another account where the credential may tell, would be shown the credential.
    pub fn is_elsewhere(&self, old: &Self) -> bool {
        self.reaches() != old.reaches() || self.authorities() != old.authorities()
    }

    /// What decides which machine is shown the credential: the host or URL, the account or port, the proxy.
    fn reaches(&self) -> (String, Option<&str>, Option<&str>) {
        let proxy = self.route().and_then(|route| route.proxy_url.as_deref());
        match self {
            Self::Sftp { host, port, .. } | Self::Ftps { host, port, .. } => {
                (format!("{host}:{port}"), None, proxy)
            }
            Self::Https { url, sign_in, .. } | Self::Webdav { url, sign_in, .. } => {
                (url.clone(), sign_in.header_name.as_deref(), proxy)
            }
            Self::Bailee { url, .. } => (url.clone(), None, proxy),
            Self::S3 {
                endpoint, region, ..
            } => {
                // Amazon's own address follows from the region.
                let place = endpoint.clone().unwrap_or_else(|| region.clone());
                (place, endpoint.as_deref(), proxy)
            }
            Self::AzureBlob {
                endpoint, account, ..
            } => {
                let place = endpoint.clone().unwrap_or_else(|| account.clone());
                (place, endpoint.as_deref(), proxy)
            }
            Self::Gcs { endpoint, .. } => {
                let place = endpoint.clone().unwrap_or_default();
                (place, endpoint.as_deref(), proxy)
            }
            Self::Local { folder } => (folder.clone(), None, None),
        }
    }

    /// Who may vouch for the machine: whoever adds an authority of their own could pose as it.
    fn authorities(&self) -> Option<&str> {
        self.tls().and_then(|tls| tls.ca_pem.as_deref())
    }
}
