//! `bailee webhook listen`: reads the event feed and posts each event, signed, to a program on this machine.
//!
//! The secret is made here and printed; the server knows nothing of it. Needs no open port and no webhook.

use std::time::Duration;

use bailee_client::api::Event;
use bailee_client::{Client, EventQuery, SystemChance, WebhookSecret};
use url::{Host, Url};

use crate::Failure;
use crate::args::ListenArgs;
use crate::clock::now;
use crate::output::print;
use crate::session::Session;

/// How long one long poll is held, in seconds.
const WAIT_SECONDS: u64 = 30;
/// How long the receiver may take.
const RECEIVER_TIMEOUT: Duration = Duration::from_secs(15);

pub(super) async fn run(
    session: &Session,
    client: &Client,
    args: ListenArgs,
) -> Result<(), Failure> {
    let receiver = receiver(&args.forward_to)?;
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(RECEIVER_TIMEOUT)
        .build()
        .map_err(|error| Failure::Other(error.to_string()))?;
    let secret = WebhookSecret::new(&SystemChance::default());
    print(&format!("secret {}\n", secret.expose()))?;
    let mut after = match args.after {
        Some(after) => after,
        None => super::event::newest(client, &args.types).await?,
    };
    session.say(&format!("forwarding to {receiver}; Ctrl-C ends it"));
    loop {
        let query = EventQuery {
            after: Some(after),
            types: args.types.clone(),
            limit: None,
            wait_seconds: Some(WAIT_SECONDS),
        };
        let feed = client.events().list(&query).await?;
        for event in &feed.data {
            let outcome = forward(&http, &receiver, &secret, event).await?;
            print(&format!(
                "{} {} → {outcome}\n",
                event.event_type, event.event_id
            ))?;
        }
        after = super::event::next_after(&feed, after);
    }
}

/// Only this machine: a secret that was just made up protects nobody else.
fn receiver(text: &str) -> Result<Url, Failure> {
    let hint = "It is a program on this machine, such as http://127.0.0.1:9000/hook.";
    let url =
        Url::parse(text).map_err(|_| Failure::usage(format!("`{text}` is no address"), hint))?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if here && matches!(url.scheme(), "http" | "https") {
        return Ok(url);
    }
    Err(Failure::usage(
        format!("`{text}` is not on this machine"),
        hint,
    ))
}

/// Posts one event and says what came back. A receiver that is down ends nothing.
async fn forward(
    http: &reqwest::Client,
    receiver: &Url,
    secret: &WebhookSecret,
    event: &Event,
) -> Result<String, Failure> {
    let body = serde_json::to_vec(event).map_err(|error| Failure::Other(error.to_string()))?;
    let signed = secret.sign(&event.event_id.to_string(), now(), &body);
    let sent = http
        .post(receiver.clone())
        .header("content-type", "application/json")
        .header("webhook-id", signed.id)
        .header("webhook-timestamp", signed.timestamp)
        .header("webhook-signature", signed.signature)
        .header("x-signature", signed.body_hmac)
        .body(body)
        .send()
        .await;
    Ok(match sent {
        Ok(answer) => answer.status().as_u16().to_string(),
        Err(error) if error.is_timeout() => "no answer in time".to_owned(),
        Err(_) => "not reachable".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_receives() {
        for good in [
            "http://127.0.0.1:9000/hook",
            "http://localhost/x",
            "https://[::1]:1/",
        ] {
            assert!(receiver(good).is_ok(), "{good}");
        }
        for bad in [
            "http://10.0.0.1/",
            "http://example.com/",
            "ftp://127.0.0.1/",
            "hook",
            "http://localhost.example.com/",
        ] {
            assert!(receiver(bad).is_err(), "{bad}");
        }
    }
}
