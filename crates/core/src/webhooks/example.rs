//! What an event of each type looks like: for the catalogue, and for tests of a webhook.

use bailee_model::{
    AlertId, AlertRuleId, EventId, EventType, FileId, FlowId, FlowRunId, RemoteId, ScheduleId,
    TenantId, Timestamp, TransferId, WebhookId,
};
use serde_json::{Value, json};

/// When the examples happened: 2026-11-21T09:14:03.512Z.
const WHEN: Timestamp = Timestamp::from_ms(1_795_252_443_512);
/// The bits of the ids in examples; nothing has them.
const NOTHING: u128 = 0x019a_a5e1_6e60_7000_8000_0000_0000_0000;

/// An event of a type that never happened, in the form of those that do.
pub fn example_event(tenant: TenantId, kind: EventType) -> Value {
    let data = data(kind);
    let text = |name: &str| data.get(name).cloned().unwrap_or_default();
    let status = match text("state") {
        Value::Null if kind == EventType::AuthFailed || kind == EventType::PolicyViolated => {
            json!("denied")
        }
        Value::Null => json!("success"),
        state => state,
    };
    json!({
        "type": kind.as_str(),
        "timestamp": WHEN,
        "event_id": EventId::from_bits(NOTHING),
        "tenant_id": tenant,
        "sequence": 0,
        "transfer_id": text("transfer_id"),
        "file_id": text("file_id"),
        "webhook_id": text("webhook_id"),
        "status": status,
        "data": data,
    })
}

fn data(kind: EventType) -> Value {
    match kind {
        EventType::FileUploaded | EventType::FileDownloaded => file("available"),
        EventType::FileDeleted => file("deleted"),
        EventType::TransferCreated => transfer("queued", Value::Null),
        EventType::TransferStarted => transfer("running", Value::Null),
        EventType::TransferCompleted => transfer("completed", json!("succeeded")),
        EventType::TransferFailed => transfer("failed", json!("error")),
        EventType::ScheduleFailed => schedule(&json!({
            "missed": 0,
            "error_code": "policy_denied",
            "error_message": "Policy refused this: no role of the caller permits it.",
        })),
        EventType::ScheduleMissed => schedule(&json!({ "missed": 3 })),
        EventType::AlertOpened | EventType::AlertChanged | EventType::AlertEscalated => {
            alert("firing")
        }
        EventType::AlertAcknowledged => alert("acknowledged"),
        EventType::AlertSnoozed => alert("snoozed"),
        EventType::AlertResolved => alert("resolved"),
        EventType::RemoteUnhealthy => remote("unhealthy", "open"),
        EventType::RemoteRecovered => remote("healthy", "closed"),
        EventType::CredentialExpiring => json!({
            "remote_id": RemoteId::from_bits(NOTHING), "remote": "bank", "owner": "server",
            "subject": "CN=sftp.bank.example", "expires_at": WHEN, "days": 6,
        }),
        EventType::FlowRunStarted => run("running", Value::Null),
        EventType::FlowRunCompleted => run("completed", Value::Null),
        EventType::FlowRunFailed => run("failed", json!("policy_denied")),
        EventType::FlowApprovalRequested | EventType::FlowNotified => step(kind),
        EventType::AuthFailed => json!({ "reason": "credential_invalid" }),
        EventType::PolicyViolated => json!({ "code": "permission_denied" }),
        EventType::WebhookDisabled => json!({
            "webhook_id": WebhookId::from_bits(NOTHING),
            "reason": "The receiver answered 410 Gone.",
        }),
        EventType::Ping => json!({}),
    }
}

fn alert(state: &str) -> Value {
    let id = AlertId::from_bits(NOTHING);
    json!({
        "alert_id": id,
        "alert_rule_id": AlertRuleId::from_bits(NOTHING),
        "rule_name": "prices",
        "kind": "expected_file",
        "severity": "critical",
        "state": state,
        "subject": WHEN,
        "problem": "missing",
        "summary": "/in/*.csv: None of 1 files came.",
        "facts": { "files": 0, "files_wanted": 1, "files_too_small": 0 },
        "recipients": ["ops"],
        "opened_at": WHEN,
        "snoozed_until": null,
        "links": { "self": format!("/v1/alerts/{id}") },
    })
}

fn schedule(more: &Value) -> Value {
    let mut facts = json!({
        "schedule_id": ScheduleId::from_bits(NOTHING),
        "name": "nightly",
        "due_at": WHEN,
    });
    if let (Some(facts), Some(more)) = (facts.as_object_mut(), more.as_object()) {
        facts.extend(more.clone());
    }
    facts
}

fn remote(state: &str, circuit: &str) -> Value {
    json!({
        "remote_id": RemoteId::from_bits(NOTHING),
        "remote": "bank",
        "state": state,
        "circuit": circuit,
        "error_code": "remote_unreachable",
        "error_message": "Remote `bank` did not answer.",
        "unhealthy_since": null,
    })
}

/// A run of a flow.
pub(super) fn run(state: &str, error_code: Value) -> Value {
    let (run, flow) = (FlowRunId::from_bits(NOTHING), FlowId::from_bits(NOTHING));
    json!({
        "run_id": run,
        "flow_id": flow,
        "flow": "archive",
        "version": 1,
        "state": state,
        "trigger": "arrival",
        "started_by": null,
        "rerun_of": null,
        "files": 1,
        "error_code": error_code,
        "error_message": (state == "failed").then_some("Step `keep`: Policy refused this."),
        "links": { "self": format!("/v1/flow-runs/{run}") },
    })
}

fn step(kind: EventType) -> Value {
    let (run, flow) = (FlowRunId::from_bits(NOTHING), FlowId::from_bits(NOTHING));
    let (step, message) = match kind {
        EventType::FlowNotified => ("tell", "1 files arrived."),
        _ => ("release", "Release 1 files to the bank?"),
    };
    json!({
        "run_id": run,
        "flow_id": flow,
        "flow": "archive",
        "step": step,
        "message": message,
        "fields": {},
        "files": 1,
        "links": { "self": format!("/v1/flow-runs/{run}") },
    })
}

fn file(state: &str) -> Value {
    let id = FileId::from_bits(NOTHING);
    json!({
        "file_id": id,
        "state": state,
        "version": 1,
        "size": 26,
        "hash": "6330f05349c4373a84fbc2393357b14bdba92493af4dc5af74d4a08aef2151b3",
        "path": "/reports/report.csv",
        "links": { "self": format!("/v1/files/{id}"), "download": format!("/v1/files/{id}/download") },
    })
}

fn transfer(state: &str, outcome: Value) -> Value {
    let id = TransferId::from_bits(NOTHING);
    let fault = (state == "failed").then_some((
        "remote_unreachable",
        "Remote `bank` did not answer after 5 attempts.",
    ));
    json!({
        "transfer_id": id,
        "state": state,
        "outcome": outcome,
        "error_code": fault.map(|fault| fault.0),
        "error_message": fault.map(|fault| fault.1),
        "source": "/reports/report.csv",
        "destination": "bank:/in/report.csv",
        "bytes_total": 26,
        "files_total": 1,
        "flow_run_id": null,
        "links": { "self": format!("/v1/transfers/{id}") },
    })
}
