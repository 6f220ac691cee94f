use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use bailee_model::{RequestId, Timestamp};
use http::{HeaderMap, header};

use crate::limit::REQUEST_ID_CHARS_MAX;
use crate::operations::Operation;
use crate::peer::Peer;
use crate::site::Site;

/// What is known of a request before anybody looks inside.
#[derive(Clone, Debug)]
pub(crate) struct RequestFacts {
    /// Names the request in answers, logs and the journal.
    pub(crate) id: RequestId,
    /// What the client sent as `X-Request-Id`; it gets that back.
    pub(crate) client_id: Option<String>,
    /// When it began.
    pub(crate) now: Timestamp,
    /// Where it came from.
    pub(crate) address: Option<IpAddr>,
    /// Scheme and host of this server.
    pub(crate) origin: String,
    /// The path asked for, in its `/v1` form.
    pub(crate) instance: String,
    /// The route's pattern, in its `/v1` form; `None` for what has no route.
    pub(crate) route: Option<String>,
    /// The operation, if the route is one of the API.
    pub(crate) operation: Option<Arc<Operation>>,
    /// Whether errors have no body: a resumed download appends whatever comes.
    pub(crate) is_bare_on_error: bool,
}

impl RequestFacts {
    pub(crate) fn of(site: &Site, request: &Request) -> Self {
        let core = site.core();
        // The journal's id is always ours: a client's could name another request.
        let id = core.new_request_id();
        let client_id = client_id(request.headers());
        let matched = request.extensions().get::<MatchedPath>();
        let pattern = matched.map(|path| {
            let path = path.as_str();
            path.strip_prefix("/v1").unwrap_or(path)
        });
        let operation = pattern.and_then(|path| site.operations().find(request.method(), path));
        let is_download = operation.as_ref().is_some_and(|known| known.is_download);
        Self {
            id,
            client_id,
            now: core.clock().now(),
            address: request
                .extensions()
                .get::<Peer>()
                .map(|peer| peer.address.ip().to_canonical()),
            origin: site
                .base_url()
                .map_or_else(|| origin(request), ToOwned::to_owned),
            instance: in_v1(request.uri().path()),
            route: pattern.map(in_v1),
            is_bare_on_error: is_download && request.headers().contains_key(header::RANGE),
            operation,
        }
    }

    /// `files.upload`; `-` for what is no operation.
    pub(crate) fn operation_id(&self) -> &str {
        self.operation.as_ref().map_or("-", |known| &known.id)
    }

    #[cfg(test)]
    pub(crate) fn example() -> Self {
        Self {
            id: RequestId::from_bits(1),
            client_id: None,
            now: Timestamp::from_ms(0),
            address: None,
            origin: "https://files.example.com".to_owned(),
            instance: "/v1/auth/validate".to_owned(),
            route: Some("/v1/auth/validate".to_owned()),
            operation: None,
            is_bare_on_error: false,
        }
    }
}

/// What is served outside the API, and so has no `/v1` form.
const OUTSIDE: [&str; 6] = [
    "/docs/",
    "/healthz",
    "/metrics",
    "/openapi.json",
    "/readyz",
    "/.well-known/",
];

/// Both mounts are told as one.
fn in_v1(path: &str) -> String {
    let is_outside = path == "/" || OUTSIDE.iter().any(|known| path.starts_with(known));
    if is_outside || path == "/v1" || path.starts_with("/v1/") {
        path.to_owned()
    } else {
        format!("/v1{path}")
    }
}

fn client_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("x-request-id")?.to_str().ok()?;
    let is_fit = !text.is_empty()
        && text.len() <= REQUEST_ID_CHARS_MAX
        && text.bytes().all(|b| b.is_ascii_graphic());
    is_fit.then(|| text.to_owned())
}

/// The host that the request names, without its port: `Host`, or the authority of HTTP/2.
pub(crate) fn host(request: &Request) -> Option<String> {
    let text = if let Some(host) = request.uri().host() {
        host.to_owned()
    } else {
        let value = request.headers().get(header::HOST)?.to_str().ok()?;
        let authority: http::uri::Authority = value.parse().ok()?;
        authority.host().to_owned()
    };
    Some(text.to_ascii_lowercase())
}

fn origin(request: &Request) -> String {
    let authority = match request.uri().authority() {
        Some(authority) => Some(authority.to_string()),
        None => request
            .headers()
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .filter(|text| text.parse::<http::uri::Authority>().is_ok())
            .map(ToOwned::to_owned),
    };
    authority.map_or_else(String::new, |authority| format!("https://{authority}"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use axum::body::Body;

    fn request(host_header: &str) -> Request {
        http::Request::get("/v1/files")
            .header("host", host_header)
            .body(Body::empty())
            .unwrap()
    }

    #[test]
    fn a_host_is_read_without_its_port_and_in_lower_case() {
        assert_eq!(
            host(&request("Files.Example.com:8443")).as_deref(),
            Some("files.example.com")
        );
        assert_eq!(host(&request("[::1]:8443")).as_deref(), Some("[::1]"));
        assert_eq!(host(&request("a b")), None);
        assert_eq!(origin(&request("a<script>")), "");
    }

    #[test]
    fn a_request_id_of_the_client_is_bounded_and_visible() {
        let with = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-request-id", text.parse().unwrap());
            client_id(&headers)
        };
        assert_eq!(with("abc-1").as_deref(), Some("abc-1"));
        assert_eq!(with("a b"), None);
        assert_eq!(with(&"a".repeat(129)), None);
    }
}
