//! What is sent, and where to.

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use url::Url;

use super::{PostRequest, invalid};
use crate::fault::{Fault, FaultKind, Result};

/// Headers that are ours to set: they frame the message or name the host.
const OURS: [HeaderName; 8] = [
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// A receiver's place, parsed.
#[derive(Debug)]
pub(super) struct Target {
    url: Url,
    key: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_tls: bool,
}

impl Target {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let url =
            Url::parse(text).map_err(|error| invalid("the URL cannot be read").because(error))?;
        let is_tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(invalid("the URL must begin with https://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("the URL may not hold a user name or password"));
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(invalid("the URL names no host"));
        };
        let key = format!("{}://{host}:{port}", url.scheme());
        Ok(Self {
            host: host.to_owned(),
            port,
            is_tls,
            key,
            url,
        })
    }

    /// What connections are shared by: scheme, host and port.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn message(&self, request: &PostRequest) -> Result<Request<Full<Bytes>>> {
        let query = self
            .url
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let host = match self.url.port() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        };
        let mut message = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{query}", self.url.path()))
            .header(HOST, host)
            .body(Full::new(request.body.clone()))
            .map_err(|error| invalid("the URL cannot be sent").because(error))?;
        for (name, value) in &request.headers {
            let name =
                HeaderName::try_from(name).map_err(|error| header_fault(name).because(error))?;
            // A value may be a secret: it stays out of the fault, and out of every debug output of the message.
            let mut value =
                HeaderValue::try_from(value).map_err(|_| header_fault(name.as_str()))?;
            value.set_sensitive(true);
            if OURS.contains(&name) {
                return Err(header_fault(name.as_str()));
            }
            message.headers_mut().append(name, value);
        }
        Ok(message)
    }
}

fn header_fault(name: &str) -> Fault {
    Fault::new(
        FaultKind::Invalid,
        format!(
            "the header `{}` cannot be sent",
            crate::fault::far_words(name)
        ),
    )
}
