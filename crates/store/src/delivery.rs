use bailee_model::{Delivery, DeliveryId, EventId, Job, Page, PageRequest, WebhookId};

use crate::rows::{json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO delivery (tenant_id, id, webhook_id, event_id, state, body, subject, sequence, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    TURN: tenant = "SELECT id FROM webhook WHERE tenant_id = $1 AND id = $2 {for_update}";
    // What arrived, waits or is under way is not sent again.
    INSERT_MISSED: tenant = "INSERT INTO delivery (tenant_id, id, webhook_id, event_id, state, body, subject, sequence, created_at) \
        SELECT $1, $2, $3, $4, $5, $6, CAST($7 AS TEXT), CAST($8 AS BIGINT), CAST($9 AS BIGINT) WHERE NOT EXISTS (SELECT 1 FROM delivery \
        WHERE tenant_id = $1 AND webhook_id = $3 AND event_id = $4 AND state IN ('scheduled', 'running', 'succeeded'))";
    // The job of a delivery that is there, unless an earlier one about the same subject must end first.
    ENQUEUE: tenant = "INSERT INTO job (tenant_id, id, kind, subject, lane, run_at, priority, attempt, fence) \
        SELECT d.tenant_id, $2, 'deliver', d.id, $4, CAST($5 AS BIGINT), 0, 0, 0 FROM delivery d \
        WHERE d.tenant_id = $1 AND d.id = $3 AND (d.subject IS NULL OR NOT EXISTS (SELECT 1 FROM delivery e \
        WHERE e.tenant_id = $1 AND e.webhook_id = d.webhook_id AND e.subject = d.subject \
        AND e.sequence < d.sequence AND e.state IN ('scheduled', 'running')))";
    // The job of the first delivery that waits for the end of others about its subject.
    ENQUEUE_NEXT: tenant = "INSERT INTO job (tenant_id, id, kind, subject, lane, run_at, priority, attempt, fence) \
        SELECT d.tenant_id, $2, 'deliver', d.id, $3, CAST($4 AS BIGINT), 0, 0, 0 FROM delivery d \
        WHERE d.tenant_id = $1 AND d.webhook_id = $5 AND d.subject = $6 AND d.state IN ('scheduled', 'running') \
        AND NOT EXISTS (SELECT 1 FROM delivery e WHERE e.tenant_id = $1 AND e.webhook_id = $5 AND e.subject = $6 \
        AND e.sequence < d.sequence AND e.state IN ('scheduled', 'running')) \
        AND NOT EXISTS (SELECT 1 FROM job j WHERE j.kind = 'deliver' AND j.subject = d.id) \
        ORDER BY d.sequence LIMIT 1";
    PUT: tenant = "UPDATE delivery SET state = $3, body = $4, duration_ms = $5 WHERE tenant_id = $1 AND id = $2";
    COUNTS: tenant = "SELECT state, COUNT(*) FROM delivery WHERE tenant_id = $1 AND webhook_id = $2 AND id >= $3 GROUP BY state";
    TIMES: tenant = "SELECT duration_ms FROM delivery WHERE tenant_id = $1 AND webhook_id = $2 AND id >= $3 \
        AND duration_ms IS NOT NULL ORDER BY id DESC LIMIT $4";
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
        self.take_webhook_turn(delivery)
            .add(INSERT, row(delivery), Guard::One, "delivery")
    }

    /// Adds a delivery unless its event has arrived at its webhook, or is on its way there.
    pub fn insert_missed_delivery(&mut self, delivery: &Delivery) -> &mut Self {
        self.take_webhook_turn(delivery)
            .add(INSERT_MISSED, row(delivery), Guard::Any, "delivery")
    }

    /// Adds the job of a delivery that was added before, unless one about the same subject must end first.
    pub fn enqueue_delivery(&mut self, delivery: &Delivery, job: &Job) -> &mut Self {
        let row = values![job.id, delivery.id, &job.lane, job.run_at];
        self.add(ENQUEUE, row, Guard::Any, "job")
    }

    /// Adds the job of the delivery that waited for the end of this one, which was put before.
    pub fn enqueue_next(&mut self, ended: &Delivery, job: &Job) -> &mut Self {
        let row = values![
            job.id,
            &job.lane,
            job.run_at,
            ended.webhook,
            ended.subject.as_deref()
        ];
        self.take_webhook_turn(ended)
            .add(ENQUEUE_NEXT, row, Guard::Any, "job")
    }

    /// Waits for its turn at a webhook that keeps an order. Whether an earlier delivery is open, and whether a later one
    /// waits, are questions about absence: asked at the same time by the one that ends and the one that comes, both could
    /// find nothing, and the later one would wait for ever.
    fn take_webhook_turn(&mut self, delivery: &Delivery) -> &mut Self {
        match delivery.subject {
            Some(_) => self.add(TURN, values![delivery.webhook], Guard::Any, "webhook"),
            None => self,
        }
    }

    /// Replaces a delivery. Its job's fence guards against an old runner.
    pub fn put_delivery(&mut self, delivery: &Delivery) -> &mut Self {
        self.add(
            PUT,
            values![
                delivery.id,
                delivery.state.as_str(),
                json(delivery),
                delivery.duration_ms
            ],
            Guard::One,
            "delivery",
        )
    }
}

fn row(delivery: &Delivery) -> Vec<crate::Value> {
    values![
        delivery.id,
        delivery.webhook,
        delivery.event,
        delivery.state.as_str(),
        json(delivery),
        delivery.subject.as_deref(),
        delivery.sequence,
        delivery.created_at,
    ]
}

impl Reader {
    /// How many of a webhook's deliveries from `first` on are in which state.
    pub async fn delivery_counts(
        &self,
        webhook: WebhookId,
        first: DeliveryId,
    ) -> Result<Vec<(String, u64)>, DbError> {
        let rows = self.rows(COUNTS, values![webhook, first]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?.to_owned(), row.uint(1)?)))
            .collect()
    }

    /// How long the newest answers took of a webhook's deliveries from `first` on, in milliseconds.
    pub async fn delivery_times(
        &self,
        webhook: WebhookId,
        first: DeliveryId,
        limit: u32,
    ) -> Result<Vec<u64>, DbError> {
        let rows = self.rows(TIMES, values![webhook, first, limit]).await?;
        rows.iter().map(|row| row.uint(0)).collect()
    }

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
