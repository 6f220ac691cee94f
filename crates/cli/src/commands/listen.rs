//! `bailee webhook listen`: reads the event feed and posts each event, signed, to a program on this machine.
//!
//! The secret is made here and printed; the server knows nothing of it. Needs no open port and no webhook.

use bailee_client::{Client, EventQuery, LocalReceiver, SystemChance, WebhookSecret};

use crate::Failure;
use crate::args::ListenArgs;
use crate::clock::now;
use crate::output::print;
use crate::session::Session;

/// How long one long poll is held, in seconds.
const WAIT_SECONDS: u64 = 30;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    args: ListenArgs,
) -> Result<(), Failure> {
    let receiver = LocalReceiver::new(&args.forward_to)?;
    let secret = WebhookSecret::new(&SystemChance::default());
    let mut after = match args.after {
        Some(after) => after,
        None => super::event::newest(client, &args.types).await?,
    };
    print(&format!("secret {}\n", secret.expose()))?;
    session.say(&format!(
        "forwarding to {}; Ctrl-C ends it",
        args.forward_to
    ));
    loop {
        let query = EventQuery {
            after: Some(after),
            types: args.types.clone(),
            wait_seconds: Some(WAIT_SECONDS),
            ..EventQuery::default()
        };
        let feed = client.events().list(&query).await?;
        for event in &feed.data {
            let body =
                serde_json::to_vec(event).map_err(|error| Failure::Other(error.to_string()))?;
            let signed = secret.sign(&event.event_id.to_string(), now(), &body);
            let receipt = receiver.deliver(&signed, body).await;
            print(&format!(
                "{} {} → {receipt}\n",
                event.event_type, event.event_id
            ))?;
        }
        after = super::event::next_after(&feed, after);
    }
}
