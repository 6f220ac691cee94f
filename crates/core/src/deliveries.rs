//! Deliveries: one try to hand one event to one webhook. A failed one makes the next.

use std::time::Duration;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Delivery, DeliveryId, DeliveryState, Error, EventType, FolderPath, Job, JobId, JobKind, Lease,
    Page, PageRequest, Result, TenantId, Timestamp, Webhook, WebhookFormat, WebhookId,
    WebhookState, limit,
};
use bailee_store::{Change, DbError, DeliveryFilter, Reader, conflict, webhook_lane};

use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::jobs::fenced;
use crate::journal::Note;
use crate::signature::{hex_signature, public_key_signature, standard_signature};
use crate::{Core, error, webhooks};

/// Bytes of an answer that are kept.
const ANSWER_KEPT_BYTES: usize = 4096;
/// The longest `Retry-After` of a receiver that is obeyed.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);
/// Deliveries under way at once to a receiver that fails: it must not hold the seats of those that answer.
const FAILING_CONCURRENCY: usize = 1;

/// The deliveries of the caller's tenant.
pub struct Deliveries<'a> {
    pub(crate) core: &'a Core,
}

/// A delivery to be sent.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The delivery.
    pub delivery: Delivery,
    /// Where it goes.
    pub url: String,
    /// Headers, signatures included.
    pub headers: Vec<(String, String)>,
    /// The exact body.
    pub body: String,
    /// How many may be under way to this receiver at once: few while it fails.
    pub concurrency: usize,
    /// Whether no more than that may be, because its owner says so.
    pub is_strict: bool,
    /// How many may begin in a second.
    pub per_second: Option<u32>,
}

/// What came of a try.
#[derive(Clone, Debug, Default)]
pub struct DeliveryAnswer {
    /// The receiver's status.
    pub status: Option<u16>,
    /// The first headers of its answer.
    pub head: Vec<(String, String)>,
    /// The beginning of its answer.
    pub body: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
    /// After how long the receiver wants to be asked again.
    pub retry_after_seconds: Option<u64>,
}

