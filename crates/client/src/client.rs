use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bailee_model::Chance;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{Error, Result, RetryPolicy, SystemChance, limit};

/// Environment variable with the server's address.
pub const ENV_URL: &str = "BAILEE_URL";
/// Environment variable with the API key.
pub const ENV_API_KEY: &str = "BAILEE_API_KEY";
/// Environment variable with the path of a PEM file of certificate authorities.
pub const ENV_CA_FILE: &str = "BAILEE_CA_FILE";

/// A connection pool to one Bailee server with one credential. Cheap to clone; all clones share the pool.
///
/// ```no_run
/// # async fn example() -> bailee_client::Result<()> {
/// let client = bailee_client::Client::from_env()?;
/// let me = client.auth().validate().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    pub(crate) retry: RetryPolicy,
    pub(crate) deadline: Option<Duration>,
}

pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    /// Without a trailing slash.
    pub(crate) base: String,
    pub(crate) host: String,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) on_retry: Option<OnRetry>,
}

/// Told about each retry before its wait: why, and how long.
pub type OnRetry = Box<dyn Fn(&Error, Duration) + Send + Sync>;

impl std::fmt::Debug for Client {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Client")
            .field("base", &self.inner.base)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Begins a client of the server at `url`, which must be `https://`.
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            api_key: None,
            ca_file: None,
            retry: RetryPolicy::default(),
            deadline: None,
            chance: None,
            on_retry: None,
            user_agent: concat!("bailee-client/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// A client from `BAILEE_URL`, `BAILEE_API_KEY` and, when set, `BAILEE_CA_FILE`.
    pub fn from_env() -> Result<Self> {
        let read = |name: &str| {
            std::env::var(name).map_err(|_| Error::usage(format!("the environment has no {name}")))
        };
        let mut builder = Self::builder(read(ENV_URL)?).api_key(read(ENV_API_KEY)?);
        if let Ok(path) = read(ENV_CA_FILE) {
            builder = builder.ca_file(path);
        }
        builder.build()
    }

    /// The same client with other retries.
    pub fn with_retry(&self, retry: RetryPolicy) -> Self {
        Self {
            retry,
            ..self.clone()
        }
    }

    /// The same client whose calls end with [`Error::Deadline`] when they, retries included, take longer. An upload or a
    /// download is one call.
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self {
            deadline: Some(deadline),
            ..self.clone()
        }
    }

    /// The server's address, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.inner.base
    }
}

/// What a [`Client`] is made from.
pub struct ClientBuilder {
    url: String,
    api_key: Option<SecretString>,
    ca_file: Option<PathBuf>,
    retry: RetryPolicy,
    deadline: Option<Duration>,
    chance: Option<Arc<dyn Chance>>,
    on_retry: Option<OnRetry>,
    user_agent: String,
}

impl ClientBuilder {
    /// The credential.
    pub fn api_key(mut self, api_key: impl Into<String>) -> Self {
        self.api_key = Some(SecretString::from(api_key.into()));
        self
    }

    /// A PEM file of certificate authorities. They are trusted instead of the system's: this pins the server.
    pub fn ca_file(mut self, path: impl AsRef<Path>) -> Self {
        self.ca_file = Some(path.as_ref().to_owned());
        self
    }

    /// How calls are tried again.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The most time one call may take, retries included.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Where jitter and idempotency keys come from; the operating system unless a test says otherwise.
    pub fn chance(mut self, chance: Arc<dyn Chance>) -> Self {
        self.chance = Some(chance);
        self
    }

    /// Told about each retry, besides the log.
    pub fn on_retry(mut self, tell: impl Fn(&Error, Duration) + Send + Sync + 'static) -> Self {
        self.on_retry = Some(Box::new(tell));
        self
    }

    /// What the client calls itself.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// Makes the client. Nothing is sent yet.
    pub fn build(self) -> Result<Client> {
        let (base, host) = parse_base(&self.url)?;
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limit::CONNECT_TIMEOUT)
            .pool_idle_timeout(limit::POOL_IDLE)
            .http2_initial_stream_window_size(limit::STREAM_WINDOW)
            .http2_initial_connection_window_size(limit::CONNECTION_WINDOW)
            .user_agent(self.user_agent)
            .default_headers(credentials(self.api_key.as_ref())?);
        if let Some(path) = &self.ca_file {
            builder = builder.tls_certs_only(read_authorities(path)?);
        }
        let http = builder.build().map_err(|error| {
            Error::usage_hint(
                format!("cannot prepare TLS: {}", innermost(&error)),
                format!(
                    "Without a store of certificate authorities on this machine, set {ENV_CA_FILE}."
                ),
            )
        })?;
        Ok(Client {
            inner: Arc::new(Inner {
                http,
                base,
                host,
                chance: self
                    .chance
                    .unwrap_or_else(|| Arc::new(SystemChance::default())),
                on_retry: self.on_retry,
            }),
            retry: self.retry,
            deadline: self.deadline,
        })
    }
}

fn credentials(api_key: Option<&SecretString>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(key) = api_key {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret().trim()))
            .map_err(|_| Error::usage("the API key has characters that no API key has"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

fn read_authorities(path: &Path) -> Result<Vec<reqwest::Certificate>> {
    let pem = std::fs::read(path).map_err(Error::local("read the CA file", path))?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Error::usage(format!(
            "{} holds no certificate in PEM",
            path.display()
        ))),
    }
}

/// The base without trailing slash, and host:port for messages.
fn parse_base(text: &str) -> Result<(String, String)> {
    let refuse = |detail: &str| {
        Error::usage_hint(
            format!("{text}: {detail}"),
            "A server's address looks like https://files.example.com:8443.",
        )
    };
    let url = Url::parse(text).map_err(|_| refuse("not an address"))?;
    if url.scheme() != "https" {
        return Err(refuse("only https:// is spoken"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::usage("an address carries no credential"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("an address ends before ? and #"));
    }
    let host = url.host_str().ok_or_else(|| refuse("no host"))?;
    let host = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let path = url.path().trim_end_matches('/').trim_end_matches("/v1");
    Ok((format!("https://{host}{path}"), host))
}

/// The deepest cause of an error, in words: the outer ones only repeat the address.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn only_https_addresses_without_credentials_are_accepted() {
        let (base, host) = parse_base("https://files.example.com:8443/").unwrap();
        assert_eq!(
            (base.as_str(), host.as_str()),
            ("https://files.example.com:8443", "files.example.com:8443")
        );
        assert_eq!(
            parse_base("https://[::1]:8443").unwrap().0,
            "https://[::1]:8443"
        );
        assert_eq!(
            parse_base("https://a.example/mft/v1/").unwrap().0,
            "https://a.example/mft"
        );
        for wrong in [
            "http://a.example",
            "ftp://a",
            "a.example",
            "https://",
            "https://a.example/?x=1",
        ] {
            assert!(parse_base(wrong).is_err(), "{wrong}");
        }
        let secret = parse_base("https://user:hunter2@a.example").unwrap_err();
        assert!(!secret.to_string().contains("hunter2"));
    }

    #[test]
    fn debug_shows_no_key() {
        let client = Client::builder("https://a.example")
            .api_key("bailee_live_verysecret")
            .build()
            .unwrap();
        assert!(!format!("{client:?}").contains("verysecret"));
        let broken = Client::builder("https://a.example")
            .api_key("bad\nkey")
            .build();
        assert!(!broken.unwrap_err().to_string().contains("bad"));
    }
}
