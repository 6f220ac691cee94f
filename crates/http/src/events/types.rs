use bailee_api::{EventCatalogue, EventKind};
use bailee_core::example_event;
use bailee_model::EventType;

use crate::answer::Body;
use crate::caller::Authenticated;

/// List the types of events, each with an example
#[utoipa::path(get, path = "/events/types", operation_id = "events.types", tag = "events",
    responses((status = 200, description = "Every type with an example", body = EventCatalogue)))]
pub(crate) async fn types(caller: Authenticated) -> Body<EventCatalogue> {
    let tenant = caller.tenant();
    let data = EventType::ALL
        .iter()
        .map(|kind| EventKind {
            event_type: kind.as_str().to_owned(),
            description: told(*kind).to_owned(),
            example: example_event(tenant, *kind),
        })
        .collect();
    Body(EventCatalogue { data })
}

/// What an event of a type tells.
pub(crate) fn told(kind: EventType) -> &'static str {
    match kind {
        EventType::FileUploaded => "A file version became readable.",
        EventType::FileDownloaded => "Bytes of a file were handed out.",
        EventType::FileDeleted => "A file version went to the trash or was purged.",
        EventType::TransferCreated => "A transfer was submitted.",
        EventType::TransferStarted => "A runner took a transfer for the first time.",
        EventType::TransferCompleted => "A transfer ended well.",
        EventType::TransferFailed => "A transfer ended otherwise; `outcome` says how.",
        EventType::ScheduleFailed => "A time of a schedule came, and what it is for was refused.",
        EventType::ScheduleMissed => "Times of a schedule passed without a run.",
        EventType::AlertOpened => "Something needs attention.",
        EventType::AlertChanged => {
            "What needs attention is another problem now, or is back after its sleep."
        }
        EventType::AlertAcknowledged => "Somebody took an alert.",
        EventType::AlertSnoozed => "Somebody does not want to hear of an alert for a time.",
        EventType::AlertEscalated => "Nobody took an alert for too long.",
        EventType::AlertResolved => "An alert is over.",
        EventType::RemoteUnhealthy => {
            "A remote that was well cannot be reached any more, or lets nobody in."
        }
        EventType::RemoteRecovered => "A remote that was not well is again.",
        EventType::CredentialExpiring => {
            "A certificate that is needed to reach a remote ends soon."
        }
        EventType::FlowRunStarted => "A run of a flow began.",
        EventType::FlowRunCompleted => "A run of a flow ended well.",
        EventType::FlowRunFailed => "A run of a flow failed or was cancelled; `state` says which.",
        EventType::FlowApprovalRequested => "A run of a flow waits for a second person.",
        EventType::FlowNotified => "A step of a flow tells something: `message` and `fields`.",
        EventType::AuthFailed => "A credential was refused.",
        EventType::PolicyViolated => "Policy, scope, network or a path bound refused a caller.",
        EventType::WebhookDisabled => {
            "A webhook was switched off: its receiver failed for too long or asked for it."
        }
        EventType::Ping => "A test of a webhook.",
    }
}
