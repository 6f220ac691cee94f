//! Events: published journal entries. Webhook body, feed entry and stream data are the same object.

use bailee_model::{EventId, FileId, FlowRunId, TenantId, Timestamp, TransferId, WebhookId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{FileLinks, FileState, Links, TransferOutcome, TransferState};

/// Something that happened. The id of what it is about and its `status` are repeated at top level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "type": "transfer.completed", "timestamp": "2026-11-21T09:14:03.512Z", "event_id": "evt_01m7yp4nesedqrb018tr4sjm6r",
    "tenant_id": "ten_01m7yp4qfdf46bs8r42wfv2z13", "sequence": 8123, "transfer_id": "xfr_01m7yp4kyae4ma4jz41b93y214",
    "file_id": null, "webhook_id": null, "status": "completed",
    "data": {"transfer_id": "xfr_01m7yp4kyae4ma4jz41b93y214", "state": "completed", "outcome": "succeeded", "error_code": null,
        "error_message": null, "bytes_total": 26, "files_total": 1, "links": {"self": "/v1/transfers/xfr_01m7yp4kyae4ma4jz41b93y214"}}
}))]
pub struct Event {
    /// What happened: `transfer.completed`, `file.uploaded`, …
    #[serde(rename = "type")]
    #[schema(example = "transfer.completed")]
    pub event_type: String,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub timestamp: Timestamp,
    /// Names the event; the same on every delivery.
    #[schema(value_type = String, example = "evt_01m7yp4nesedqrb018tr4sjm6r")]
    pub event_id: EventId,
    /// Whose it is.
    #[schema(value_type = String, example = "ten_01m7yp4qfdf46bs8r42wfv2z13")]
    pub tenant_id: TenantId,
    /// Its place in the tenant's journal, from 1.
    pub sequence: u64,
    /// The transfer it is about.
    #[schema(value_type = Option<String>, example = "xfr_01m7yp4kyae4ma4jz41b93y214", required)]
    pub transfer_id: Option<TransferId>,
    /// The file it is about.
    #[schema(value_type = Option<String>, example = "fil_01m7yp4jy0emq8k9w39qsaekf4", required)]
    pub file_id: Option<FileId>,
    /// The webhook it is about.
    #[schema(value_type = Option<String>, example = "whk_01m7yp4nesedqrb018tr4sjm6r", required)]
    pub webhook_id: Option<WebhookId>,
    /// How that stands now: a transfer's or a file's state, or how the operation ended.
    #[schema(required)]
    pub status: Option<String>,
    /// Facts, by type: `TransferEventData` for `transfer.*`, `FileEventData` for `file.*`.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

/// `data` of the types `transfer.*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TransferEventData {
    /// The transfer.
    #[schema(value_type = String, example = "xfr_01m7yp4kyae4ma4jz41b93y214")]
    pub transfer_id: TransferId,
    /// Where it is.
    pub state: TransferState,
    /// How it ended; null until then.
    #[schema(required)]
    pub outcome: Option<TransferOutcome>,
    /// Why, as a code with a page below `/docs/problems/`.
    #[schema(required)]
    pub error_code: Option<String>,
    /// Why, in plain words; never null when `state` is `failed`.
    #[schema(required)]
    pub error_message: Option<String>,
    /// Bytes to move, once known.
    #[schema(required)]
    pub bytes_total: Option<u64>,
    /// Files to move, once known.
    #[schema(required)]
    pub files_total: Option<u64>,
    /// The run of a flow that asked for it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "run_01m7yp4kyae4ma4jz41b93y214", required)]
    pub flow_run_id: Option<FlowRunId>,
    /// Where it is found.
    pub links: Links,
}

/// `data` of the types `file.*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FileEventData {
    /// The file version.
    #[schema(value_type = String, example = "fil_01m7yp4jy0emq8k9w39qsaekf4")]
    pub file_id: FileId,
    /// Where it is in its life.
    pub state: FileState,
    /// 1 for the first file at a path.
    pub version: u32,
    /// Size of the content in bytes.
    pub size: u64,
    /// Where it is found.
    pub links: FileLinks,
}

/// Answer to `GET /events`: some events, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventFeed {
    /// The events.
    pub data: Vec<Event>,
    /// Whether more are there already.
    pub has_more: bool,
    /// What to send as `after` next. Numbers may skip: a caller sees only what it may read. Null when there is none yet.
    #[schema(required)]
    pub next_after: Option<u64>,
}

/// A type of event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventKind {
    /// The type, as used in subscriptions.
    #[serde(rename = "type")]
    #[schema(example = "file.uploaded")]
    pub event_type: String,
    /// What it tells.
    pub description: String,
    /// An event of this type, as feed, stream and webhooks send it.
    #[schema(value_type = Event)]
    pub example: serde_json::Value,
}

/// Answer to `GET /events/types`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventCatalogue {
    /// Every type.
    pub data: Vec<EventKind>,
}