impl Deliveries<'_> {
    /// Deliveries, newest first. A key that is bound to paths sees those of its webhooks.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> Result<Page<Delivery>> {
        let permit = self.enter(caller, "deliveries.list").await?;
        let reader = self.core.store.reader(&permit);
        let found = reader.deliveries(&filter, &page).await;
        let mut found = found.map_err(error::from_db)?;
        if !caller.path_prefixes().is_empty() {
            let mut shown = Vec::with_capacity(found.data.len());
            for delivery in found.data {
                if self.is_shown(caller, &reader, &delivery).await? {
                    shown.push(delivery);
                }
            }
            found.data = shown;
        }
        Ok(found)
    }

    /// One delivery.
    pub async fn get(&self, caller: &Caller, id: DeliveryId) -> Result<Delivery> {
        let permit = self.enter(caller, "deliveries.get").await?;
        self.find(caller, &permit, id).await
    }

    /// Hands the event of a delivery over once more, now, as a new delivery.
    pub async fn redeliver(&self, caller: &Caller, id: DeliveryId) -> Result<Delivery> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self.enter(caller, "deliveries.redeliver").await?;
        let old = self.find(caller, &permit, id).await?;
        let mut new = self.core.delivery_of(&old, 1, self.core.clock.now());
        // Asked for by hand: it waits for nothing.
        new.subject = None;
        let mut change = self.core.store.change(&permit);
        self.core.schedule(&mut change, &new);
        made(&mut change, &new)?;
        let note = Note::record("deliveries.redeliver").about(id);
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(error::from_db)?;
        Ok(new)
    }

    /// Prepares a try: signs the body with every live secret. `None`: there is nothing to send, the job is gone.
    pub async fn begin(&self, lease: &Lease) -> Result<Option<Sending>> {
        let tenant = lease.job.tenant;
        let reader = self.core.store.queue().reader(tenant);
        let id: DeliveryId = lease.job.subject.parse().map_err(Error::internal)?;
        let delivery = reader.delivery(id).await.map_err(error::from_db)?;
        let webhook = match &delivery {
            Some(delivery) => reader
                .webhook(delivery.webhook)
                .await
                .map_err(error::from_db)?,
            None => None,
        };
        let (Some(mut delivery), Some(webhook)) = (delivery, webhook) else {
            self.core.jobs().finish(lease).await?;
            return Ok(None);
        };
        let now = self.core.clock.now();
        if webhook.state == WebhookState::Disabled && delivery.event_type != EventType::Ping {
            delivery.state = DeliveryState::Abandoned;
            delivery.error = Some("The webhook is disabled.".to_owned());
            let mut change = self.core.store.queue().change(tenant);
            change.put_delivery(&delivery).finish_job(lease);
            self.core.schedule_next(&mut change, &delivery);
            change.commit().await.map_err(fenced)?;
            return Ok(None);
        }
        let headers = self.headers(tenant, &webhook, &delivery, now).await?;
        delivery.state = DeliveryState::Running;
        delivery.sent_at = Some(now);
        let body = delivery.body.clone();
        let most = limit::DELIVERIES_PER_WEBHOOK;
        let asked = webhook.limits.concurrency;
        let asked = asked.map_or(most, |asked| most.min(asked as usize));
        Ok(Some(Sending {
            delivery,
            url: webhook.url,
            headers,
            body,
            concurrency: webhook.failing_since.map_or(asked, |_| FAILING_CONCURRENCY),
            is_strict: webhook.limits.concurrency.is_some(),
            per_second: webhook.limits.per_second,
        }))
    }

    /// Notes what came of a try, and makes the next one where that makes sense.
    pub async fn settle(
        &self,
        lease: &Lease,
        sending: Sending,
        answer: DeliveryAnswer,
    ) -> Result<()> {
        let tenant = lease.job.tenant;
        loop {
            let now = self.core.clock.now();
            let mut change = self.core.store.queue().change(tenant);
            let mut delivery = sending.delivery.clone();
            note_answer(&mut delivery, &answer);
            let is_good = answer
                .status
                .is_some_and(|status| (200..300).contains(&status));
            let reader = self.core.store.queue().reader(tenant);
            let webhook = reader
                .webhook(delivery.webhook)
                .await
                .map_err(error::from_db)?;
            let next = if is_good {
                None
            } else {
                self.next(&delivery, &answer, webhook.as_ref())
            };
            delivery.state = match (is_good, next.is_some()) {
                (true, _) => DeliveryState::Succeeded,
                (false, true) => DeliveryState::Failed,
                (false, false) => DeliveryState::Abandoned,
            };
            change.put_delivery(&delivery).finish_job(lease);
            match &next {
                Some(next) => self.core.schedule(&mut change, next),
                None => self.core.schedule_next(&mut change, &delivery),
            }
            if let Some(webhook) = webhook {
                self.note_health(
                    &mut change,
                    webhook,
                    (is_good, answer.status == Some(410)),
                    now,
                );
            }
            match change.commit().await {
                // Somebody changed the webhook; look again.
                Err(DbError::Conflict(conflict::WEBHOOK_REVISION)) => {}
                other => return other.map_err(fenced),
            }
        }
    }

    async fn enter(&self, caller: &Caller, operation: &'static str) -> Result<Permit> {
        let ask = Ask {
            operation,
            action: Action::WebhookManage,
            resource: &Resource::Webhook,
            what: "delivery",
        };
        self.core.enter(caller, ask).await
    }

    async fn find(&self, caller: &Caller, permit: &Permit, id: DeliveryId) -> Result<Delivery> {
        let reader = self.core.store.reader(permit);
        let found = reader.delivery(id).await.map_err(error::from_db)?;
        let delivery = found.ok_or_else(|| Error::not_found("delivery"))?;
        if self.is_shown(caller, &reader, &delivery).await? {
            Ok(delivery)
        } else {
            Err(Error::not_found("delivery"))
        }
    }

    /// Whether a caller may see a delivery: its webhook, and what it tells of. A webhook that was bound to fewer paths
    /// later has old deliveries about others.
    async fn is_shown(
        &self,
        caller: &Caller,
        reader: &Reader,
        delivery: &Delivery,
    ) -> Result<bool> {
        let bounds = caller.path_prefixes();
        if bounds.is_empty() {
            return Ok(true);
        }
        let webhook = reader.webhook(delivery.webhook).await;
        let webhook = webhook.map_err(error::from_db)?;
        if !webhook.is_some_and(|webhook| webhooks::is_shown(caller, &webhook)) {
            return Ok(false);
        }
        let body: serde_json::Value = serde_json::from_str(&delivery.body).unwrap_or_default();
        let path = body.pointer("/data/path").and_then(|path| path.as_str());
        Ok(path.is_none_or(|path| {
            path.parse::<FolderPath>()
                .is_ok_and(|path| bounds.iter().any(|bound| path.is_within(bound)))
        }))
    }

    async fn headers(
        &self,
        tenant: TenantId,
        webhook: &Webhook,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Vec<(String, String)>> {
        let known = self.core.tenant(tenant).await?;
        let (id, body) = (delivery.event.to_string(), delivery.body.as_bytes());
        let mut values = Vec::new();
        // The plain header has room for one signature: the old secret's until it ends, so that a receiver has the
        // whole overlap to change over. Secrets stand newest first.
        let mut oldest = None;
        for (sealed, until) in &webhook.sealed_secrets {
            if until.is_some_and(|until| now >= until) {
                continue;
            }
            let secret = known
                .key
                .open_secret(sealed, &webhook.id.to_string())
                .map_err(error::from_key)?;
            let secret = zeroize::Zeroizing::new(String::from_utf8_lossy(&secret).into_owned());
            values.extend(standard_signature(&secret, &id, now.seconds(), body));
            if webhook.body_hmac {
                oldest = Some(hex_signature(&secret, body));
            }
        }
        if let Some(signer) = &webhook.signer {
            let seed = known
                .key
                .open_secret(&signer.sealed_seed, &signer_context(webhook.id))
                .map_err(error::from_key)?;
            values.extend(public_key_signature(&seed, &id, now.seconds(), body));
        }
        let content_type = match delivery.format {
            WebhookFormat::Bailee => "application/json",
            WebhookFormat::Cloudevents => "application/cloudevents+json; charset=utf-8",
        };
        let mut headers = vec![
            ("content-type".to_owned(), content_type.to_owned()),
            (
                "user-agent".to_owned(),
                concat!("bailee/", env!("CARGO_PKG_VERSION")).to_owned(),
            ),
            ("webhook-id".to_owned(), id),
            ("webhook-timestamp".to_owned(), now.seconds().to_string()),
            ("webhook-signature".to_owned(), values.join(" ")),
        ];
        if let Some(signature) = oldest {
            headers.push(("x-signature".to_owned(), signature));
        }
        Ok(headers)
    }

    /// The next try, unless this was the last, the receiver is gone for good, or nobody listens any more.
    fn next(
        &self,
        delivery: &Delivery,
        answer: &DeliveryAnswer,
        webhook: Option<&Webhook>,
    ) -> Option<Delivery> {
        let is_enabled = webhook.is_some_and(|webhook| webhook.state == WebhookState::Enabled);
        let delay = limit::DELIVERY_DELAYS_SECONDS.get(delivery.attempt as usize)?;
        if answer.status == Some(410) || !is_enabled {
            return None;
        }
        let mut random = [0_u8; 1];
        self.core.chance.fill(&mut random);
        // Up to a tenth more, so that receivers are not hit by everything at once.
        let jitter_ms = delay * 1000 / 10 * u64::from(random.first().copied().unwrap_or(0)) / 255;
        let asked = answer
            .retry_after_seconds
            .map_or(Duration::ZERO, Duration::from_secs)
            .min(RETRY_AFTER_MAX);
        let wait = Duration::from_millis(delay * 1000 + jitter_ms).max(asked);
        let at = self.core.clock.now().plus(wait);
        Some(self.core.delivery_of(delivery, delivery.attempt + 1, at))
    }

    /// Keeps since when a webhook fails; five days without a success, or a 410, disable it.
    fn note_health(
        &self,
        change: &mut Change,
        webhook: Webhook,
        (is_good, is_gone): (bool, bool),
        now: Timestamp,
    ) {
        let mut new = webhook.clone();
        new.failing_since = if is_good {
            None
        } else {
            webhook.failing_since.or(Some(now))
        };
        let is_dead = new
            .failing_since
            .is_some_and(|since| now.since(since) >= limit::WEBHOOK_DISABLE_AFTER);
        if webhook.state == WebhookState::Enabled && (is_gone || is_dead) {
            new.state = WebhookState::Disabled;
            let reason = if is_gone {
                "The receiver answered 410 Gone."
            } else {
                "The receiver failed for five days."
            };
            new.disabled_reason = Some(reason.to_owned());
            let note = Note::event("webhooks.disable", EventType::WebhookDisabled)
                .about(webhook.id)
                .with(serde_json::json!({ "webhook_id": webhook.id, "reason": reason }));
            change.journal(&self.core.own_entry(note));
        }
        if new != webhook {
            new.revision += 1;
            change.put_webhook(&new);
        }
    }
}

