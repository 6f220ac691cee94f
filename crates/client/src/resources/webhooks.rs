use bailee_api::{
    ChangeWebhook, CreateWebhook, Delivery, RecoverWebhook, RotateWebhookSecret, TestWebhook,
    Webhook, WebhookStats,
};
use bailee_model::{DeliveryId, EventId, WebhookId};

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Webhooks: receivers of events.
    Webhooks, webhooks
}

resource! {
    /// Deliveries: tries to hand one event to one webhook.
    Deliveries, deliveries
}

impl Webhooks<'_> {
    /// Registers a receiver. The answer, and no later one, holds its secret.
    pub async fn create(&self, webhook: &CreateWebhook) -> Result<Webhook> {
        self.0.json(Call::post("/webhooks").json(webhook)?).await
    }

    /// All webhooks, newest first.
    pub fn list(&self) -> Listing<Webhook> {
        Listing::new(self.0, Call::get("/webhooks"))
    }

    /// One of them.
    pub async fn get(&self, webhook: WebhookId) -> Result<Webhook> {
        self.0.json(Call::get(format!("/webhooks/{webhook}"))).await
    }

    /// Changes address, types or filters.
    pub async fn change(&self, webhook: WebhookId, change: &ChangeWebhook) -> Result<Webhook> {
        let call = Call::patch(format!("/webhooks/{webhook}")).json(change)?;
        self.0.json(call).await
    }

    /// Removes it.
    pub async fn delete(&self, webhook: WebhookId) -> Result<()> {
        self.0
            .gone(Call::delete(format!("/webhooks/{webhook}")))
            .await
    }

    /// Makes a second live secret; the old one signs for `grace_seconds` more.
    pub async fn rotate_secret(
        &self,
        webhook: WebhookId,
        rotate: &RotateWebhookSecret,
    ) -> Result<Webhook> {
        let call = Call::post(format!("/webhooks/{webhook}/rotate-secret")).json(rotate)?;
        self.0.json(call).await
    }

    /// Switches it on again.
    pub async fn enable(&self, webhook: WebhookId) -> Result<Webhook> {
        self.0
            .json(Call::post(format!("/webhooks/{webhook}/enable")))
            .await
    }

    /// Hands over the events of a time that did not arrive.
    pub async fn recover(&self, webhook: WebhookId, span: &RecoverWebhook) -> Result<Webhook> {
        let call = Call::post(format!("/webhooks/{webhook}/recover")).json(span)?;
        self.0.json(call).await
    }

    /// How its receiver did in the last 24 hours.
    pub async fn stats(&self, webhook: WebhookId) -> Result<WebhookStats> {
        let call = Call::get(format!("/webhooks/{webhook}/stats"));
        self.0.json(call).await
    }

    /// Sends an example event.
    pub async fn test(&self, webhook: WebhookId, test: &TestWebhook) -> Result<Delivery> {
        let call = Call::post(format!("/webhooks/{webhook}/test")).json(test)?;
        self.0.json(call).await
    }
}

/// Which deliveries a list holds. Everything when nothing is set.
#[derive(Clone, Debug, Default)]
pub struct DeliveryQuery {
    /// To this webhook.
    pub webhook_id: Option<WebhookId>,
    /// Of this event.
    pub event_id: Option<EventId>,
    /// `scheduled`, `running`, `succeeded`, `failed`, `abandoned`.
    pub state: Option<String>,
}

impl Deliveries<'_> {
    /// Deliveries, newest first.
    pub fn list(&self, query: &DeliveryQuery) -> Listing<Delivery> {
        let call = Call::get("/deliveries")
            .maybe("webhook_id", query.webhook_id)
            .maybe("event_id", query.event_id)
            .maybe("state", query.state.as_ref());
        Listing::new(self.0, call)
    }

    /// One of them.
    pub async fn get(&self, delivery: DeliveryId) -> Result<Delivery> {
        self.0
            .json(Call::get(format!("/deliveries/{delivery}")))
            .await
    }

    /// Tries again now.
    pub async fn redeliver(&self, delivery: DeliveryId) -> Result<Delivery> {
        self.0
            .json(Call::post(format!("/deliveries/{delivery}/redeliver")))
            .await
    }
}
