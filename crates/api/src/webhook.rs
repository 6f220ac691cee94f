//! Webhooks: receivers of events, and the deliveries to them.

use std::collections::BTreeMap;

use bailee_model::{DeliveryId, EventId, RemoteName, Timestamp, WebhookId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};
use crate::{Links, List, Patch, SecretText, object};

words! {
    /// Whether a webhook gets events.
    WebhookState {
        /// It does.
        Enabled = "enabled",
        /// It does not; `disabled_reason` says why.
        Disabled = "disabled",
    }
}
words_from!(bailee_model::WebhookState => WebhookState { Enabled, Disabled });

words! {
    /// How much of the object a body carries.
    WebhookPayload {
        /// Ids, states and counts.
        Thin = "thin",
        /// The file or transfer as well, in `data.object`, as this API shows it.
        Full = "full",
    }
}
words_from!(bailee_model::WebhookPayload => WebhookPayload { Thin, Full });

words! {
    /// The shape of a body.
    WebhookFormat {
        /// The event object of this API.
        Bailee = "bailee",
        /// CloudEvents 1.0, structured mode: `id` is the event's, `source` the tenant's, `type` begins with `bailee.`.
        Cloudevents = "cloudevents",
    }
}
words_from!(bailee_model::WebhookFormat => WebhookFormat { Bailee, Cloudevents });

words! {
    /// What is promised about the order of deliveries.
    WebhookOrdering {
        /// Nothing; `sequence` gives the order.
        None = "none",
        /// An event waits until those before it about the same transfer or path were taken or given up.
        Subject = "subject",
    }
}
words_from!(bailee_model::WebhookOrdering => WebhookOrdering { None, Subject });

words! {
    /// Where a delivery is in its life.
    DeliveryState {
        /// Waiting for its time.
        Scheduled = "scheduled",
        /// On its way.
        Running = "running",
        /// The receiver answered 2xx.
        Succeeded = "succeeded",
        /// It did not; another delivery follows.
        Failed = "failed",
        /// It did not, and no other follows.
        Abandoned = "abandoned",
    }
}
words_from!(bailee_model::DeliveryState => DeliveryState { Scheduled, Running, Succeeded, Failed, Abandoned });

/// Which events of the subscribed types are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookFilters {
    /// Only events about files in this folder and below; null is all.
    #[schema(required, example = "/reports")]
    pub path_prefix: Option<String>,
    /// Only events about transfers from or to this remote; null is all.
    #[schema(value_type = Option<String>, required, example = "bank")]
    pub remote: Option<RemoteName>,
    /// Only events about files with this tag; null is all.
    #[schema(required, example = "payroll")]
    pub tag: Option<String>,
}

/// How hard a receiver may be pressed. Counted on each node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookLimits {
    /// Most deliveries that begin in a second, 1 to 10,000; null is unbounded.
    #[schema(required, minimum = 1, maximum = 10000)]
    pub per_second: Option<u32>,
    /// Most deliveries under way at once, 1 to 16; null is 16.
    #[schema(required, minimum = 1, maximum = 16)]
    pub concurrency: Option<u32>,
}

/// Body of `POST /webhooks`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://hooks.example.com/bailee", "types": ["transfer.*", "file.uploaded"]}))]
pub struct CreateWebhook {
    /// Where events go: `https://`, an address outside private networks unless the operator allows it.
    pub url: String,
    /// Exact types, `family.*`, or `*`.
    pub types: Vec<String>,
    /// Which events of these types.
    #[serde(default, deserialize_with = "object::or_null")]
    pub filters: Option<WebhookFilters>,
    /// Whether `X-Signature` (hex HMAC-SHA256 of the body) goes along; true when absent.
    pub body_hmac: Option<bool>,
    /// How much of the object a body carries; `thin` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<WebhookPayload>)]
    pub payload: Option<bailee_model::WebhookPayload>,
    /// The shape of bodies; `bailee` when absent.
    #[schema(value_type = Option<WebhookFormat>)]
    pub format: Option<bailee_model::WebhookFormat>,
    /// What is promised about the order; `none` when absent.
    #[schema(value_type = Option<WebhookOrdering>)]
    pub ordering: Option<bailee_model::WebhookOrdering>,
    /// Whether an Ed25519 signature (`v1a`) goes along, which `public_key` verifies; false when absent.
    pub ed25519: Option<bool>,
    /// How hard the receiver may be pressed.
    #[serde(default, deserialize_with = "object::or_null")]
    pub limits: Option<WebhookLimits>,
}

