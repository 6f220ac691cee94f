use bailee_model::{Delivery, DeliveryId, EventId, Page, PageRequest, WebhookId};

use crate::rows::{json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO delivery (tenant_id, id, webhook_id, event_id, state, body, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    PUT: tenant = "UPDATE delivery SET state = $3, body = $4 WHERE tenant_id = $1 AND id = $2";
    READ: tenant = "SELECT body FROM delivery WHERE tenant_id = $1 AND id = $2";
    LIST: tenant = "SELECT body FROM delivery WHERE tenant_id = $1 \
        AND (CAST($2 AS TEXT) IS NULL OR webhook_id = $2) AND (CAST($3 AS TEXT) IS NULL OR state = $3) \
        AND (CAST($4 AS TEXT) IS NULL OR event_id = $4) AND id < $5 ORDER BY id DESC LIMIT $6";
}

/// Which deliveries a list shows.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only to this webhook.
    pub webhook: Option<WebhookId>,
    /// Only in this state.
    pub state: Option<String>,
    /// Only of this event.
    pub event: Option<EventId>,
}

impl Change {
    /// Adds a delivery.
    pub fn insert_delivery(&mut self, delivery: &Delivery) -> &mut Self {
        let row = values![
            delivery.id,
            delivery.webhook,
            delivery.event,
            delivery.state.as_str(),
            json(delivery),
            delivery.created_at,
        ];
        self.add(INSERT, row, Guard::One, "delivery")
    }

    /// Replaces a delivery. Its job's fence guards against an old runner.
    pub fn put_delivery(&mut self, delivery: &Delivery) -> &mut Self {
        self.add(
            PUT,
            values![delivery.id, delivery.state.as_str(), json(delivery)],
            Guard::One,
            "delivery",
        )
    }
}

impl Reader {
    /// One delivery.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, DbError> {
        self.document(READ, values![id]).await
    }

    /// Deliveries, newest first.
    pub async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        page: &PageRequest,
    ) -> Result<Page<Delivery>, DbError> {
        let row = values![
            filter.webhook,
            filter.state.as_deref(),
            filter.event,
            crate::reader::before(page),
            page.limit + 1,
        ];
        self.documents(LIST, row, page.limit, |last: &Delivery| last.id)
            .await
    }
}
