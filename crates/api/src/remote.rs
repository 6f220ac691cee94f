//! Remotes: far systems with address, credential and limits. Secrets go in and never come out.

use bailee_model::{RemoteId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::word::{words, words_from};
use crate::{Links, List, SecretText, tagged};

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
        /// Another Bailee.
        Bailee = "bailee",
        /// A folder of the server's machine that the operator allows.
        Local = "local",
    }
}
words_from!(bailee_model::RemoteKind => RemoteKind { Sftp, Ftps, Https, Webdav, S3, Bailee, Local });

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
    /// Another Bailee.
    Bailee(CreateBaileeRemote),
    /// A folder of the server's machine.
    Local(CreateLocalRemote),
}

/// The kinds: word, name of the body's schema, the schema.
fn bodies() -> Vec<(&'static str, &'static str, RefOr<Schema>)> {
    vec![
        ("sftp", "CreateSftpRemote", CreateSftpRemote::schema()),
        ("ftps", "CreateFtpsRemote", CreateFtpsRemote::schema()),
        ("https", "CreateHttpsRemote", CreateHttpsRemote::schema()),
        ("webdav", "CreateWebdavRemote", CreateWebdavRemote::schema()),
        ("s3", "CreateS3Remote", CreateS3Remote::schema()),
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
        CreateBaileeRemote::schemas(schemas);
        CreateLocalRemote::schemas(schemas);
    }
}

/// Makes the body of one kind: name, the kind's own fields, and what remotes of that sort have besides. `plain` have a
/// number of transfers at once; `tls` trust certificates and may show one; `web` may be behind a proxy.
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
            #[schema(value_type = Option<String>)]
            pub client_key: Option<SecretText>,
        } }
    };
    (web $(#[$about:meta])* $body:ident { $($fields:tt)* }) => {
        body! { tls $(#[$about])* $body {
            $($fields)*
            /// A proxy on the way, `http://host:port`, whose address the egress rules must allow.
            pub proxy_url: Option<String>,
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
    #[schema(value_type = Option<String>)]
    pub password: Option<SecretText>,
    /// The folder that `/` of this remote means; the one after sign-in when absent.
    pub base_path: Option<String>,
}
}

body! {
web
/// A web server whose files are at URLs, with `kind` `https`. Folders cannot be listed.
#[schema(example = json!({"name": "feed", "kind": "https", "url": "https://feed.example/files/", "bearer_token": "…"}))]
CreateHttpsRemote {
    /// The URL that `/` of this remote means. Plain `http` is for the server's own machine only.
    pub url: String,
    /// Account for HTTP Basic, with `password`; not together with another way to sign in.
    pub username: Option<String>,
    /// Password of `username`.
    #[schema(value_type = Option<String>)]
    pub password: Option<SecretText>,
    /// Token that is sent as `Authorization: Bearer`.
    #[schema(value_type = Option<String>)]
    pub bearer_token: Option<SecretText>,
    /// Name of a header that carries `header_value`, such as `X-Api-Key`.
    pub header_name: Option<String>,
    /// What the header holds.
    #[schema(value_type = Option<String>)]
    pub header_value: Option<SecretText>,
    /// Whether files may be written; false when absent.
    pub can_write: Option<bool>,
    /// How files are written: `put` (when absent) or `post`, after which nothing can be read back.
    pub method: Option<HttpMethod>,
}
}

body! {
web
/// A WebDAV server, with `kind` `webdav`.
#[schema(example = json!({"name": "cloud", "kind": "webdav", "url": "https://cloud.example/dav/acme/", "username": "acme", "password": "…"}))]
CreateWebdavRemote {
    /// The URL of the folder that `/` of this remote means. Plain `http` is for the server's own machine only.
    pub url: String,
    /// Account for HTTP Basic, with `password`; not together with another way to sign in.
    pub username: Option<String>,
    /// Password of `username`.
    #[schema(value_type = Option<String>)]
    pub password: Option<SecretText>,
    /// Token that is sent as `Authorization: Bearer`.
    #[schema(value_type = Option<String>)]
    pub bearer_token: Option<SecretText>,
    /// Name of a header that carries `header_value`, such as `X-Api-Key`.
    pub header_name: Option<String>,
    /// What the header holds.
    #[schema(value_type = Option<String>)]
    pub header_value: Option<SecretText>,
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
    #[schema(value_type = Option<String>)]
    pub secret_access_key: Option<SecretText>,
    /// What goes with a key that holds for some hours.
    #[schema(value_type = Option<String>)]
    pub session_token: Option<SecretText>,
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
/// Another Bailee, with `kind` `bailee`.
#[schema(example = json!({"name": "berlin", "kind": "bailee", "url": "https://bailee.berlin.example", "api_key": "…"}))]
CreateBaileeRemote {
    /// Where the server is, without `/v1`. Plain `http` is for the server's own machine only.
    pub url: String,
    /// An API key with the scopes to read and write files. Needed; optional only in a change.
    #[schema(value_type = Option<String>)]
    pub api_key: Option<SecretText>,
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
    /// Whether the key of a client certificate is kept.
    pub has_client_key: bool,
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
