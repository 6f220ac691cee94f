use serde::{Deserialize, Serialize};

use crate::{DeliveryId, EventId, EventType, RemoteName, Timestamp, WebhookId};

/// Whether a webhook gets events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// It does.
    Enabled,
    /// It does not.
    Disabled,
}

/// The shape of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFormat {
    /// The event object of the API.
    #[default]
    Bailee,
    /// CloudEvents 1.0, structured mode.
    Cloudevents,
}

/// What is promised about the order of deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookOrdering {
    /// Nothing.
    #[default]
    None,
    /// An event waits until those before it about the same subject were taken or given up.
    Subject,
}

/// How hard a receiver may be pressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookLimits {
    /// Most deliveries that begin in a second on one node; unbounded if absent.
    pub per_second: Option<u32>,
    /// Most deliveries under way at once on one node.
    pub concurrency: Option<u32>,
}

/// The Ed25519 key that signs a webhook's deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSigner {
    /// The seed, sealed.
    pub sealed_seed: Vec<u8>,
    /// The public key as receivers are told it.
    pub public_key: String,
}

/// Events of the past that are handed over once more where they did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Events at or after this time.
    pub since: Timestamp,
    /// Events before this time.
    pub until: Timestamp,
    /// Up to here the journal was read.
    pub after: u64,
    /// Up to here it will be.
    pub to: u64,
    /// Events that were the webhook's so far.
    pub events: u64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was through.
    pub finished_at: Option<Timestamp>,
}

/// How much of the object a body carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookPayload {
    /// Ids, states and counts.
    #[default]
    Thin,
    /// The file or transfer as well, as the API shows it when the event is handed over.
    Full,
}

/// A receiver a tenant registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where events go.
    pub url: String,
    /// Exact types, or `transfer.*`.
    pub types: Vec<String>,
    /// Only events about paths below this one, if set.
    pub path_prefix: Option<crate::FolderPath>,
    /// Only events about transfers from or to this remote, if set.
    #[serde(default)]
    pub remote: Option<RemoteName>,
    /// Only events about files with this tag, if set.
    #[serde(default)]
    pub tag: Option<String>,
    /// How much of the object a body carries.
    #[serde(default)]
    pub payload: WebhookPayload,
    /// The shape of bodies.
    #[serde(default)]
    pub format: WebhookFormat,
    /// What is promised about the order.
    #[serde(default)]
    pub ordering: WebhookOrdering,
    /// How hard the receiver may be pressed.
    #[serde(default)]
    pub limits: WebhookLimits,
    /// Signs deliveries so that a public key verifies them, if set.
    #[serde(default)]
    pub signer: Option<WebhookSigner>,
    /// The newest recovery.
    #[serde(default)]
    pub recovery: Option<Recovery>,
    /// Whether the guide's `X-Signature` header goes along.
    pub body_hmac: bool,
    /// Whether it gets events.
    pub state: WebhookState,
    /// Why it does not.
    pub disabled_reason: Option<String>,
    /// Live secrets, sealed, newest first, each with the end of its grace period.
    pub sealed_secrets: Vec<(Vec<u8>, Option<Timestamp>)>,
    /// Since when deliveries fail without one success between.
    pub failing_since: Option<Timestamp>,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Rises with every change: the object's ETag.
    pub revision: u64,
}

impl Webhook {
    /// Whether an event of `kind` is for this webhook.
    pub fn wants(&self, kind: EventType) -> bool {
        self.state == WebhookState::Enabled
            && self
                .types
                .iter()
                .any(|wanted| match wanted.strip_suffix(".*") {
                    Some(family) => kind.as_str().split('.').next() == Some(family),
                    None => wanted == kind.as_str() || wanted == "*",
                })
    }
}

/// Where a delivery is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waiting for its time.
    Scheduled,
    /// On its way.
    Running,
    /// The receiver answered 2xx.
    Succeeded,
    /// It did not; another delivery follows.
    Failed,
    /// It did not, and no other follows.
    Abandoned,
}

impl Delivery {
    /// A try to come.
    pub fn scheduled(id: DeliveryId, webhook: &Webhook, at: Timestamp) -> Self {
        Self {
            id,
            webhook: webhook.id,
            event: EventId::from_bits(0),
            event_type: EventType::Ping,
            body: String::new(),
            format: webhook.format,
            sequence: 0,
            subject: None,
            attempt: 1,
            state: DeliveryState::Scheduled,
            scheduled_at: at,
            sent_at: None,
            duration_ms: None,
            answer_status: None,
            answer_head: Vec::new(),
            answer_body: None,
            error: None,
            created_at: at,
        }
    }
}

impl DeliveryState {
    /// The state as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// One try to hand one event to one webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// To whom.
    pub webhook: WebhookId,
    /// What.
    pub event: EventId,
    /// Type of the event.
    pub event_type: EventType,
    /// The exact body, the same on every try.
    pub body: String,
    /// The shape of the body.
    #[serde(default)]
    pub format: WebhookFormat,
    /// The event's place in the journal; 0 for an example.
    #[serde(default)]
    pub sequence: u64,
    /// What must arrive in order, if that was promised.
    #[serde(default)]
    pub subject: Option<String>,
    /// From 1.
    pub attempt: u32,
    /// Where it is in its life.
    pub state: DeliveryState,
    /// When it is due.
    pub scheduled_at: Timestamp,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// How long the answer took.
    pub duration_ms: Option<u64>,
    /// Status of the answer.
    pub answer_status: Option<u16>,
    /// The first headers of the answer.
    #[serde(default)]
    pub answer_head: Vec<(String, String)>,
    /// The first bytes of the answer, as text.
    pub answer_body: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// Since when it exists.
    pub created_at: Timestamp,
}
