//! What another Bailee needs to be opened.

use secrecy::SecretString;
use url::Url;

use crate::path::RemotePath;
use crate::tls::TlsOptions;

/// Another Bailee and the API key to use there. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct BaileeConfig {
    /// Where the server is, without `/v1`.
    pub base_url: Url,
    /// An API key with the scopes to read and write files.
    pub api_key: SecretString,
    /// The folder beneath which all paths are taken; `None` for the root.
    pub base_path: Option<RemotePath>,
    /// Whom to trust, and a client certificate.
    pub tls: TlsOptions,
    /// A proxy to go through, `http://host:port`.
    pub proxy: Option<Url>,
}

impl BaileeConfig {
    /// The server at `base_url`, as its API key allows.
    pub fn new(base_url: Url, api_key: SecretString) -> Self {
        Self {
            base_url,
            api_key,
            base_path: None,
            tls: TlsOptions::default(),
            proxy: None,
        }
    }
}
