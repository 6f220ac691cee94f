//! The catalogue of events with one example each, in the shape in which all consumers get them.

use std::fmt::Write as _;

use bailee_core::event_body;
use bailee_model::{
    AlertId, AlertRuleId, AuditId, Entry, EntryKind, EventType, FileId, Outcome, RemoteId,
    ScheduleId, SealedEntry, Subject, TenantId, Timestamp, TransferId, WebhookId,
};
use serde_json::{Value, json};

const HEAD: &str = "\
An event is a published entry of the tenant's journal. The same object is the body of a webhook, an entry of `GET /v1/events`
and the data of `GET /v1/events/stream`. `event_id` is the same wherever and however often the event is seen: use it to
drop what you have seen before. `sequence` counts the tenant's journal from 1 and may skip, because not every entry is an
event. Fields may be added; ignore those that you do not know.

`GET /v1/events/types` answers this list. Subscriptions take a type, or a family such as `transfer.*`.

| Type | Tells |
|---|---|
";

pub(super) fn page() -> String {
    let mut page = format!("# Events\n\n{}\n\n{HEAD}", super::MADE);
    for kind in EventType::ALL {
        let _ = writeln!(
            page,
            "| [`{kind}`](#{}) | {} |",
            anchor(*kind),
            told(*kind),
            kind = kind.as_str()
        );
    }
    for kind in EventType::ALL {
        let example = serde_json::to_string_pretty(&example(*kind)).unwrap_or_default();
        let _ = write!(
            page,
            "\n## {}\n\n{}\n\n```json\n{example}\n```\n",
            kind.as_str(),
            told(*kind)
        );
    }
    page
}

/// As Markdown renderers make it from the heading.
fn anchor(kind: EventType) -> String {
    kind.as_str().replace('.', "")
}

fn told(kind: EventType) -> &'static str {
    match kind {
        EventType::FileUploaded => {
            "A file version became readable: uploaded, copied, restored or brought by a transfer. `replaced_file_id` names the version before it."
        }
        EventType::FileDownloaded => {
            "Bytes of a file were handed out: those from `from` to before `to`."
        }
        EventType::FileDeleted => {
            "A file version went to the trash, or with `purged` is gone for good."
        }
        EventType::TransferCreated => "A transfer was submitted.",
        EventType::TransferStarted => "A transfer was taken up for the first time.",
        EventType::TransferCompleted => {
            "A transfer ended well; all bytes are where they should be."
        }
        EventType::TransferFailed => {
            "A transfer ended otherwise: `outcome` says how, `error_code` and `error_message` why."
        }
        EventType::ScheduleFailed => {
            "A time of a schedule came, and what it is for was refused: `error_code` and `error_message` say why."
        }
        EventType::ScheduleMissed => {
            "Times of a schedule passed without a run of their own: `missed` says how many, `due_at` when the newest was."
        }
        EventType::AlertOpened => {
            "Something needs attention: `rule_name` raised it, `problem` and `summary` say what it is."
        }
        EventType::AlertChanged => {
            "What needs attention is another problem now, such as `missing` after `late`, or is back after its sleep."
        }
        EventType::AlertAcknowledged => "Somebody took an alert.",
        EventType::AlertSnoozed => {
            "Somebody does not want to hear of an alert before `snoozed_until`."
        }
        EventType::AlertEscalated => {
            "Nobody took an alert for too long; `recipients` names those who are told now as well."
        }
        EventType::AlertResolved => "An alert is over: somebody said so, or all is well again.",
        EventType::RemoteUnhealthy => {
            "A remote that was well, or that nobody had tried, cannot be reached any more or lets nobody in: five transient failures in a row, a refusal, or a look at it that failed. `circuit` is `open` while transfers wait for it."
        }
        EventType::RemoteRecovered => {
            "A remote that was not well is again. `error_code` and `error_message` say what it was, `unhealthy_since` since when."
        }
        EventType::CredentialExpiring => {
            "A certificate that is needed to reach a remote ends in less than 30, 14, 7 or 1 days: that of its server, or the one that we show (`owner` is `server` or `client`)."
        }
        EventType::FlowRunStarted => "A run of a flow was taken up for the first time.",
        EventType::FlowRunCompleted => "A run of a flow ended well.",
        EventType::FlowRunFailed => {
            "A run of a flow ended otherwise: `state` says whether it failed or was cancelled, `error_code` and `error_message` why."
        }
        EventType::FlowApprovalRequested => {
            "A step of a flow asks a second person: `message` says what, `deadline` until when."
        }
        EventType::FlowNotified => {
            "A `notify` step of a flow tells something: `message` for people, `fields` for programs."
        }
        EventType::AuthFailed => {
            "A key of this tenant was refused. (An unknown key belongs to no tenant.)"
        }
        EventType::PolicyViolated => "Policy, scope or a path bound refused a caller.",
        EventType::WebhookDisabled => {
            "A webhook was switched off, because its receiver answered 410 or failed for five days."
        }
        EventType::Ping => {
            "A test of a webhook. It is sent to that webhook alone and is not in the journal, so `sequence` is 0."
        }
    }
}

