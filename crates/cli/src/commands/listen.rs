//! `bailee webhook listen`: follows the event feed and posts each event, signed, to a program on this machine.
//!
//! The secret is made here and printed; the server knows nothing of it. Needs no open port and no webhook.

use bailee_client::{Client, EventQuery, LocalReceiver, SystemChance, WebhookSecret};

use crate::Failure;
use crate::args::ListenArgs;
use crate::clock::now;
use crate::output::print;
use crate::session::Session;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    args: ListenArgs,
) -> Result<(), Failure> {
    let receiver = LocalReceiver::new(&args.forward_to)?;
    let secret = WebhookSecret::new(&SystemChance::default());
    let query = EventQuery {
        after: args.after,
        types: args.types,
        ..EventQuery::default()
    };
    let mut stream = client.events().follow(query).await?;
    print(&format!("secret {}\n", secret.expose()))?;
    session.say(&format!(
        "forwarding to {}; Ctrl-C ends it",
        args.forward_to
    ));
    loop {
        let event = stream.next().await?;
        let body = serde_json::to_vec(&event).map_err(|error| Failure::Other(error.to_string()))?;
        let signed = secret.sign(&event.event_id.to_string(), now(), &body);
        let receipt = receiver.deliver(&signed, body).await;
        print(&format!(
            "{} {} → {receipt}\n",
            event.event_type, event.event_id
        ))?;
    }
}
