//! The guarded client.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, Request, Response, redirect};
use url::{Host, Url};

use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;
use crate::tls::{self, TlsOptions};

/// A client for one far system. Cheap to clone.
#[derive(Clone)]
pub(crate) struct HttpClient {
    client: Client,
    /// Without a time-out for the head of an answer, which would begin before a long body is sent.
    patient: Client,
    guard: EgressGuard,
    /// The proxy's own address is judged, and behind it the proxy decides.
    has_proxy: bool,
}

impl HttpClient {
    /// A client that trusts and shows what `options` says, and goes through `proxy` (`http://host:port`, with user name
    /// and password if need be) if there is one.
    pub(crate) fn new(
        guard: &EgressGuard,
        options: &TlsOptions,
        proxy: Option<&Url>,
    ) -> Result<Self> {
        if let Some(proxy) = proxy {
            judge(guard, proxy)?;
        }
        let tls = tls::config(options)?;
        let build = |idle_time: Option<Duration>| {
            let builder = builder(guard, tls.clone(), proxy)?;
            let builder = match idle_time {
                Some(time) => builder.read_timeout(time),
                None => builder,
            };
            builder
                .build()
                .map_err(|error| invalid("the HTTP client cannot be set up").because(error))
        };
        Ok(Self {
            client: build(Some(limit::IDLE_TIME_MAX))?,
            patient: build(None)?,
            guard: guard.clone(),
            has_proxy: proxy.is_some(),
        })
    }

    /// Begins a request, to be given to [`HttpClient::send`].
    pub(crate) fn request(&self, method: http::Method, url: Url) -> reqwest::RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends `request` and waits for the head of the answer, whatever its status.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response> {
        let request = self.judged(request)?;
        self.client.execute(request).await.map_err(fault)
    }

    /// The same without a time-out once connected: for long bodies and long work. The caller keeps the time, also of the
    /// answer's body.
    pub(crate) async fn send_patiently(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<Response> {
        let request = self.judged(request)?;
        self.patient.execute(request).await.map_err(fault)
    }

    fn judged(&self, request: reqwest::RequestBuilder) -> Result<Request> {
        let request = request
            .build()
            .map_err(|error| invalid("the request cannot be made").because(error.without_url()))?;
        if !self.has_proxy {
            judge(&self.guard, request.url())?;
        }
        Ok(request)
    }
}

fn builder(
    guard: &EgressGuard,
    tls: rustls::ClientConfig,
    proxy: Option<&Url>,
) -> Result<ClientBuilder> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(Judged(guard.clone())))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .http1_only()
        .connect_timeout(limit::CONNECT_TIME_MAX)
        .pool_idle_timeout(limit::IDLE_CONNECTION_TIME_MAX)
        .pool_max_idle_per_host(limit::IDLE_CONNECTIONS_PER_HOST_MAX)
        .user_agent(concat!("bailee/", env!("CARGO_PKG_VERSION")));
    let Some(proxy) = proxy else {
        return Ok(builder);
    };
    let proxy = reqwest::Proxy::all(proxy.as_str())
        .map_err(|error| invalid("the proxy's address cannot be used").because(error))?;
    Ok(builder.proxy(proxy))
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

/// Host and port that `url` names, by its scheme if it names no port.
pub(crate) fn host_port(url: &Url) -> Option<(String, u16)> {
    Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
}

/// Judges what the resolver will not see: addresses written as such, and plain HTTP.
fn judge(guard: &EgressGuard, url: &Url) -> Result<()> {
    let address = match url.host() {
        Some(Host::Ipv4(four)) => Some(IpAddr::V4(four)),
        Some(Host::Ipv6(six)) => Some(IpAddr::V6(six)),
        Some(Host::Domain(_)) => None,
        None => return Err(invalid("the URL has no host")),
    };
    let is_here = address.is_some_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_here => {}
        "http" => {
            let message = "plain http is for this machine's own addresses only; use https";
            return Err(Fault::new(FaultKind::AddressNotAllowed, message));
        }
        _ => return Err(invalid("the URL is neither https nor http")),
    }
    match address {
        Some(address) if !guard.allows(address) => Err(Fault::new(
            FaultKind::AddressNotAllowed,
            format!("{address} is an address that this server does not connect to"),
        )),
        _ => Ok(()),
    }
}

/// Names lead to allowed addresses only.
struct Judged(EgressGuard);

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let found = guard.resolve(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// What a failed request means. The URL is left out: it may hold a signature.
pub(super) fn fault(error: reqwest::Error) -> Fault {
    let error = error.without_url();
    if let Some(judged) = own(&error) {
        return judged;
    }
    if let Some(found) = tls::fault(&error) {
        return found.because(error);
    }
    let (kind, message) = if error.is_timeout() {
        (FaultKind::Timeout, "the far system took too long")
    } else if error.is_connect() {
        (FaultKind::Unreachable, "no connection could be made")
    } else if error.is_builder() {
        (FaultKind::Invalid, "the request cannot be made")
    } else {
        (
            FaultKind::ConnectionLost,
            "the connection ended in the middle",
        )
    };
    Fault::new(kind, message).because(error)
}

/// A fault of ours that came back inside another error: from the resolver, or from a body that we were sending.
fn own(error: &reqwest::Error) -> Option<Fault> {
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        if let Some(fault) = error.downcast_ref::<Fault>() {
            return Some(Fault::new(fault.kind().clone(), fault.message()));
        }
        next = error.source();
    }
    None
}

fn invalid(message: &str) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn kind(guard: &EgressGuard, url: &str) -> Option<FaultKind> {
        let judged = judge(guard, &url.parse().unwrap());
        judged.err().map(|fault| fault.kind().clone())
    }

    #[test]
    fn addresses_in_urls_are_judged() {
        let guard = EgressGuard::strict();
        let refused = Some(FaultKind::AddressNotAllowed);
        assert_eq!(kind(&guard, "https://files.example"), None);
        assert_eq!(kind(&guard, "https://8.8.8.8/"), None);
        for url in [
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://169.254.169.254/latest",
            "http://files.example/",
            "http://8.8.8.8/",
        ] {
            assert_eq!(kind(&guard, url), refused, "{url}");
        }
        assert_eq!(
            kind(&guard, "ftp://files.example/"),
            Some(FaultKind::Invalid)
        );
        let open = guard.allowing_loopback();
        assert_eq!(kind(&open, "http://127.0.0.1:9000/"), None);
        assert_eq!(kind(&open, "http://localhost:9000/"), refused);
    }

    #[tokio::test]
    async fn names_that_point_inward_are_refused() {
        let client = HttpClient::new(&EgressGuard::strict(), &TlsOptions::default(), None).unwrap();
        let url = "https://localhost:1/".parse().unwrap();
        let fault = client
            .send(client.request(http::Method::GET, url))
            .await
            .unwrap_err();
        assert_eq!(fault.kind(), &FaultKind::AddressNotAllowed, "{fault:?}");
    }
}
