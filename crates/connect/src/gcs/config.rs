//! What a Google Cloud Storage bucket needs to be opened.

use secrecy::SecretString;
use url::Url;

use crate::clock::SharedClock;
use crate::http::host_port;
use crate::path::RemotePath;
use crate::tls::TlsOptions;

/// Where the service answers.
pub(super) const HOST: &str = "storage.googleapis.com";

/// A bucket. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct GcsConfig {
    /// Where the service answers; `None` for `https://storage.googleapis.com`.
    pub endpoint: Option<Url>,
    /// The bucket.
    pub bucket: String,
    /// What all names begin with, as a folder; `None` for the whole bucket.
    pub prefix: Option<RemotePath>,
    /// How to show that the bucket may be used.
    pub credential: GcsCredential,
    /// Whom to trust, at the service and at the token endpoint.
    pub tls: TlsOptions,
    /// `http://host:port` of a proxy on the way, with user name and password if need be.
    pub proxy: Option<Url>,
    /// Requests for access tokens name the time; far clocks must agree within minutes.
    pub clock: SharedClock,
}

impl GcsConfig {
    /// The bucket `bucket` at its usual address.
    pub fn new(bucket: impl Into<String>, credential: GcsCredential, clock: SharedClock) -> Self {
        Self {
            endpoint: None,
            bucket: bucket.into(),
            prefix: None,
            credential,
            tls: TlsOptions::default(),
            proxy: None,
            clock,
        }
    }

    /// Where the name to resolve first leads: the proxy, if there is one.
    pub(crate) fn host_port(&self) -> Option<(String, u16)> {
        if let Some(url) = self.proxy.as_ref().or(self.endpoint.as_ref()) {
            return host_port(url);
        }
        Some((HOST.to_owned(), 443))
    }
}

/// What opens a bucket.
#[derive(Clone, Debug)]
pub enum GcsCredential {
    /// The JSON key of a service account, as Google hands it out. It needs the role Storage Object User on the bucket for
    /// all that a connector can do.
    ServiceAccount(SecretString),
    /// An access token that somebody else renews.
    Bearer(SecretString),
    /// None: public buckets and emulators.
    Anonymous,
}
