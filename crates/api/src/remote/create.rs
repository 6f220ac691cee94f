//! What remotes of each kind are made of.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::word::words;
use crate::{RemoteWindow, SecretInput, tagged};

/// Body of `POST /remotes` and `PUT /remotes/{remote_id}`: told apart by `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CreateRemote {
    /// An SFTP server.
    Sftp(CreateSftpRemote),
    /// An FTPS server.
    Ftps(CreateFtpsRemote),
    /// A web server.
    Https(CreateHttpsRemote),
    /// A WebDAV server.
    Webdav(CreateWebdavRemote),
    /// A bucket of S3.
    S3(CreateS3Remote),
    /// A container of Azure Blob Storage.
    AzureBlob(CreateAzureBlobRemote),
    /// A bucket of Google Cloud Storage.
    Gcs(CreateGcsRemote),
    /// Another Bailee.
    Bailee(CreateBaileeRemote),
    /// A folder of the server's machine.
    Local(CreateLocalRemote),
}

/// The kinds: word, name of the body's schema, the schema.
pub(crate) fn bodies() -> Vec<(&'static str, &'static str, RefOr<Schema>)> {
    vec![
        ("sftp", "CreateSftpRemote", CreateSftpRemote::schema()),
        ("ftps", "CreateFtpsRemote", CreateFtpsRemote::schema()),
        ("https", "CreateHttpsRemote", CreateHttpsRemote::schema()),
        ("webdav", "CreateWebdavRemote", CreateWebdavRemote::schema()),
        ("s3", "CreateS3Remote", CreateS3Remote::schema()),
        (
            "azure_blob",
            "CreateAzureBlobRemote",
            CreateAzureBlobRemote::schema(),
        ),
        ("gcs", "CreateGcsRemote", CreateGcsRemote::schema()),
        ("bailee", "CreateBaileeRemote", CreateBaileeRemote::schema()),
        ("local", "CreateLocalRemote", CreateLocalRemote::schema()),
    ]
}

impl PartialSchema for CreateRemote {
    fn schema() -> RefOr<Schema> {
        let bodies = bodies();
        let variants: Vec<_> = bodies
            .iter()
            .map(|(word, name, _)| (*word, *name))
            .collect();
        let about = "Body of `POST /remotes` and `PUT /remotes/{remote_id}`: told apart by `kind`.";
        tagged::union("kind", about, &variants)
    }
}

impl ToSchema for CreateRemote {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        for (word, name, schema) in bodies() {
            schemas.push((name.to_owned(), tagged::variant(schema, "kind", word)));
        }
        CreateSftpRemote::schemas(schemas);
        CreateFtpsRemote::schemas(schemas);
        CreateHttpsRemote::schemas(schemas);
        CreateWebdavRemote::schemas(schemas);
        CreateS3Remote::schemas(schemas);
        CreateAzureBlobRemote::schemas(schemas);
        CreateGcsRemote::schemas(schemas);
        CreateBaileeRemote::schemas(schemas);
        CreateLocalRemote::schemas(schemas);
    }
}

