//! Handing over what a webhook missed: one job a webhook, some events a step, each step one transaction.

use bailee_auth::Caller;
use bailee_model::{
    AuditId, Error, Job, JobId, JobKind, Lease, Recovery, Result, Timestamp, Webhook, WebhookId,
    WebhookPayload,
};
use bailee_store::{DbError, EventFilter, conflict, webhook_lane};

use super::{ID_CLOCK, Webhooks};
use crate::error;
use crate::files::RACES_MAX;
use crate::idempotency::{earlier, made};
use crate::jobs::fenced;
use crate::journal::Note;
use crate::upkeep::is_for;

/// Events read in one step.
const RECOVER_STEP: u32 = 200;
/// How far the order of ids and that of sequences may lie apart, in entries.
const ORDER_SLACK: u64 = 1000;

impl Webhooks<'_> {
    /// Hands over once more the events of a time that did not arrive. What arrived, or waits, is not sent again, so
    /// asking twice does no harm; a second wish replaces one that is not through.
    pub async fn recover(
        &self,
        caller: &Caller,
        id: WebhookId,
        (since, until): (Timestamp, Option<Timestamp>),
    ) -> Result<Webhook> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let now = self.core.clock.now();
        let until = until.unwrap_or(now);
        if since >= until {
            let detail = "`since` must lie before `until`.";
            return Err(Error::field("#/since", "out_of_range", detail));
        }
        for _ in 0..RACES_MAX {
            let permit = self.enter(caller, "webhooks.recover").await?;
            let mut webhook = self.find(caller, &permit, id).await?;
            let reader = self.core.store.reader(&permit);
            let head = reader.journal_head().await.map_err(error::from_db)?;
            let to = head.map_or(0, |head| head.size);
            let first = AuditId::from_bits(u128::from(since.ms().max(0).unsigned_abs()) * ID_CLOCK);
            let first = reader.first_from(first).await.map_err(error::from_db)?;
            webhook.recovery = Some(Recovery {
                since,
                until,
                after: first.map_or(to, |first| first.saturating_sub(ORDER_SLACK)),
                to,
                events: 0,
                created_at: now,
                finished_at: None,
            });
            webhook.revision += 1;
            let mut change = self.core.store.change(&permit);
            let job = Job {
                id: JobId::new(now, &*self.core.chance),
                tenant: permit.tenant(),
                kind: JobKind::Deliver,
                subject: id.to_string(),
                lane: webhook_lane(id),
                run_at: now,
                priority: 0,
            };
            change.put_webhook(&webhook).enqueue_recovery(&job);
            made(&mut change, &super::without_secrets(&webhook))?;
            let note = Note::record("webhooks.recover").about(id).with(
                serde_json::json!({ "since": since.to_string(), "until": until.to_string() }),
            );
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(webhook),
                Err(DbError::Conflict(conflict::WEBHOOK_REVISION)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("webhook"))
    }

    /// One step of the recovery that a lease is for. Whether it is through; then the job is gone.
    pub async fn recover_step(&self, lease: &Lease) -> Result<bool> {
        let tenant = lease.job.tenant;
        let id: WebhookId = lease.job.subject.parse().map_err(Error::internal)?;
        let queue = self.core.store.queue();
        let reader = queue.reader(tenant);
        let found = reader.webhook(id).await.map_err(error::from_db)?;
        let Some((mut webhook, mut recovery)) =
            found.and_then(|webhook| Some((webhook.clone(), webhook.recovery?)))
        else {
            self.core.jobs().finish(lease).await?;
            return Ok(true);
        };
        let filter = EventFilter::default();
        let read = reader.events_after(recovery.after, &filter, RECOVER_STEP);
        let events = read.await.map_err(error::from_db)?;
        let mut change = queue.change(tenant);
        for event in events.iter().filter(|event| event.sequence <= recovery.to) {
            let when = event.entry.timestamp;
            let is_meant = when >= recovery.since && when < recovery.until;
            if is_meant && is_for(&reader, event, &webhook).await? {
                let object = match webhook.payload {
                    WebhookPayload::Full => self.core.object_of(&reader, event).await?,
                    WebhookPayload::Thin => None,
                };
                let upkeep = self.core.upkeep();
                let delivery = upkeep.delivery(tenant, event, &webhook, object.as_ref());
                self.core.schedule_missed(&mut change, &delivery);
                recovery.events += 1;
            }
        }
        recovery.after = events.last().map_or(recovery.to, |last| last.sequence);
        let is_through = events.len() < RECOVER_STEP as usize || recovery.after >= recovery.to;
        if is_through {
            recovery.finished_at = Some(self.core.clock.now());
            change.finish_job(lease);
        } else {
            change.hold(lease);
        }
        webhook.recovery = Some(recovery);
        webhook.revision += 1;
        change.put_webhook(&webhook);
        match change.commit().await {
            Ok(()) => Ok(is_through),
            // Somebody changed the webhook: this step is made again from what is there now.
            Err(DbError::Conflict(conflict::WEBHOOK_REVISION)) => Ok(false),
            Err(error) => Err(fenced(error)),
        }
    }
}
