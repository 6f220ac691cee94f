//! One site: the URL beneath which everything of a far system lies, and the credential that goes there.

use std::fmt::Write as _;

use http::Method;
use http::header::{ACCEPT_ENCODING, HeaderName, HeaderValue};
use reqwest::RequestBuilder;
use url::Url;

use super::auth::HttpAuth;
use super::client::HttpClient;
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::tls::TlsOptions;

/// A client, a base and a credential. Every request goes beneath the base, and nowhere else.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) client: HttpClient,
    base: Url,
    /// Marked as sensitive: `Debug` does not show it.
    credential: Option<(HeaderName, HeaderValue)>,
}

impl Site {
    pub(crate) fn new(client: HttpClient, base: &Url, auth: &HttpAuth) -> Result<Self> {
        Ok(Self {
            client,
            base: checked(base)?,
            credential: auth.header()?,
        })
    }

    /// With a client of its own.
    pub(crate) fn open(
        guard: &EgressGuard,
        (base, auth): (&Url, &HttpAuth),
        tls: &TlsOptions,
        proxy: Option<&Url>,
    ) -> Result<Self> {
        Self::new(HttpClient::new(guard, tls, proxy)?, base, auth)
    }

    /// The URL of what stands at `names` beneath the base.
    pub(crate) fn url<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(names);
        }
        let base = self.base.path().trim_end_matches('/').len();
        if let Some((base, names)) = url.path().split_at_checked(base) {
            let path = format!("{base}{}", unambiguous(names));
            url.set_path(&path);
        }
        url
    }

    /// The same as a folder: with a slash at its end.
    pub(crate) fn folder_url<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.url(names);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("");
        }
        url
    }

    /// Begins a request with the credential. Bytes are asked for as they are, never packed for the way.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self
            .client
            .request(method, url)
            .header(ACCEPT_ENCODING, "identity");
        match &self.credential {
            Some((name, value)) => request.header(name, value),
            None => request,
        }
    }
}

/// Names with everything encoded that URLs may hold as it is but that some server takes for more than a letter: what
/// follows a `;` was once a parameter, and is cut off by servers that remember.
fn unambiguous(names: &str) -> String {
    let mut path = String::with_capacity(names.len());
    for c in names.chars() {
        if ";+=&!$'()*,:@|[]^".contains(c) {
            let _ = write!(path, "%{:02X}", u32::from(c));
        } else {
            path.push(c);
        }
    }
    path
}

/// A base that paths can be put beneath. Credentials in it would be shown by whatever shows the URL.
fn checked(base: &Url) -> Result<Url> {
    let invalid = |message: &str| Err(Fault::new(FaultKind::Invalid, message));
    if base.cannot_be_a_base() || !base.has_host() {
        return invalid("the base URL has no host");
    }
    if !base.username().is_empty() || base.password().is_some() {
        return invalid("the base URL holds a user name or password; give them as credential");
    }
    if base.query().is_some() || base.fragment().is_some() {
        return invalid("the base URL cannot have a query or fragment");
    }
    Ok(base.clone())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn site(base: &str) -> Result<Site> {
        let base = base.parse().unwrap();
        let none = HttpAuth::None;
        Site::open(
            &EgressGuard::strict(),
            (&base, &none),
            &TlsOptions::default(),
            None,
        )
    }

    #[test]
    fn names_cannot_leave_the_base() {
        for base in ["https://h.example/a/b", "https://h.example/a/b/"] {
            let site = site(base).unwrap();
            assert_eq!(
                site.url([]).as_str().trim_end_matches('/'),
                "https://h.example/a/b"
            );
            assert_eq!(site.folder_url([]).as_str(), "https://h.example/a/b/");
            for (name, written) in [
                ("c d", "c%20d"),
                ("%2e%2e", "%252e%252e"),
                ("q?x#y", "q%3Fx%23y"),
                ("ä+;=", "%C3%A4%2B%3B%3D"),
                ("it's;1", "it%27s%3B1"),
            ] {
                let url = site.url([name]);
                assert_eq!(url.as_str(), format!("https://h.example/a/b/{written}"));
                assert_eq!(site.folder_url([name]).as_str(), format!("{url}/"));
            }
        }
        assert_eq!(site("https://h.example").unwrap().url(["x"]).path(), "/x");
    }

    #[test]
    fn bases_that_hold_more_than_a_place_are_refused() {
        for base in [
            "https://u:canary@h.example/",
            "https://h.example/?sig=canary",
            "https://h.example/#x",
            "mailto:x@h.example",
        ] {
            let fault = site(base).unwrap_err();
            assert_eq!(fault.kind(), &FaultKind::Invalid, "{base}");
            assert!(!format!("{fault:?}").contains("canary"));
        }
    }
}