/// Makes the body of one kind: name, the kind's own fields, and what remotes of that sort have besides. `plain` have a
/// number of transfers at once; `tls` trust certificates and may show one; `web` may be behind a proxy;
/// `signed` take one of the ways to sign in that HTTP has.
macro_rules! body {
    (plain $(#[$about:meta])* $body:ident { $($fields:tt)* }) => {
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        $(#[$about])*
        pub struct $body {
            /// What stands before the colon in `bank:/in/a.csv`: `[a-z0-9][a-z0-9-]{0,62}`, unique in the tenant.
            pub name: String,
            $($fields)*
            /// Transfers with it under way at once; 4 when absent.
            pub concurrency: Option<u32>,
            /// How often it is looked at in the background, in seconds, 60 to 604800; never when absent.
            #[schema(minimum = 60, maximum = 604_800)]
            pub health_check_seconds: Option<u32>,
            /// The zone of the times in `windows`, such as `Europe/Berlin`; `UTC` when absent.
            pub time_zone: Option<String>,
            /// How fast transfers with it may be at which time, for all on one node together. The first window that
            /// holds decides; outside of all there is no bound.
            pub windows: Option<Vec<RemoteWindow>>,
        }
    };
    (tls $(#[$about:meta])* $body:ident { $($fields:tt)* }) => {
        body! { plain $(#[$about])* $body {
            $($fields)*
            /// Certificate authorities to trust beside those of the server's machine, PEM.
            pub ca_pem: Option<String>,
            /// A certificate to show who we are, with those between it and its authority, PEM. Needs `client_key`.
            pub client_certificate: Option<String>,
            /// The private key of `client_certificate`, PEM, not locked.
            pub client_key: Option<SecretInput>,
        } }
    };
    (web $(#[$about:meta])* $body:ident { $($fields:tt)* }) => {
        body! { tls $(#[$about])* $body {
            $($fields)*
            /// A proxy on the way, `http://host:port`, whose address the egress rules must allow.
            pub proxy_url: Option<String>,
        } }
    };
    (signed $(#[$about:meta])* $body:ident { $($fields:tt)* }) => {
        body! { web $(#[$about])* $body {
            $($fields)*
            /// Account for HTTP Basic, with `password`; not together with another way to sign in.
            pub username: Option<String>,
            /// Password of `username`.
            pub password: Option<SecretInput>,
            /// Token that is sent as `Authorization: Bearer`.
            pub bearer_token: Option<SecretInput>,
            /// Name of a header that carries `header_value`, such as `X-Api-Key`.
            pub header_name: Option<String>,
            /// What the header holds.
            pub header_value: Option<SecretInput>,
        } }
    };
}

body! {
plain
/// An SFTP server (SSH File Transfer Protocol, version 3), with `kind` `sftp`.
#[schema(example = json!({"name": "bank", "kind": "sftp", "host": "sftp.bank.example", "username": "acme", "password": "…", "base_path": "/in"}))]
CreateSftpRemote {
    /// Host name or address.
    pub host: String,
    /// TCP port; 22 when absent.
    pub port: Option<u16>,
    /// Whom to sign in as.
    pub username: String,
    /// Password; not together with `private_key`.
    pub password: Option<SecretInput>,
    /// Private key in OpenSSH or PKCS #8 PEM form; not together with `password`.
    pub private_key: Option<SecretInput>,
    /// The private key before it, tried after it while the partner may not know the new one; null in a change forgets it.
    pub previous_private_key: Option<SecretInput>,
    /// What opens the private keys.
    pub passphrase: Option<SecretInput>,
    /// Fingerprint of the server's key, `SHA256:…` as OpenSSH prints it. Without one, nothing moves until it is trusted.
    pub host_key: Option<String>,
    /// The folder that `/` of this remote means; the one after sign-in when absent.
    pub base_path: Option<String>,
}
}

body! {
tls
/// An FTP server, over TLS only, with `kind` `ftps`.
#[schema(example = json!({"name": "press", "kind": "ftps", "host": "ftp.press.example", "username": "acme", "password": "…"}))]
CreateFtpsRemote {
    /// Host name or address.
    pub host: String,
    /// TCP port of the control connection; 21 when absent, 990 where `mode` is `implicit`.
    pub port: Option<u16>,
    /// When TLS begins: `explicit` (when absent) by the command `AUTH TLS`, `implicit` with the first byte.
    pub mode: Option<FtpsMode>,
    /// Whom to sign in as.
    pub username: String,
    /// Password.
    pub password: Option<SecretInput>,
    /// The folder that `/` of this remote means; the one after sign-in when absent.
    pub base_path: Option<String>,
}
}

body! {
signed
/// A web server whose files are at URLs, with `kind` `https`. Folders cannot be listed.
#[schema(example = json!({"name": "feed", "kind": "https", "url": "https://feed.example/files/", "bearer_token": "…"}))]
CreateHttpsRemote {
    /// The URL that `/` of this remote means. Plain `http` is for the server's own machine only.
    pub url: String,
    /// Whether files may be written; false when absent.
    pub can_write: Option<bool>,
    /// How files are written: `put` (when absent) or `post`, after which nothing can be read back.
    pub method: Option<HttpMethod>,
}
}

body! {
signed
/// A WebDAV server, with `kind` `webdav`.
#[schema(example = json!({"name": "cloud", "kind": "webdav", "url": "https://cloud.example/dav/acme/", "username": "acme", "password": "…"}))]
CreateWebdavRemote {
    /// The URL of the folder that `/` of this remote means. Plain `http` is for the server's own machine only.
    pub url: String,
}
}

body! {
web
/// A bucket of S3, or of a store that speaks its protocol, with `kind` `s3`.
#[schema(example = json!({"name": "lake", "kind": "s3", "region": "eu-central-1", "bucket": "acme-lake", "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "…"}))]
CreateS3Remote {
    /// Where the store answers; Amazon's own by region when absent.
    pub endpoint: Option<String>,
    /// The region that signatures name. Stores of one region often want `us-east-1`.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// The folder that `/` of this remote means; the whole bucket when absent.
    pub base_path: Option<String>,
    /// The name of the access key.
    pub access_key_id: String,
    /// Its secret. Needed; optional only in a change.
    pub secret_access_key: Option<SecretInput>,
    /// What goes with a key that holds for some hours.
    pub session_token: Option<SecretInput>,
    /// Whether the bucket stands in the path instead of the host name; false when absent.
    pub path_style: Option<bool>,
    /// How the store encrypts what is written: `AES256` or `aws:kms`; the bucket's own setting when absent.
    pub server_side_encryption: Option<String>,
    /// The key of `aws:kms`, by id or ARN.
    pub kms_key_id: Option<String>,
    /// The storage class of what is written, such as `STANDARD_IA`.
    pub storage_class: Option<String>,
    /// Whether what is written carries a checksum; true when absent. Some stores refuse it.
    pub sends_checksums: Option<bool>,
}
}

body! {
web
/// A container of Azure Blob Storage, with `kind` `azure_blob`.
#[schema(example = json!({"name": "vault", "kind": "azure_blob", "account": "acmefiles", "container": "exchange", "account_key": "…"}))]
CreateAzureBlobRemote {
    /// The storage account's name.
    pub account: String,
    /// The container.
    pub container: String,
    /// Where the account answers, up to before the container; `https://{account}.blob.core.windows.net` when absent.
    pub endpoint: Option<String>,
    /// The folder that `/` of this remote means; the whole container when absent.
    pub base_path: Option<String>,
    /// One of the account's two keys, base64. This or `sas_token` is needed; optional only in a change.
    pub account_key: Option<SecretInput>,
    /// A shared access signature, the query text that begins with `sv=`. It needs read, write, create, delete and list.
    pub sas_token: Option<SecretInput>,
}
}

body! {
web
/// A bucket of Google Cloud Storage, with `kind` `gcs`. Without a secret it is reached as nobody: public buckets only.
#[schema(example = json!({"name": "warehouse", "kind": "gcs", "bucket": "acme-warehouse", "service_account_key": "{…}"}))]
CreateGcsRemote {
    /// The bucket.
    pub bucket: String,
    /// Where the service answers; `https://storage.googleapis.com` when absent.
    pub endpoint: Option<String>,
    /// The folder that `/` of this remote means; the whole bucket when absent.
    pub base_path: Option<String>,
    /// The JSON key of a service account, as text. It needs the role Storage Object User on the bucket.
    pub service_account_key: Option<SecretInput>,
    /// An access token that somebody else renews; not together with `service_account_key`.
    pub bearer_token: Option<SecretInput>,
}
}

body! {
web
/// Another Bailee, with `kind` `bailee`.
#[schema(example = json!({"name": "berlin", "kind": "bailee", "url": "https://bailee.berlin.example", "api_key": "…"}))]
CreateBaileeRemote {
    /// Where the server is, without `/v1`. Plain `http` is for the server's own machine only.
    pub url: String,
    /// An API key with the scopes to read and write files. Needed; optional only in a change.
    pub api_key: Option<SecretInput>,
    /// The folder that `/` of this remote means; the root when absent.
    pub base_path: Option<String>,
}
}

body! {
plain
/// A folder of the server's machine, with `kind` `local`.
#[schema(example = json!({"name": "dropbox", "kind": "local", "folder": "/srv/exchange"}))]
CreateLocalRemote {
    /// One of the folders that the operator allows, or one below.
    pub folder: String,
}
}

words! {
    /// When TLS begins on a control connection of FTP.
    FtpsMode {
        /// By the command `AUTH TLS`.
        Explicit = "explicit",
        /// With the first byte.
        Implicit = "implicit",
    }
}

words! {
    /// By which request a file is written over HTTP.
    HttpMethod {
        /// The body becomes what stands at the URL.
        Put = "put",
        /// The body is handed to whatever stands behind the URL.
        Post = "post",
    }
}

/// Body of `PATCH /remotes/{remote_id}`: a JSON Merge Patch (RFC 7396) with fields of the remote's kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeRemote(ChangedFields);

/// The fields of a change, of which some may be secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct ChangedFields(Map<String, Value>);

impl std::fmt::Debug for ChangedFields {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

impl ChangeRemote {
    /// The same with one field more: a value, or null to empty it.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0.0.insert(field.to_owned(), value.into());
        self
    }

    /// The fields, by name.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0.0
    }
}

impl PartialSchema for ChangeRemote {
    fn schema() -> RefOr<Schema> {
        let about = "Body of `PATCH /remotes/{remote_id}`: a JSON Merge Patch (RFC 7396). A field that the remote's kind \
                     does not have is refused.";
        let mut whole = ObjectBuilder::new()
            .description(Some(about))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .build();
        for (_, _, body) in bodies() {
            if let RefOr::T(Schema::Object(body)) = body {
                for (name, field) in body.properties {
                    whole.properties.entry(name).or_insert(field);
                }
            }
        }
        RefOr::T(Schema::Object(whole))
    }
}

impl ToSchema for ChangeRemote {}