/// Ids of the examples are made from this time, which is also theirs.
const WHEN: Timestamp = Timestamp::from_ms(1_795_252_443_512);

fn bits(last: u128) -> u128 {
    (0x01_a1_fd_62_5a_b8_u128 << 80) | (0x7_000 << 64) | (0b10 << 62) | last
}

/// An event as it would be on the wire.
fn example(kind: EventType) -> Value {
    let tenant = TenantId::from_bits(bits(1));
    let transfer = TransferId::from_bits(bits(3));
    if kind == EventType::Ping {
        return ping(tenant, WebhookId::from_bits(bits(4)));
    }
    let (status, path, data) = happened(kind);
    let sealed = SealedEntry {
        sequence: 8123,
        entry: Entry {
            id: AuditId::from_bits(bits(5)),
            kind: EntryKind::Event(kind),
            timestamp: WHEN,
            operation: String::new(),
            user: String::new(),
            status,
            ip_address: None,
            transfer: kind.as_str().starts_with("transfer.").then_some(transfer),
            principal: None,
            request: None,
            decision: None,
            subject: Subject {
                id: None,
                path: path.map(str::to_owned),
            },
            data: data.to_string(),
        },
    };
    event_body(tenant, &sealed)
}

/// How it ended, where, and the facts.
fn happened(kind: EventType) -> (Outcome, Option<&'static str>, Value) {
    let file = FileId::from_bits(bits(2));
    let transfer = TransferId::from_bits(bits(3));
    let webhook = WebhookId::from_bits(bits(4));
    match kind {
        EventType::FileUploaded => (
            Outcome::Success,
            Some("/reports/report.csv"),
            file_facts(file, "available", &json!({"replaced_file_id": null})),
        ),
        EventType::FileDownloaded => (
            Outcome::Success,
            Some("/reports/report.csv"),
            file_facts(file, "available", &json!({"from": 0, "to": 26})),
        ),
        EventType::FileDeleted => (
            Outcome::Success,
            Some("/reports/report.csv"),
            file_facts(file, "deleted", &json!({"purged": false})),
        ),
        EventType::TransferCreated => transferred(transfer, "queued", 0),
        EventType::TransferStarted => transferred(transfer, "running", 1),
        EventType::TransferCompleted => transferred(transfer, "completed", 1),
        EventType::TransferFailed => transferred(transfer, "failed", 5),
        EventType::ScheduleFailed => (Outcome::Error, None, scheduled(Some("policy_denied"))),
        EventType::ScheduleMissed => (Outcome::Success, None, scheduled(None)),
        EventType::AlertOpened | EventType::AlertChanged | EventType::AlertEscalated => {
            (Outcome::Success, None, alerted("firing"))
        }
        EventType::AlertAcknowledged => (Outcome::Success, None, alerted("acknowledged")),
        EventType::AlertSnoozed => (Outcome::Success, None, alerted("snoozed")),
        EventType::AlertResolved => (Outcome::Success, None, alerted("resolved")),
        EventType::RemoteUnhealthy => (Outcome::Error, None, faring("unhealthy", "open")),
        EventType::RemoteRecovered => (Outcome::Success, None, faring("healthy", "closed")),
        EventType::CredentialExpiring => (
            Outcome::Success,
            None,
            json!({
                "remote_id": RemoteId::from_bits(bits(6)), "remote": "bank", "owner": "server",
                "subject": "CN=sftp.bank.example", "expires_at": "2026-11-27T09:14:03.512Z", "days": 6,
            }),
        ),
        EventType::FlowRunStarted
        | EventType::FlowRunCompleted
        | EventType::FlowRunFailed
        | EventType::FlowApprovalRequested
        | EventType::FlowNotified => flowed(kind),
        EventType::AuthFailed => (Outcome::Denied, None, json!({"reason": "revoked"})),
        EventType::PolicyViolated => (
            Outcome::Denied,
            Some("/reports/report.csv"),
            json!({"action": "FileWrite", "reason": "the credential lacks the scope files:write"}),
        ),
        EventType::WebhookDisabled => (
            Outcome::Success,
            None,
            json!({"webhook_id": webhook, "reason": "The receiver answered 410 Gone."}),
        ),
        EventType::Ping => (Outcome::Success, None, Value::Null),
    }
}

const HASH: &str = "6330f05349c4373a84fbc2393357b14bdba92493af4dc5af74d4a08aef2151b3";

