use bailee_client::api::{
    CreateWebhook, RecoverWebhook, RotateWebhookSecret, TestWebhook, WebhookFilters,
};
use bailee_client::model::WebhookPayload;
use bailee_client::{Client, DeliveryQuery};

use super::{id, view};
use crate::Failure;
use crate::args::{WebhookCommand, WebhookCreateArgs};
use crate::session::Session;

/// Longest list of webhooks that is shown.
const ROWS_MAX: usize = 10_000;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: WebhookCommand,
) -> Result<(), Failure> {
    let webhooks = client.webhooks();
    match command {
        WebhookCommand::Create(args) => {
            let webhook = webhooks.create(&request(args)).await?;
            session.say("the secret is shown this once");
            session.output.one(&webhook, view::WEBHOOK)
        }
        WebhookCommand::List => session
            .output
            .list(&webhooks.list().take(ROWS_MAX).await?, view::WEBHOOK),
        WebhookCommand::Deliveries(args) => {
            let query = DeliveryQuery {
                webhook_id: args.webhook_id.as_deref().map(id).transpose()?,
                state: args.state,
                ..DeliveryQuery::default()
            };
            session.output.list(
                &client.deliveries().list(&query).take(args.limit).await?,
                view::DELIVERY,
            )
        }
        WebhookCommand::Rm(args) => {
            session.confirm(&format!("remove the webhook {}?", args.webhook_id))?;
            webhooks.delete(id(&args.webhook_id)?).await?;
            session.say(&format!("removed {}", args.webhook_id));
            Ok(())
        }
        WebhookCommand::Test(args) => {
            let test = TestWebhook {
                event_type: args.event_type,
            };
            session.output.one(
                &webhooks.test(id(&args.webhook_id)?, &test).await?,
                view::DELIVERY,
            )
        }
        WebhookCommand::Stats(args) => {
            let stats = webhooks.stats(id(&args.webhook_id)?).await?;
            session.output.one(&stats, view::WEBHOOK_STATS)
        }
        WebhookCommand::Recover(args) => {
            let span = RecoverWebhook {
                since: args.since,
                until: args.until,
            };
            let webhook = webhooks.recover(id(&args.webhook_id)?, &span).await?;
            session.say("what did not arrive is sent again");
            session.output.one(&webhook, view::WEBHOOK)
        }
        WebhookCommand::Enable(args) => {
            let webhook = webhooks.enable(id(&args.webhook_id)?).await?;
            session.output.one(&webhook, view::WEBHOOK)
        }
        WebhookCommand::RotateSecret(args) => {
            let rotate = RotateWebhookSecret {
                grace_seconds: args.grace_seconds,
            };
            let webhook = webhooks.rotate_secret(id(&args.id)?, &rotate).await?;
            session.say("the secret is shown this once");
            session.output.one(&webhook, view::WEBHOOK)
        }
        // Has a file of its own; see `commands::run`.
        WebhookCommand::Listen(args) => super::listen::run(session, client, args).await,
    }
}

fn request(args: WebhookCreateArgs) -> CreateWebhook {
    CreateWebhook {
        url: args.receiver,
        types: args.types,
        filters: args.path_prefix.map(|path_prefix| WebhookFilters {
            path_prefix: Some(path_prefix),
            ..WebhookFilters::default()
        }),
        payload: args.full.then_some(WebhookPayload::Full),
        body_hmac: args.no_body_hmac.then_some(false),
        ..CreateWebhook::default()
    }
}
