//! One bucket: where keys are, and the one way to ask it for something.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use bailee_model::Timestamp;
use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, LAST_MODIFIED};
use reqwest::{Body, Response};
use url::Url;

use super::config::{S3Config, S3Encryption};
use super::sign::{Ask, Payload, SERVICE, Signer, Slash, encode};
use super::{error, limits, xml};
use crate::clock::SharedClock;
use crate::connector::{EntryKind, RemoteEntry};
use crate::egress::EgressGuard;
use crate::fault::{FaultKind, Result};
use crate::http as web;
use crate::objects::Keys;
use crate::parts::Outgoing;

/// What a request must find for the far side to carry it out, as a header.
pub(super) type Condition = Option<(&'static str, String)>;

/// What signs and sends.
pub(super) struct Bucket {
    http: web::HttpClient,
    url: Url,
    name: String,
    pub(super) keys: Keys,
    signer: Signer,
    clock: SharedClock,
    /// Headers of whatever is made here.
    making: Vec<(&'static str, String)>,
    pub(super) sends_checksums: bool,
    pub(super) copy_bytes_max: u64,
}

impl Bucket {
    pub(super) fn new(config: &S3Config, guard: &EgressGuard) -> Result<Self> {
        Ok(Self {
            http: web::HttpClient::new(guard, &config.tls, config.proxy.as_ref())?,
            url: config.bucket_url()?,
            name: config.bucket.clone(),
            keys: Keys::beneath(config.prefix.as_ref()),
            signer: Signer {
                access_key_id: config.access_key_id.clone(),
                secret_access_key: config.secret_access_key.clone(),
                session_token: config.session_token.clone(),
                region: config.region.clone(),
                service: SERVICE,
            },
            clock: config.clock.clone(),
            making: making(config),
            sends_checksums: config.sends_checksums,
            copy_bytes_max: config.copy_bytes_max,
        })
    }

    /// A request about the bucket itself.
    pub(super) fn ask(&self, method: Method) -> Ask {
        Ask::new(method, self.url.clone())
    }

    /// A request about the object `key`.
    pub(super) fn about(&self, method: Method, key: &str) -> Ask {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{}", encode(key, Slash::Divides)));
        Ask::new(method, url)
    }

    /// The same, of a request that makes an object.
    pub(super) fn making(&self, method: Method, key: &str) -> Ask {
        let mut ask = self.about(method, key);
        for (name, value) in &self.making {
            ask = ask.header(*name, value.clone());
        }
        ask
    }

    /// `key` as the source of a copy.
    pub(super) fn source(&self, key: &str) -> String {
        encode(&format!("/{}/{key}", self.name), Slash::Divides)
    }

    fn signed(&self, ask: Ask) -> reqwest::RequestBuilder {
        let ask = self.signer.sign(ask, self.clock.now());
        let request = self.http.request(ask.method, ask.url);
        ask.headers
            .into_iter()
            .fold(request, |request, (name, text)| {
                let is_secret = matches!(name.as_str(), "authorization" | "x-amz-security-token");
                match HeaderValue::from_str(&text) {
                    Ok(mut value) => {
                        value.set_sensitive(is_secret);
                        request.header(name, value)
                    }
                    Err(_) => request.header(name, text), // said when the request is built
                }
            })
    }

    /// Sends `ask`, which has no body, and waits for the head of the answer.
    pub(super) async fn send(&self, ask: Ask) -> Result<Response> {
        self.http.send(self.signed(ask)).await
    }

    /// Sends `ask` with a body whose length it states. Whoever calls watches the time.
    pub(super) async fn feed(&self, ask: Ask, body: Body) -> Result<Response> {
        self.http.send_patiently(self.signed(ask).body(body)).await
    }

    /// The head of the object `key`; `None` if it is not there.
    pub(super) async fn head(&self, key: &str, what: &str) -> Result<Option<Response>> {
        let ask = self
            .about(Method::HEAD, key)
            .header("x-amz-checksum-mode", "ENABLED");
        found(error::expect(self.send(ask).await?, what, &FaultKind::Changed).await)
    }
}

/// A request with all of its body, and what its answer means.
#[derive(Clone)]
pub(super) struct Whole {
    pub ask: Ask,
    pub body: Bytes,
    pub condition: Condition,
    pub what: String,
    /// What it means if the condition does not hold.
    pub refused: FaultKind,
    pub time_max: Duration,
}

impl Whole {
    /// Sends it and returns the answer's headers and document. A store that knows no such condition is asked again without;
    /// what the caller saw before must do then.
    pub(super) async fn send(mut self, bucket: &Arc<Bucket>) -> Result<(HeaderMap, Bytes)> {
        let first = self.clone().attempt(bucket).await;
        match first {
            Err(fault) if fault.kind() == &FaultKind::Unsupported && self.condition.is_some() => {
                self.condition = None;
                self.attempt(bucket).await
            }
            other => other,
        }
    }

    async fn attempt(self, bucket: &Arc<Bucket>) -> Result<(HeaderMap, Bytes)> {
        let Self {
            mut body,
            what,
            refused,
            ..
        } = self;
        let mut ask = self.ask;
        if let Some((name, value)) = self.condition {
            ask = ask.header(name, value);
        }
        let length_bytes = body.len() as u64;
        if ask.method != Method::DELETE {
            ask = ask.body(length_bytes, Payload::Digest(sha256_hex(&body)));
        }
        let bucket = Arc::clone(bucket);
        let mut outgoing =
            Outgoing::begin_within(limits::REQUEST, length_bytes, |body| async move {
                let answer = error::expect(bucket.feed(ask, body).await?, &what, &refused).await?;
                let headers = answer.headers().clone();
                Ok((headers, error::document(answer, &what, &refused).await?))
            });
        outgoing.give(&mut body).await?;
        outgoing.receipt_within(self.time_max).await
    }
}

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

fn making(config: &S3Config) -> Vec<(&'static str, String)> {
    let mut headers = vec![("content-type", "application/octet-stream".to_owned())];
    let mut add = |name, value: &str| headers.push((name, value.to_owned()));
    match &config.server_side_encryption {
        None => {}
        Some(S3Encryption::Aes256) => add("x-amz-server-side-encryption", "AES256"),
        Some(S3Encryption::Kms { key_id }) => {
            add("x-amz-server-side-encryption", "aws:kms");
            if let Some(id) = key_id {
                add("x-amz-server-side-encryption-aws-kms-key-id", id);
            }
        }
    }
    if let Some(class) = &config.storage_class {
        add("x-amz-storage-class", class);
    }
    headers
}

/// What is not there is no fault.
pub(super) fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(fault) if fault.kind() == &FaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

pub(super) fn version(head: &Response) -> Option<String> {
    Some(error::header(head, "etag"))
        .filter(|tag| !tag.is_empty())
        .map(xml::quoted)
}

pub(super) fn size_bytes(head: &Response) -> Option<u64> {
    web::header(head, CONTENT_LENGTH)?.parse().ok()
}

/// The entry of the object with this head.
pub(super) fn entry(name: &str, head: &Response) -> RemoteEntry {
    let modified = web::header(head, LAST_MODIFIED).and_then(|text| {
        let time = httpdate::parse_http_date(text).ok()?;
        let since = time.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis())
            .ok()
            .map(Timestamp::from_ms)
    });
    RemoteEntry {
        name: name.to_owned(),
        kind: EntryKind::File,
        size_bytes: size_bytes(head),
        modified,
        version: version(head),
    }
}
