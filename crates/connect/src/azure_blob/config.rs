//! What an Azure Blob Storage container needs to be opened.

use secrecy::SecretString;
use url::Url;

use crate::clock::SharedClock;
use crate::http::host_port;
use crate::path::RemotePath;
use crate::tls::TlsOptions;

/// A container of an Azure Storage account. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct AzureBlobConfig {
    /// Where the account answers, up to before the container's name; `None` for
    /// `https://{account}.blob.core.windows.net`.
    pub endpoint: Option<Url>,
    /// The storage account's name.
    pub account: String,
    /// The container.
    pub container: String,
    /// What all names begin with, as a folder; `None` for the whole container.
    pub prefix: Option<RemotePath>,
    /// How to show that the account may be used.
    pub credential: AzureCredential,
    /// Whom to trust.
    pub tls: TlsOptions,
    /// `http://host:port` of a proxy on the way, with user name and password if need be.
    pub proxy: Option<Url>,
    /// Signatures name the time; far clocks must agree within 15 minutes.
    pub clock: SharedClock,
}

impl AzureBlobConfig {
    /// The container `container` of `account` at its usual address.
    pub fn new(
        account: impl Into<String>,
        container: impl Into<String>,
        credential: AzureCredential,
        clock: SharedClock,
    ) -> Self {
        Self {
            endpoint: None,
            account: account.into(),
            container: container.into(),
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
        Some((format!("{}.blob.core.windows.net", self.account), 443))
    }
}

/// What opens a storage account.
#[derive(Clone, Debug)]
pub enum AzureCredential {
    /// One of the account's two keys, base64: it may do everything.
    SharedKey(SecretString),
    /// A shared access signature: the query text that begins with `sv=`, with or without a question mark. It needs read,
    /// write, create, delete and list on the container for all that a connector can do.
    Sas(SecretString),
}