/// Body of `PATCH /webhooks/{webhook_id}`: a JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeWebhook {
    /// Where events go.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub url: Option<String>,
    /// All types anew.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Vec<String>, required = false)]
    pub types: Option<Vec<String>>,
    /// Which events of these types; null is all.
    #[serde(
        default,
        skip_serializing_if = "Patch::is_keep",
        deserialize_with = "object::patch"
    )]
    #[schema(value_type = Option<WebhookFilters>)]
    pub filters: Patch<WebhookFilters>,
    /// Whether `X-Signature` goes along.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = bool, required = false)]
    pub body_hmac: Option<bool>,
    /// How much of the object bodies carry from now on.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = WebhookPayload, required = false)]
    pub payload: Option<bailee_model::WebhookPayload>,
    /// The shape of bodies from now on.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = WebhookFormat, required = false)]
    pub format: Option<bailee_model::WebhookFormat>,
    /// What is promised about the order of later events.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = WebhookOrdering, required = false)]
    pub ordering: Option<bailee_model::WebhookOrdering>,
    /// Whether an Ed25519 signature goes along; true makes a key if there is none, false forgets it.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = bool, required = false)]
    pub ed25519: Option<bool>,
    /// How hard the receiver may be pressed; null takes the limits away.
    #[serde(
        default,
        skip_serializing_if = "Patch::is_keep",
        deserialize_with = "object::patch"
    )]
    #[schema(value_type = Option<WebhookLimits>)]
    pub limits: Patch<WebhookLimits>,
}

/// A webhook: answered by create, read, change, enable and rotate-secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "webhook_id": "whk_01m7yp4nesedqrb018tr4sjm6r", "url": "https://hooks.example.com/bailee", "types": ["transfer.*"],
    "filters": {"path_prefix": null, "remote": null, "tag": null}, "payload": "thin", "format": "bailee", "ordering": "none",
    "limits": {"per_second": null, "concurrency": null}, "body_hmac": true, "public_key": null, "recovery": null,
    "state": "enabled", "disabled_reason": null, "secret": null, "created_at": "2026-11-21T09:14:00.000Z",
    "links": {"self": "/v1/webhooks/whk_01m7yp4nesedqrb018tr4sjm6r"}
}))]
pub struct Webhook {
    /// Names the webhook.
    #[schema(value_type = String, example = "whk_01m7yp4nesedqrb018tr4sjm6r")]
    pub webhook_id: WebhookId,
    /// Where events go.
    pub url: String,
    /// Exact types, `family.*`, or `*`.
    pub types: Vec<String>,
    /// Which events of these types.
    pub filters: WebhookFilters,
    /// How much of the object a body carries.
    pub payload: WebhookPayload,
    /// The shape of a body.
    pub format: WebhookFormat,
    /// What is promised about the order.
    pub ordering: WebhookOrdering,
    /// Whether `X-Signature` goes along.
    pub body_hmac: bool,
    /// How hard the receiver may be pressed.
    pub limits: WebhookLimits,
    /// Verifies the `v1a` signatures: `whpk_` and the base64 of an Ed25519 key (Standard Webhooks); null when there are none.
    #[schema(required)]
    pub public_key: Option<String>,
    /// The newest recovery of missed events.
    #[schema(required)]
    pub recovery: Option<WebhookRecovery>,
    /// Whether it gets events.
    pub state: WebhookState,
    /// Why it does not.
    #[schema(required)]
    pub disabled_reason: Option<String>,
    /// The newest secret, `whsec_…` (Standard Webhooks): only in the answers to create and rotate-secret, else null.
    #[schema(value_type = Option<String>, required)]
    pub secret: Option<SecretText>,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// Body of `POST /webhooks/{webhook_id}/recover`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"since": "2026-11-21T09:00:00.000Z"}))]
pub struct RecoverWebhook {
    /// Events at or after this time.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00.000Z")]
    pub since: Timestamp,
    /// Events before this time; now when absent.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T10:00:00.000Z")]
    pub until: Option<Timestamp>,
}

/// Missed events that are handed over once more. What has arrived, or waits, is not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookRecovery {
    /// Events at or after this time.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00.000Z")]
    pub since: Timestamp,
    /// Events before this time.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T10:00:00.000Z")]
    pub until: Timestamp,
    /// Events of that time that were the webhook's, so far.
    pub events: u64,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T10:00:00.000Z")]
    pub created_at: Timestamp,
    /// When all of them had been queued; null while that goes on.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T10:00:01.000Z", required)]
    pub finished_at: Option<Timestamp>,
}

/// Answer to `GET /webhooks/{webhook_id}/stats`: the last 24 hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookStats {
    /// Names the webhook.
    #[schema(value_type = String, example = "whk_01m7yp4nesedqrb018tr4sjm6r")]
    pub webhook_id: WebhookId,
    /// How far back this looks.
    pub span_seconds: u64,
    /// Tries that wait for their time.
    pub scheduled: u64,
    /// Tries that were answered with 2xx.
    pub succeeded: u64,
    /// Tries that were not, and another followed.
    pub failed: u64,
    /// Tries that were not, and no other followed.
    pub abandoned: u64,
    /// Share of the tries made that were answered with 2xx, 0 to 1; null when none was made.
    #[schema(required)]
    pub success_rate: Option<f64>,
    /// Answer time that half of the newest 1,000 tries stayed within.
    #[schema(required)]
    pub p50_seconds: Option<f64>,
    /// Answer time that 95 of 100 stayed within.
    #[schema(required)]
    pub p95_seconds: Option<f64>,
    /// The longest answer time of them.
    #[schema(required)]
    pub max_seconds: Option<f64>,
    /// Since when every try fails; null while the receiver is well.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub failing_since: Option<Timestamp>,
}

