//! What a bucket needs to be opened.

use std::fmt;
use std::net::IpAddr;

use secrecy::SecretString;
use url::Url;

use super::limits;
use crate::clock::SharedClock;
use crate::fault::{Fault, FaultKind, Result};
use crate::http::host_port;
use crate::path::RemotePath;
use crate::tls::TlsOptions;

/// A bucket of S3 or of a store that speaks its protocol. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct S3Config {
    /// Where the store answers, before the bucket's name; `None` for Amazon's own by region.
    pub endpoint: Option<Url>,
    /// The region that signatures name, such as `eu-central-1`. Stores of one region often want `us-east-1`.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What all keys begin with, as a folder; `None` for the whole bucket.
    pub prefix: Option<RemotePath>,
    /// The name of the access key.
    pub access_key_id: String,
    /// Its secret. Requests are signed with it; it is never sent.
    pub secret_access_key: SecretString,
    /// What goes with a key that holds for some hours.
    pub session_token: Option<SecretString>,
    /// The bucket stands in the path instead of the host name. Always so where the host is an address, and where the
    /// bucket's name is no single label of a host name.
    pub path_style: bool,
    /// Whom to trust.
    pub tls: TlsOptions,
    /// `http://host:port` of a proxy on the way, with user name and password if need be.
    pub proxy: Option<Url>,
    /// How the store encrypts what is written; `None` for the bucket's own setting.
    pub server_side_encryption: Option<S3Encryption>,
    /// The storage class of what is written, such as `STANDARD_IA`; `None` for the bucket's own.
    pub storage_class: Option<String>,
    /// Files of one request carry `x-amz-checksum-sha256`, which the store checks and keeps. To be turned off for stores
    /// that refuse it.
    pub sends_checksums: bool,
    /// Larger objects are copied in parts: 5 GiB at Amazon.
    pub copy_bytes_max: u64,
    /// Signatures name the time; far clocks must agree within 15 minutes.
    pub clock: SharedClock,
}

/// How the store encrypts what is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum S3Encryption {
    /// With keys of the store (`AES256`).
    Aes256,
    /// With a key of the key management service (`aws:kms`): this one, or the account's for S3.
    Kms {
        /// The key's id or ARN.
        key_id: Option<String>,
    },
}

impl S3Config {
    /// `bucket` in Amazon's `region`.
    pub fn new(
        region: impl Into<String>,
        bucket: impl Into<String>,
        access_key_id: impl Into<String>,
        secret_access_key: SecretString,
        clock: SharedClock,
    ) -> Self {
        Self {
            endpoint: None,
            region: region.into(),
            bucket: bucket.into(),
            prefix: None,
            access_key_id: access_key_id.into(),
            secret_access_key,
            session_token: None,
            path_style: false,
            tls: TlsOptions::default(),
            proxy: None,
            server_side_encryption: None,
            storage_class: None,
            sends_checksums: true,
            copy_bytes_max: limits::COPY_BYTES_MAX,
            clock,
        }
    }

    /// Where the name to resolve first leads: the proxy, if there is one.
    pub(crate) fn host_port(&self) -> Option<(String, u16)> {
        let url = match &self.proxy {
            Some(proxy) => proxy.clone(),
            None => self.bucket_url().ok()?,
        };
        host_port(&url)
    }

    /// The URL that keys are put behind; its path has no slash at the end.
    pub(super) fn bucket_url(&self) -> Result<Url> {
        check_name("bucket", &self.bucket, "._-")?;
        check_name("region", &self.region, "-")?;
        if self.bucket.chars().all(|c| c == '.') {
            return Err(invalid("the bucket's name is not one"));
        }
        let mut url = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => self.amazon()?,
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("the endpoint may hold no user name or password"));
        }
        url.set_query(None);
        url.set_fragment(None);
        let host = url
            .host_str()
            .ok_or_else(|| invalid("the endpoint has no host"))?
            .to_owned();
        let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let base = url.path().trim_end_matches('/').to_owned();
        if self.path_style || is_address || !is_label(&self.bucket) {
            url.set_path(&format!("{base}/{}", self.bucket));
        } else {
            url.set_host(Some(&format!("{}.{host}", self.bucket)))
                .map_err(|_| invalid("bucket and endpoint make no host name"))?;
            url.set_path(&base);
        }
        Ok(url)
    }

    fn amazon(&self) -> Result<Url> {
        let domain = if self.region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        format!("https://s3.{}.{domain}/", self.region)
            .parse()
            .map_err(|_| invalid("the region makes no host name"))
    }
}

impl fmt::Debug for S3Config {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("S3Config")
            .field("endpoint", &self.endpoint.as_ref().map(Url::host_str))
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("access_key_id", &self.access_key_id)
            .field("has_session_token", &self.session_token.is_some())
            .field("path_style", &self.path_style)
            .field("proxy", &self.proxy.as_ref().map(Url::host_str))
            .finish_non_exhaustive()
    }
}

fn check_name(what: &str, name: &str, others: &str) -> Result<()> {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    if name.is_empty() || name.len() > limits::NAME_BYTES_MAX || !name.chars().all(is_fit) {
        return Err(invalid(&format!("the {what}'s name is not one")));
    }
    Ok(())
}

/// Whether the wildcard of a certificate covers the name.
fn is_label(bucket: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    bucket.len() <= limits::LABEL_BYTES_MAX && bucket.chars().all(is_fit)
}

fn invalid(message: &str) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::sync::Arc;

    use bailee_model::{Clock, Timestamp};

    use super::*;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::from_ms(0)
        }
    }

    fn config(endpoint: &str, bucket: &str) -> S3Config {
        let clock = SharedClock::new(Arc::new(Still));
        S3Config {
            endpoint: (!endpoint.is_empty()).then(|| endpoint.parse().unwrap()),
            session_token: Some("token-text".into()),
            proxy: Some("http://user:proxy-password@127.0.0.1:3128".parse().unwrap()),
            ..S3Config::new("eu-central-1", bucket, "AKID", "secret-text".into(), clock)
        }
    }

    fn url(endpoint: &str, bucket: &str) -> String {
        config(endpoint, bucket).bucket_url().unwrap().to_string()
    }

    #[test]
    fn buckets_stand_in_the_host_where_they_can() {
        assert_eq!(url("", "box"), "https://box.s3.eu-central-1.amazonaws.com/");
        assert_eq!(url("", "a.b"), "https://s3.eu-central-1.amazonaws.com/a.b");
        assert_eq!(
            url("https://127.0.0.1:9/", "box"),
            "https://127.0.0.1:9/box"
        );
        assert_eq!(url("https://[::1]:9/", "box"), "https://[::1]:9/box");
        assert_eq!(
            url("https://x.example/s3/", "box"),
            "https://box.x.example/s3"
        );
        let styled = S3Config {
            path_style: true,
            ..config("https://x.example/s3/", "box")
        };
        assert_eq!(
            styled.bucket_url().unwrap().as_str(),
            "https://x.example/s3/box"
        );
        for (endpoint, bucket) in [("", ".."), ("", "a/b"), ("", ""), ("https://u:p@x/", "b")] {
            assert!(config(endpoint, bucket).bucket_url().is_err(), "{bucket}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", config("", "box"));
        for secret in ["secret-text", "token-text", "proxy-password"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
