use std::fmt;

use metrics_exporter_prometheus::PrometheusHandle;

use crate::rate_limit::RateLimits;

/// What the wiring decides.
pub struct HttpOptions {
    /// Scheme and host of this server without a trailing slash, for links to problem pages. `None`: the host that the
    /// request names.
    pub base_url: Option<String>,
    /// Host names that are served, in lower case and without port; empty is any.
    pub hosts: Vec<String>,
    /// Most bytes of a request's target and headers together.
    pub header_bytes_max: usize,
    /// Signs cursors. The same on every node, so that a list can go on anywhere.
    pub cursor_key: CursorKey,
    /// How many requests a credential or address may send.
    pub rate_limits: RateLimits,
    /// Where `/metrics` is read from; `None` switches it off.
    pub metrics: Option<PrometheusHandle>,
    /// `Contact:` of `/.well-known/security.txt`: a `mailto:` or `https:` address. `None`: no such file.
    pub security_contact: Option<String>,
}

/// The key under which cursors are signed (HMAC-SHA256).
#[derive(Clone)]
pub struct CursorKey(pub(crate) [u8; 32]);

impl CursorKey {
    /// Takes 32 unpredictable bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("CursorKey(…)")
    }
}
