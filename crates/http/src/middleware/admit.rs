use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bailee_model::{Error, ErrorKind};
use http::header;

use super::facts::host;
use crate::body::is_ambiguous;
use crate::problem::Failure;
use crate::site::Site;

/// Paths that answer while the server drains: they tell that it does.
const WHILE_DRAINING: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Turns away what is refused whatever it asks for.
pub(super) async fn admit(site: &Site, request: Request, next: Next) -> Response {
    match check(site, &request) {
        Ok(()) => next.run(request).await,
        Err(error) => Failure::from(error).into_response(),
    }
}

fn check(site: &Site, request: &Request) -> Result<(), Error> {
    if head_bytes(request) > site.header_bytes_max() {
        return Err(Error::new(
            ErrorKind::HeadersTooLarge,
            format!(
                "The request's target and headers are larger than {} bytes.",
                site.header_bytes_max()
            ),
        ));
    }
    if is_ambiguous(request.headers()) {
        return Err(Error::new(
            ErrorKind::MalformedRequest,
            "The request has both `Content-Length` and `Transfer-Encoding`.",
        ));
    }
    if site.core().is_draining() && !WHILE_DRAINING.contains(&request.uri().path()) {
        return Err(Error::new(
            ErrorKind::Draining,
            "The server is shutting down.",
        ));
    }
    let allowed = site.hosts();
    if !allowed.is_empty() && !host(request).is_some_and(|host| allowed.contains(&host)) {
        return Err(Error::new(
            ErrorKind::MalformedRequest,
            "The request names a host that is not served here.",
        ));
    }
    // Stored bytes are what the client meant; a coding would have to be undone first, at the price of its bombs.
    let codings = request.headers().get_all(header::CONTENT_ENCODING);
    if codings
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(Error::new(
            ErrorKind::UnsupportedContentCoding,
            "Content codings of request bodies are not taken.",
        ));
    }
    Ok(())
}

/// Roughly what target and headers took on the line; four bytes a header for what stands between.
fn head_bytes(request: &Request) -> usize {
    let target = request.uri().path_and_query();
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + 4);
    target.map_or(0, |target| target.as_str().len()) + headers.sum::<usize>()
}