fn alerted(state: &str) -> Value {
    let id = AlertId::from_bits(bits(7));
    json!({
        "alert_id": id,
        "alert_rule_id": AlertRuleId::from_bits(bits(8)),
        "rule_name": "prices",
        "kind": "expected_file",
        "severity": "critical",
        "state": state,
        "subject": "2026-11-21T01:00:00.000Z",
        "problem": "missing",
        "summary": "/in/*.csv: None of 1 files came.",
        "facts": {
            "opens_at": "2026-11-21T01:00:00.000Z",
            "closes_at": "2026-11-21T03:00:00.000Z",
            "files_wanted": 1,
            "files": 0,
            "files_too_small": 0,
        },
        "recipients": ["ops"],
        "opened_at": "2026-11-21T03:00:00.214Z",
        "snoozed_until": (state == "snoozed").then_some("2026-11-21T12:00:00.000Z"),
        "links": {"self": format!("/v1/alerts/{id}")},
    })
}

fn scheduled(error_code: Option<&str>) -> Value {
    json!({
        "schedule_id": ScheduleId::from_bits(bits(6)),
        "name": "nightly",
        "due_at": WHEN,
        "missed": if error_code.is_some() { 0 } else { 3 },
        "error_code": error_code,
        "error_message": error_code.map(|_| "Policy refused this: no role of the caller permits it."),
    })
}

fn file_facts(file: FileId, state: &str, more: &Value) -> Value {
    let mut facts = json!({
        "file_id": file,
        "state": state,
        "version": 1,
        "size": 26,
        "hash": HASH,
        "links": {"self": format!("/v1/files/{file}"), "download": format!("/v1/files/{file}/download")},
    });
    if let (Some(facts), Some(more)) = (facts.as_object_mut(), more.as_object()) {
        facts.extend(more.clone());
    }
    facts
}

fn transferred(
    transfer: TransferId,
    state: &str,
    attempt: u32,
) -> (Outcome, Option<&'static str>, Value) {
    let is_good = state == "completed";
    let (outcome, code, message) = match state {
        "completed" => (Some("succeeded"), None, None),
        "failed" => (
            Some("error"),
            Some("remote_unreachable"),
            Some("Remote `bank` did not answer."),
        ),
        _ => (None, None, None),
    };
    let data = json!({
        "transfer_id": transfer,
        "state": state,
        "outcome": outcome,
        "error_code": code,
        "error_message": message,
        "source": "/reports/report.csv",
        "destination": "bank:/in/report.csv",
        "bytes_total": (attempt > 0).then_some(26),
        "bytes_done": if is_good { 26 } else { 0 },
        "files_total": 1,
        "attempt": attempt,
        "hash": is_good.then_some(HASH),
        "file_id": null,
        "label": "nightly",
        "links": {"self": format!("/v1/transfers/{transfer}")},
    });
    (Outcome::Success, None, data)
}

fn faring(state: &str, circuit: &str) -> Value {
    json!({
        "remote_id": RemoteId::from_bits(bits(6)),
        "remote": "bank",
        "state": state,
        "circuit": circuit,
        "error_code": "remote_unreachable",
        "error_message": "Remote `bank` did not answer.",
        "unhealthy_since": (state == "healthy").then_some(WHEN),
    })
}

/// What a run of a flow tells: the same facts as in the catalogue's examples.
fn flowed(kind: EventType) -> (Outcome, Option<&'static str>, Value) {
    let example = bailee_core::example_event(TenantId::from_bits(bits(1)), kind);
    let outcome = match kind {
        EventType::FlowRunFailed => Outcome::Error,
        _ => Outcome::Success,
    };
    let data = example.get("data").cloned().unwrap_or_default();
    (outcome, None, data)
}

fn ping(tenant: TenantId, webhook: WebhookId) -> Value {
    json!({
        "type": EventType::Ping.as_str(),
        "timestamp": WHEN,
        "event_id": bailee_model::EventId::from_bits(bits(5)),
        "tenant_id": tenant,
        "sequence": 0,
        "transfer_id": null,
        "file_id": null,
        "webhook_id": webhook,
        "status": null,
        "data": {"test": true, "webhook_id": webhook},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_name_their_subject_at_the_top() {
        for kind in EventType::ALL {
            let example = example(*kind);
            assert_eq!(
                example.get("type").and_then(Value::as_str),
                Some(kind.as_str())
            );
            let is_named = |key: &str| example.get(key).is_some_and(Value::is_string);
            match kind.as_str().split_once('.') {
                Some(("file", _)) => assert!(is_named("file_id"), "{example}"),
                Some(("transfer", _)) => assert!(is_named("transfer_id"), "{example}"),
                _ => {}
            }
        }
    }
}
