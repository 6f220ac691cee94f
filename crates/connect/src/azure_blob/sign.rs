//! Showing that a request may be made: Shared Key signatures and shared access signatures.
//!
//! Shared Key is an HMAC-SHA256 over a canonical text of the request, fixed by the service for all versions since 2015. A
//! shared access signature is a part of the URL, and so a URL with one is a secret: it is made last and shown nowhere.

use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use bailee_model::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::config::AzureCredential;
use crate::fault::{Fault, FaultKind, Result};

/// The version of the service whose rules are followed.
const SERVICE_VERSION: &str = "2021-12-02";

/// Headers that the signed text names without their names, in its order.
const PLAIN_HEADERS: [&str; 11] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

/// A request before it is signed. `headers` have lower-case names.
#[derive(Debug)]
pub(super) struct Ask {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(&'static str, String)>,
}

impl Ask {
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A credential made ready.
pub(super) enum Signer {
    SharedKey {
        account: String,
        key: Box<hmac::Key>,
    },
    Sas(SecretString),
}

impl Signer {
    pub(super) fn new(account: &str, credential: &AzureCredential) -> Result<Self> {
        Ok(match credential {
            AzureCredential::SharedKey(key) => {
                let bytes = STANDARD
                    .decode(key.expose_secret().trim())
                    .map_err(|_| invalid("the account key is not base64"))?;
                Self::SharedKey {
                    account: account.to_owned(),
                    key: Box::new(hmac::Key::new(hmac::HMAC_SHA256, &bytes)),
                }
            }
            AzureCredential::Sas(query) => {
                let query = query.expose_secret().trim();
                let query = query.strip_prefix('?').unwrap_or(query);
                let has_signature = query.split('&').any(|pair| pair.starts_with("sig="));
                if !has_signature || query.contains('#') {
                    return Err(invalid("the shared access signature has no `sig=`"));
                }
                Self::Sas(query.into())
            }
        })
    }

    /// `ask` as it may be sent at `now`.
    pub(super) fn sign(&self, mut ask: Ask, now: Timestamp) -> Ask {
        ask.headers.push(("x-ms-date", date(now)));
        ask.headers
            .push(("x-ms-version", SERVICE_VERSION.to_owned()));
        match self {
            Self::SharedKey { account, key } => {
                let signature = hmac::sign(key, text(account, &ask).as_bytes());
                let signature = STANDARD.encode(signature);
                let value = format!("SharedKey {account}:{signature}");
                ask.headers.push(("authorization", value));
            }
            Self::Sas(_) => ask.url = self.source(ask.url),
        }
        ask
    }

    /// `url` as the far side may be told to read from it.
    pub(super) fn source(&self, mut url: Url) -> Url {
        if let Self::Sas(signature) = self {
            let query = match url.query() {
                Some(query) => format!("{query}&{}", signature.expose_secret()),
                None => signature.expose_secret().to_owned(),
            };
            url.set_query(Some(&query));
        }
        url
    }
}

/// The text that is signed.
fn text(account: &str, ask: &Ask) -> String {
    let mut text = ask.method.as_str().to_owned();
    for plain in PLAIN_HEADERS {
        let value = ask.headers.iter().find(|(name, _)| *name == plain);
        let value = value.map_or("", |(_, value)| value.as_str());
        let is_empty_length = plain == "content-length" && value == "0";
        text.push('\n');
        text.push_str(if is_empty_length { "" } else { value });
    }
    text.push('\n');
    let mut own: Vec<_> = ask
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-ms-"))
        .collect();
    own.sort();
    for (name, value) in own {
        text.extend([name, ":", value.as_str(), "\n"]);
    }
    text.push('/');
    text.push_str(account);
    text.push_str(ask.url.path());
    let mut pairs: Vec<_> = ask.url.query_pairs().collect();
    pairs.sort();
    for (name, value) in pairs {
        text.extend(["\n", name.to_lowercase().as_str(), ":", &value]);
    }
    text
}

fn date(now: Timestamp) -> String {
    let since = Duration::from_secs(u64::try_from(now.seconds()).unwrap_or(0));
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since)
}

fn invalid(message: &str) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_text_is_as_the_service_has_it() {
        let url = "https://acct.blob.core.windows.net/box/%C3%A4%20b?comp=block&blockid=QQ%3D%3D";
        let Ok(url) = url.parse() else {
            unreachable!("a constant URL")
        };
        let ask = Ask::new(Method::PUT, url)
            .header("content-length", "12")
            .header("if-none-match", "*")
            .header("x-ms-version", "2021-12-02")
            .header("x-ms-date", date(Timestamp::from_ms(0)));
        assert_eq!(
            text("acct", &ask),
            "PUT\n\n\n12\n\n\n\n\n\n*\n\n\nx-ms-date:Thu, 01 Jan 1970 00:00:00 GMT\nx-ms-version:2021-12-02\n\
             /acct/box/%C3%A4%20b\nblockid:QQ==\ncomp:block"
        );
        let empty = Ask {
            headers: vec![("content-length", "0".to_owned())],
            ..ask
        };
        assert!(text("acct", &empty).starts_with("PUT\n\n\n\n\n\n\n\n\n\n\n\n/acct/box/"));
    }

    #[test]
    fn a_signature_goes_behind_the_query() {
        let credential = AzureCredential::Sas("?sv=2021-12-02&sig=a%2Bb%3D".to_owned().into());
        let (Ok(signer), Ok(url)) = (
            Signer::new("acct", &credential),
            "https://a/box?comp=list".parse(),
        ) else {
            unreachable!("constants")
        };
        let ask = signer.sign(Ask::new(Method::GET, url), Timestamp::from_ms(0));
        assert_eq!(
            ask.url.as_str(),
            "https://a/box?comp=list&sv=2021-12-02&sig=a%2Bb%3D"
        );
        let other = AzureCredential::Sas("sv=2021".to_owned().into());
        assert!(Signer::new("acct", &other).is_err());
        let other = AzureCredential::SharedKey("*".to_owned().into());
        assert!(Signer::new("acct", &other).is_err());
    }
}
