//! Signing in over HTTP by a header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::fault::{Fault, FaultKind, Result};

/// Headers that frame or steer a request, or name its host: no credential goes there.
const NOT_FOR_CREDENTIALS: [&str; 15] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-range",
    "depth",
    "destination",
    "expect",
    "host",
    "if-match",
    "if-range",
    "overwrite",
    "range",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// How to show an HTTP server who we are. A client certificate stands in [`crate::TlsOptions::identity`] instead, alone
/// or beside one of these. `Debug` shows no secret.
#[derive(Clone, Debug, Default)]
pub enum HttpAuth {
    /// Not by a header.
    #[default]
    None,
    /// User name and password with every request (RFC 7617).
    Basic {
        /// The account's name, without a colon.
        user: String,
        /// Its password.
        password: SecretString,
    },
    /// A token with every request (RFC 6750).
    Bearer(SecretString),
    /// A header of the server's own, such as `X-Api-Key`.
    Header {
        /// Its name.
        name: String,
        /// What it holds.
        value: SecretString,
    },
}

impl HttpAuth {
    /// The header that is sent with every request, marked so that nothing shows it.
    pub(crate) fn header(&self) -> Result<Option<(HeaderName, HeaderValue)>> {
        let (name, text) = match self {
            Self::None => return Ok(None),
            Self::Basic { user, password } => {
                if user.contains(':') {
                    return Err(invalid("a user name for HTTP cannot hold a colon"));
                }
                let pair = format!("{user}:{}", password.expose_secret());
                (AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)))
            }
            Self::Bearer(token) => (AUTHORIZATION, format!("Bearer {}", token.expose_secret())),
            Self::Header { name, value } => {
                let name = HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| invalid("the credential's header has no well-formed name"))?;
                if NOT_FOR_CREDENTIALS.contains(&name.as_str()) {
                    return Err(invalid("this header cannot carry a credential"));
                }
                (name, value.expose_secret().to_owned())
            }
        };
        // The error of a malformed value would show it.
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| invalid("the credential holds characters that no header can carry"))?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }
}

fn invalid(message: &str) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn each_kind_becomes_its_header_and_shows_nothing() {
        let basic = HttpAuth::Basic {
            user: "Aladdin".to_owned(),
            password: "open sesame".into(),
        };
        let (name, value) = basic.header().unwrap().unwrap();
        assert_eq!(name, AUTHORIZATION);
        assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(!format!("{basic:?} {value:?}").contains("sesame"));
        let (_, value) = HttpAuth::Bearer("canary-1".into())
            .header()
            .unwrap()
            .unwrap();
        assert_eq!(value, "Bearer canary-1");
        assert!(HttpAuth::None.header().unwrap().is_none());
    }

    #[test]
    fn what_would_break_a_request_is_refused() {
        let header = |name: &str, value: &str| HttpAuth::Header {
            name: name.to_owned(),
            value: value.into(),
        };
        assert!(header("X-Api-Key", "k").header().unwrap().is_some());
        for (name, value) in [
            ("Content-Length", "5"),
            ("HOST", "inside"),
            ("x key", "k"),
            ("x-key", "canary\r\nHost: inside"),
        ] {
            let fault = header(name, value).header().unwrap_err();
            assert_eq!(fault.kind(), &FaultKind::Invalid, "{name}");
            assert!(!format!("{fault:?}").contains("canary"));
        }
        let colon = HttpAuth::Basic {
            user: "a:b".to_owned(),
            password: "p".into(),
        };
        assert!(colon.header().is_err());
    }
}
