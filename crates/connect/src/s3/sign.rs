//! Signature Version 4 in headers: method, path, query, headers and the body's digest, signed for one day, region and
//! service.
//!
//! Bodies that are streamed are not in the signature (`UNSIGNED-PAYLOAD`): TLS guards them on the way. What is held is
//! signed with its SHA-256, which the far side then checks.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use bailee_model::Timestamp;
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The service of buckets, as signatures name it.
pub(crate) const SERVICE: &str = "s3";

/// What is signed of a body.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// There is none.
    Empty,
    /// The SHA-256 of what is sent, hexadecimal.
    Digest(String),
    /// Its bytes are not known yet.
    Streamed,
}

/// A request before it is signed. Texts are plain; encoding is done here.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub method: Method,
    pub url: Url,
    pub query: Vec<(&'static str, String)>,
    pub headers: Vec<(String, String)>,
    pub payload: Payload,
}

impl Ask {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            query: Vec::new(),
            headers: Vec::new(),
            payload: Payload::Empty,
        }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// `name` in lower case.
    pub(crate) fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// States a body of `length_bytes`.
    pub(crate) fn body(mut self, length_bytes: u64, payload: Payload) -> Self {
        self.payload = payload;
        self.header("content-length", length_bytes.to_string())
    }
}

/// Who signs.
pub(crate) struct Signer {
    pub access_key_id: String,
    pub secret_access_key: SecretString,
    pub session_token: Option<SecretString>,
    pub region: String,
    /// The service that is asked.
    pub service: &'static str,
}

impl Signer {
    /// `ask` with its query in its URL, and with the headers that prove who asks.
    pub(crate) fn sign(&self, mut ask: Ask, now: Timestamp) -> Ask {
        let time = compact(now);
        let day = time.split('T').next().unwrap_or_default().to_owned();
        let payload = match &ask.payload {
            Payload::Empty => hex::encode(digest(&SHA256, b"")),
            Payload::Digest(text) => text.clone(),
            Payload::Streamed => "UNSIGNED-PAYLOAD".to_owned(),
        };
        ask.headers.push(("x-amz-date".to_owned(), time.clone()));
        ask.headers
            .push(("x-amz-content-sha256".to_owned(), payload.clone()));
        if let Some(token) = &self.session_token {
            let token = token.expose_secret().to_owned();
            ask.headers.push(("x-amz-security-token".to_owned(), token));
        }
        let query = canonical_query(&ask.query);
        ask.url.set_query((!query.is_empty()).then_some(&query));
        let (names, headers) = canonical_headers(&ask);
        let method = &ask.method;
        let path = match ask.url.path() {
            "" => "/",
            path => path,
        };
        let request = format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{payload}");
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let hash = hex::encode(digest(&SHA256, request.as_bytes()));
        let text = format!("{ALGORITHM}\n{time}\n{scope}\n{hash}");
        let signature = hex::encode(mac(self.signing_key(&day).as_ref(), &text));
        let proof = format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.access_key_id
        );
        ask.headers.push(("authorization".to_owned(), proof));
        ask
    }

    fn signing_key(&self, day: &str) -> hmac::Tag {
        let secret = SecretString::from(format!("AWS4{}", self.secret_access_key.expose_secret()));
        let mut key = mac(secret.expose_secret().as_bytes(), day);
        for step in [self.region.as_str(), self.service, "aws4_request"] {
            key = mac(key.as_ref(), step);
        }
        key
    }
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

/// `20261121T091400Z`.
fn compact(time: Timestamp) -> String {
    let text = time.to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    let mut text: String = seconds.chars().filter(|c| !"-:".contains(*c)).collect();
    text.push('Z');
    text
}

fn canonical_query(query: &[(&'static str, String)]) -> String {
    let mut pairs: Vec<_> = query
        .iter()
        .map(|(name, value)| {
            format!(
                "{}={}",
                encode(name, Slash::Letter),
                encode(value, Slash::Letter)
            )
        })
        .collect();
    pairs.sort();
    pairs.join("&")
}

/// The names that are signed, and the headers as they are signed: host, the protocol's own, and the content's type.
fn canonical_headers(ask: &Ask) -> (String, String) {
    let mut host = ask.url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = ask.url.port() {
        host = format!("{host}:{port}");
    }
    let mut headers = vec![("host", host)];
    for (name, value) in &ask.headers {
        if name.starts_with("x-amz-") || name == "content-type" {
            let words: Vec<_> = value.split_whitespace().collect();
            headers.push((name, words.join(" ")));
        }
    }
    headers.sort();
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let lines = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"));
    (names.join(";"), lines.collect())
}

/// What a slash means in a text that is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slash {
    /// It divides a path, and stays.
    Divides,
    /// It is a letter like others.
    Letter,
}

/// Percent-encodes everything but letters, digits and `-._~`, and the slash where it divides a path.
pub(super) fn encode(text: &str, slash: Slash) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            b'/' if slash == Slash::Divides => out.push('/'),
            _ => {
                // Writing to a string does not fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Undoes the encoding that listings are asked for. `None` if it is broken.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn signer(session_token: Option<SecretString>) -> Signer {
        Signer {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session_token,
            region: "us-east-1".to_owned(),
            service: SERVICE,
        }
    }

    fn ask() -> Ask {
        let url = "https://examplebucket.s3.amazonaws.com/".parse().unwrap();
        Ask::new(Method::GET, url)
    }

    fn proof(signed: &Ask) -> &str {
        let found = signed
            .headers
            .iter()
            .find(|(name, _)| name == "authorization");
        found.map(|(_, value)| value.as_str()).unwrap()
    }

    /// The examples of Amazon's own documentation.
    #[test]
    fn published_examples_come_out() {
        let now = Timestamp::parse("2013-05-24T00:00:00Z").unwrap();
        let signed = signer(None).sign(ask().query("lifecycle", ""), now);
        assert_eq!(
            proof(&signed),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
             Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
        let list = ask().query("prefix", "J").query("max-keys", "2");
        let signed = signer(None).sign(list, now);
        assert!(proof(&signed).ends_with(
            "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        ));
        assert_eq!(signed.url.query(), Some("max-keys=2&prefix=J"));
    }

    #[test]
    fn a_session_is_signed_and_the_secret_never_sent() {
        let signed = signer(Some("the-session".into())).sign(ask(), Timestamp::from_ms(0));
        assert!(proof(&signed).contains("x-amz-date;x-amz-security-token,"));
        let all = format!("{signed:?}");
        assert!(all.contains("the-session") && !all.contains("bPxRfiCY"));
    }

    #[test]
    fn names_are_encoded_and_decoded() {
        assert_eq!(
            encode("ä b+%/.csv~", Slash::Divides),
            "%C3%A4%20b%2B%25/.csv~"
        );
        assert_eq!(encode("a/b", Slash::Letter), "a%2Fb");
        assert_eq!(decode("%C3%A4+b%2B%25/%0a").as_deref(), Some("ä b+%/\n"));
        for broken in ["%", "%4", "%zz", "%ff", "%+1"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }
}