/// A page of webhooks.
pub type WebhookList = List<Webhook>;

/// Body of `POST /webhooks/{webhook_id}/rotate-secret`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateWebhookSecret {
    /// How long the old secret still signs beside the new one, in seconds; at most 7 days. A day when absent.
    pub grace_seconds: Option<u64>,
}

/// Body of `POST /webhooks/{webhook_id}/test`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestWebhook {
    /// The type to send an example of; `ping` when absent.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
}

/// One try to hand one event to one webhook. Kept 30 days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// Names the try.
    #[schema(value_type = String, example = "dlv_01m7yp4nesedqrb018tr4sjm6r")]
    pub delivery_id: DeliveryId,
    /// To whom.
    #[schema(value_type = String, example = "whk_01m7yp4nesedqrb018tr4sjm6r")]
    pub webhook_id: WebhookId,
    /// What.
    #[schema(value_type = String, example = "evt_01m7yp4nesedqrb018tr4sjm6r")]
    pub event_id: EventId,
    /// Type of the event.
    #[schema(example = "transfer.completed")]
    pub event_type: String,
    /// Where it is in its life.
    pub state: DeliveryState,
    /// From 1.
    pub attempt: u32,
    /// When it is due.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub scheduled_at: Timestamp,
    /// When it was sent.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub sent_at: Option<Timestamp>,
    /// How long the answer took, in seconds.
    #[schema(required)]
    pub duration_seconds: Option<f64>,
    /// The exact body sent.
    pub request_body: String,
    /// Status of the answer.
    #[schema(required)]
    pub answer_status: Option<u16>,
    /// The first headers of the answer.
    pub answer_headers: BTreeMap<String, String>,
    /// The first 4 KiB of the answer, as text.
    #[schema(required)]
    pub answer_body: Option<String>,
    /// Why there was no answer.
    #[schema(required)]
    pub error: Option<String>,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of deliveries.
pub type DeliveryList = List<Delivery>;

impl From<&bailee_model::Delivery> for Delivery {
    fn from(delivery: &bailee_model::Delivery) -> Self {
        Self {
            delivery_id: delivery.id,
            webhook_id: delivery.webhook,
            event_id: delivery.event,
            event_type: delivery.event_type.as_str().to_owned(),
            state: delivery.state.into(),
            attempt: delivery.attempt,
            scheduled_at: delivery.scheduled_at,
            sent_at: delivery.sent_at,
            duration_seconds: delivery.duration_ms.map(|ms| ms as f64 / 1000.0),
            request_body: delivery.body.clone(),
            answer_status: delivery.answer_status,
            answer_headers: delivery.answer_head.iter().cloned().collect(),
            answer_body: delivery.answer_body.clone(),
            error: delivery.error.clone(),
            created_at: delivery.created_at,
            links: Links::to("deliveries", delivery.id),
        }
    }
}

impl From<&bailee_model::Recovery> for WebhookRecovery {
    fn from(recovery: &bailee_model::Recovery) -> Self {
        Self {
            since: recovery.since,
            until: recovery.until,
            events: recovery.events,
            created_at: recovery.created_at,
            finished_at: recovery.finished_at,
        }
    }
}

impl From<&bailee_model::Webhook> for Webhook {
    /// The webhook without its secret; create and rotate-secret fill that in.
    fn from(webhook: &bailee_model::Webhook) -> Self {
        Self {
            webhook_id: webhook.id,
            url: webhook.url.clone(),
            types: webhook.types.clone(),
            filters: WebhookFilters {
                path_prefix: webhook.path_prefix.as_ref().map(ToString::to_string),
                remote: webhook.remote.clone(),
                tag: webhook.tag.clone(),
            },
            payload: webhook.payload.into(),
            format: webhook.format.into(),
            ordering: webhook.ordering.into(),
            body_hmac: webhook.body_hmac,
            limits: WebhookLimits {
                per_second: webhook.limits.per_second,
                concurrency: webhook.limits.concurrency,
            },
            public_key: webhook
                .signer
                .as_ref()
                .map(|signer| signer.public_key.clone()),
            recovery: webhook.recovery.as_ref().map(WebhookRecovery::from),
            state: webhook.state.into(),
            disabled_reason: webhook.disabled_reason.clone(),
            secret: None,
            created_at: webhook.created_at,
            links: Links::to("webhooks", webhook.id),
        }
    }
}
