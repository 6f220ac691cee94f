use std::time::Duration;

use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::client::innermost;
use crate::{Error, Result, Signed, limit};

/// A program on this machine that takes events, for trying receivers out. The only thing here that plain HTTP is spoken
/// to, and only over the loopback interface.
pub struct LocalReceiver {
    url: Url,
    http: reqwest::Client,
}

/// What a receiver made of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It answered with this status.
    Answered(u16),
    /// It took too long.
    TimedOut,
    /// Nothing listens there.
    Unreachable,
}

impl std::fmt::Display for Receipt {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered(status) => status.fmt(out),
            Self::TimedOut => out.write_str("no answer in time"),
            Self::Unreachable => out.write_str("not reachable"),
        }
    }
}

impl LocalReceiver {
    /// The receiver at `url`, which must be on this machine.
    pub fn new(url: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(limit::RECEIVER_TIMEOUT)
            .connect_timeout(Duration::from_secs(1))
            .build()
            .map_err(|error| Error::usage(innermost(&error)))?;
        Ok(Self {
            url: on_this_machine(url)?,
            http,
        })
    }

    /// Hands `body` over as a webhook does, with all signature headers. A receiver that is down is no error.
    pub async fn deliver(&self, signed: &Signed, body: Vec<u8>) -> Receipt {
        let sent = self
            .http
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", &signed.id)
            .header("webhook-timestamp", &signed.timestamp)
            .header("webhook-signature", &signed.signature)
            .header("x-signature", &signed.body_hmac)
            .body(body)
            .send()
            .await;
        match sent {
            Ok(answer) => Receipt::Answered(answer.status().as_u16()),
            Err(error) if error.is_timeout() => Receipt::TimedOut,
            Err(_) => Receipt::Unreachable,
        }
    }
}

/// Elsewhere, a secret that was just made up would protect nobody.
fn on_this_machine(text: &str) -> Result<Url> {
    let hint = "It is a program on this machine, such as http://127.0.0.1:9000/hook.";
    let url =
        Url::parse(text).map_err(|_| Error::usage_hint(format!("`{text}` is no address"), hint))?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if here && matches!(url.scheme(), "http" | "https") {
        return Ok(url);
    }
    Err(Error::usage_hint(
        format!("`{text}` is not on this machine"),
        hint,
    ))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;
    use crate::{SystemChance, WebhookSecret};
    use bailee_model::Timestamp;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[test]
    fn only_this_machine_receives() {
        for good in [
            "http://127.0.0.1:9000/hook",
            "http://localhost/x",
            "https://[::1]:1/",
        ] {
            assert!(on_this_machine(good).is_ok(), "{good}");
        }
        for bad in [
            "http://10.0.0.1/",
            "http://example.com/",
            "ftp://127.0.0.1/",
            "hook",
            "http://localhost.example.com/",
        ] {
            assert!(on_this_machine(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn an_event_arrives_signed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = Vec::new();
            while !text.ends_with(b"{\"a\":1}") {
                assert!(stream.read_buf(&mut text).await.unwrap() > 0);
            }
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
                .await
                .unwrap();
            String::from_utf8(text).unwrap()
        });
        let (secret, now) = (
            WebhookSecret::new(&SystemChance::default()),
            Timestamp::from_ms(1_795_252_443_000),
        );
        let signed = secret.sign("evt_1", now, b"{\"a\":1}");
        let receiver = LocalReceiver::new(&url).unwrap();
        assert_eq!(
            receiver.deliver(&signed, b"{\"a\":1}".to_vec()).await,
            Receipt::Answered(204)
        );
        let seen = served.await.unwrap();
        assert!(
            seen.contains(&format!("webhook-signature: {}\r\n", signed.signature)),
            "{seen}"
        );
        assert_eq!(
            receiver.deliver(&signed, Vec::new()).await,
            Receipt::Unreachable
        );
    }
}
