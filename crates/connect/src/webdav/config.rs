//! What a WebDAV server needs to be opened.

use url::Url;

use crate::http::HttpAuth;
use crate::tls::TlsOptions;

/// A WebDAV server and how to sign in there. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct WebdavConfig {
    /// The URL of the folder beneath which all paths are taken; without user name, query and fragment.
    pub base_url: Url,
    /// How we sign in, if not by [`TlsOptions::identity`].
    pub auth: HttpAuth,
    /// Whom to trust, and a client certificate.
    pub tls: TlsOptions,
    /// A proxy to go through, `http://host:port`.
    pub proxy: Option<Url>,
}

impl WebdavConfig {
    /// The folder at `base_url`, without a credential.
    pub fn new(base_url: Url) -> Self {
        Self {
            base_url,
            auth: HttpAuth::None,
            tls: TlsOptions::default(),
            proxy: None,
        }
    }
}
