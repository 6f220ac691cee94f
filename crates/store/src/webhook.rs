use bailee_model::{Job, Page, PageRequest, Webhook, WebhookId};

use crate::rows::{json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO webhook (tenant_id, id, body, revision) SELECT $1, $2, $3, CAST($4 AS BIGINT) \
        WHERE (SELECT COUNT(*) FROM webhook WHERE tenant_id = $1) < $5";
    PUT: tenant = "UPDATE webhook SET body = $3, revision = $4 WHERE tenant_id = $1 AND id = $2 AND revision = $5";
    DELETE: tenant = "DELETE FROM webhook WHERE tenant_id = $1 AND id = $2 AND revision = $3";
    DELETE_DELIVERIES: tenant = "DELETE FROM delivery WHERE tenant_id = $1 AND webhook_id = $2";
    DELETE_JOBS: tenant = "DELETE FROM job WHERE tenant_id = $1 AND kind = 'deliver' AND lane = $2";
    // One that is there already goes on with the newest wish.
    ENQUEUE_RECOVERY: tenant = "INSERT INTO job (tenant_id, id, kind, subject, lane, run_at, priority, attempt, fence) \
        VALUES ($1, $2, 'deliver', $3, $4, $5, 0, 0, 0) ON CONFLICT (kind, subject) DO NOTHING";
    READ: tenant = "SELECT body FROM webhook WHERE tenant_id = $1 AND id = $2";
    LIST: tenant = "SELECT body FROM webhook WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
}

/// The conflict of [`Change::put_webhook`]: it was changed since it was read.
pub const REVISION: &str = "webhook_revision";
/// The conflict of [`Change::insert_webhook`]: there are enough.
pub const LIMIT: &str = "webhook_limit";

impl Change {
    /// Adds a webhook unless the tenant has `most` already; the conflict is [`LIMIT`]. A few that are added at the same
    /// moment may all pass.
    pub fn insert_webhook(&mut self, webhook: &Webhook, most: u64) -> &mut Self {
        let row = values![webhook.id, json(webhook), webhook.revision, most];
        self.add(INSERT, row, Guard::One, LIMIT)
    }

    /// Replaces a webhook that is one revision older than this one; the conflict is [`REVISION`].
    pub fn put_webhook(&mut self, webhook: &Webhook) -> &mut Self {
        let old = webhook.revision.saturating_sub(1);
        self.add(
            PUT,
            values![webhook.id, json(webhook), webhook.revision, old],
            Guard::One,
            REVISION,
        )
    }

    /// Adds the job of a webhook's recovery unless there is one.
    pub fn enqueue_recovery(&mut self, job: &Job) -> &mut Self {
        let row = values![job.id, &job.subject, &job.lane, job.run_at];
        self.add(ENQUEUE_RECOVERY, row, Guard::Any, "job")
    }

    /// Removes a webhook, as it was read, with its deliveries and what is still to be sent; the conflict is
    /// [`REVISION`].
    pub fn delete_webhook(&mut self, webhook: &Webhook) -> &mut Self {
        let id = webhook.id;
        self.add(DELETE_JOBS, values![lane(id)], Guard::Any, "webhook");
        self.add(DELETE_DELIVERIES, values![id], Guard::Any, "webhook");
        let row = values![id, webhook.revision];
        self.add(DELETE, row, Guard::One, REVISION)
    }
}

/// The lane of a webhook's delivery jobs.
pub fn lane(id: WebhookId) -> String {
    format!("webhook:{id}")
}

impl Reader {
    /// One webhook.
    pub async fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>, DbError> {
        self.document(READ, values![id]).await
    }

    /// Webhooks, newest first.
    pub async fn webhooks(&self, page: &PageRequest) -> Result<Page<Webhook>, DbError> {
        self.documents(
            LIST,
            values![crate::reader::before(page), page.limit + 1],
            page.limit,
            |last: &Webhook| last.id,
        )
        .await
    }
}
