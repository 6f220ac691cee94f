use serde::{Deserialize, Serialize};

use crate::{DeliveryId, EventId, EventType, Timestamp, WebhookId};

/// Whether a webhook gets events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// It does.
    Enabled,
    /// It does not.
    Disabled,
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
    /// The first bytes of the answer, as text.
    pub answer_body: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// Since when it exists.
    pub created_at: Timestamp,
}