impl Core {
    /// Another try for the same event and webhook.
    pub(crate) fn delivery_of(&self, old: &Delivery, attempt: u32, at: Timestamp) -> Delivery {
        let now = self.clock.now();
        Delivery {
            id: DeliveryId::new(now, &*self.chance),
            attempt,
            state: DeliveryState::Scheduled,
            scheduled_at: at,
            sent_at: None,
            duration_ms: None,
            answer_status: None,
            answer_head: Vec::new(),
            answer_body: None,
            error: None,
            created_at: now,
            ..old.clone()
        }
    }

    /// Adds a delivery and the job that sends it.
    pub(crate) fn schedule(&self, change: &mut Change, delivery: &Delivery) {
        let job = self.delivery_job(change.tenant(), delivery);
        change.insert_delivery(delivery);
        match delivery.subject {
            None => change.enqueue(&job),
            Some(_) => change.enqueue_delivery(delivery, &job),
        };
    }

    /// Adds a delivery and its job unless the event has arrived, or is on its way.
    pub(crate) fn schedule_missed(&self, change: &mut Change, delivery: &Delivery) {
        let job = self.delivery_job(change.tenant(), delivery);
        change.insert_missed_delivery(delivery);
        change.enqueue_delivery(delivery, &job);
    }

    /// Lets the delivery go that waited for the end of this one.
    fn schedule_next(&self, change: &mut Change, ended: &Delivery) {
        if ended.subject.is_some() {
            let mut job = self.delivery_job(change.tenant(), ended);
            job.run_at = self.clock.now();
            change.enqueue_next(ended, &job);
        }
    }

    fn delivery_job(&self, tenant: TenantId, delivery: &Delivery) -> Job {
        Job {
            id: JobId::new(self.clock.now(), &*self.chance),
            tenant,
            kind: JobKind::Deliver,
            subject: delivery.id.to_string(),
            lane: webhook_lane(delivery.webhook),
            run_at: delivery.scheduled_at,
            priority: 0,
        }
    }
}

/// To what the seed of a webhook's signing key is bound.
pub(crate) fn signer_context(webhook: WebhookId) -> String {
    format!("{webhook}/signer")
}

fn note_answer(delivery: &mut Delivery, answer: &DeliveryAnswer) {
    delivery.duration_ms = Some(answer.duration_ms);
    delivery.answer_status = answer.status;
    delivery.error.clone_from(&answer.error);
    delivery.answer_head.clone_from(&answer.head);
    delivery.answer_body = answer.body.as_ref().map(|body| {
        let end = body
            .char_indices()
            .map(|(at, _)| at)
            .take_while(|at| *at <= ANSWER_KEPT_BYTES)
            .last()
            .unwrap_or(0);
        if body.len() <= ANSWER_KEPT_BYTES {
            body.clone()
        } else {
            body.get(..end).unwrap_or_default().to_owned()
        }
    });
}
