//! What a web server needs to be opened.

use url::Url;

use crate::http::HttpAuth;
use crate::tls::TlsOptions;

/// By which request a file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpsMethod {
    /// The body becomes what stands at the URL.
    #[default]
    Put,
    /// The body is handed to whatever stands behind the URL: what becomes of it cannot be read back or removed.
    Post,
}

/// A web server whose files are at URLs. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct HttpsConfig {
    /// The URL beneath which all paths are taken; without user name, query and fragment.
    pub base_url: Url,
    /// How we sign in, if not by [`TlsOptions::identity`].
    pub auth: HttpAuth,
    /// Whether the server takes files. Nobody can tell without writing one.
    pub can_write: bool,
    /// How files are written.
    pub method: HttpsMethod,
    /// Whom to trust, and a client certificate.
    pub tls: TlsOptions,
    /// A proxy to go through, `http://host:port`.
    pub proxy: Option<Url>,
}

impl HttpsConfig {
    /// The server at `base_url`, to read from without a credential.
    pub fn new(base_url: Url) -> Self {
        Self {
            base_url,
            auth: HttpAuth::None,
            can_write: false,
            method: HttpsMethod::Put,
            tls: TlsOptions::default(),
            proxy: None,
        }
    }
}
