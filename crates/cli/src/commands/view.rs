//! Which columns each kind of thing has.

use crate::output::View;

pub(super) const IDENTITY: View = View {
    columns: &[],
    name: "principal_id",
};
pub(super) const FILE: View = View {
    columns: &[
        ("PATH", "path"),
        ("SIZE", "size"),
        ("CREATED", "created_at"),
        ("FILE", "file_id"),
    ],
    name: "path",
};
pub(super) const ENTRY: View = View {
    columns: &[
        ("TYPE", "type"),
        ("SIZE", "size"),
        ("CREATED", "created_at"),
        ("NAME", "name"),
        ("FILE", "file_id"),
    ],
    name: "path",
};
pub(super) const FOLDER: View = View {
    columns: &[("PATH", "path"), ("CREATED", "created_at")],
    name: "path",
};
pub(super) const TRANSFER: View = View {
    columns: &[
        ("TRANSFER", "transfer_id"),
        ("STATE", "state"),
        ("OUTCOME", "outcome"),
        ("SOURCE", "source"),
        ("DESTINATION", "destination"),
        ("BYTES", "bytes_done"),
        ("CREATED", "created_at"),
    ],
    name: "transfer_id",
};
pub(super) const TRANSFER_PLAN: View = View {
    columns: &[],
    name: "files_total",
};
pub(super) const PLANNED_FILE: View = View {
    columns: &[
        ("ACTION", "action"),
        ("SOURCE", "source"),
        ("DESTINATION", "destination"),
        ("SIZE", "size_bytes"),
        ("WHY", "reason"),
    ],
    name: "source",
};
pub(super) const TRANSFER_FILE: View = View {
    columns: &[
        ("STATE", "state"),
        ("SOURCE", "source"),
        ("DESTINATION", "destination"),
        ("SIZE", "size_bytes"),
        ("TRIES", "attempts"),
        ("ERROR", "error_message"),
    ],
    name: "source",
};
pub(super) const REMOTE: View = View {
    columns: &[
        ("NAME", "name"),
        ("KIND", "kind"),
        ("HOST", "host"),
        ("PORT", "port"),
        ("USER", "username"),
        ("HOST KEY", "host_key"),
        ("REMOTE", "remote_id"),
    ],
    name: "name",
};
pub(super) const REMOTE_STEP: View = View {
    columns: &[
        ("STEP", "name"),
        ("OK", "ok"),
        ("SECONDS", "duration_seconds"),
        ("DETAIL", "detail"),
        ("HINT", "hint"),
    ],
    name: "name",
};
pub(super) const REMOTE_CHILD: View = View {
    columns: &[
        ("TYPE", "type"),
        ("SIZE", "size"),
        ("MODIFIED", "modified_at"),
        ("NAME", "name"),
    ],
    name: "path",
};
pub(super) const REMOTE_HEALTH: View = View {
    columns: &[],
    name: "state",
};
pub(super) const REMOTE_USER: View = View {
    columns: &[
        ("TYPE", "type"),
        ("ID", "id"),
        ("STATE", "state"),
        ("DOES", "summary"),
    ],
    name: "id",
};
pub(super) const CONNECTOR: View = View {
    columns: &[("KIND", "kind"), ("DESCRIPTION", "description")],
    name: "kind",
};
pub(super) const SCHEDULE: View = View {
    columns: &[
        ("NAME", "name"),
        ("STATE", "state"),
        ("CRON", "cron"),
        ("ZONE", "time_zone"),
        ("NEXT", "next_at"),
        ("SCHEDULE", "schedule_id"),
    ],
    name: "name",
};
pub(super) const SCHEDULE_TIME: View = View {
    columns: &[("TIME", "at"), ("LOCAL", "local")],
    name: "at",
};
pub(super) const SCHEDULE_RUN: View = View {
    columns: &[
        ("DUE", "due_at"),
        ("OUTCOME", "outcome"),
        ("TRANSFER", "transfer_id"),
        ("MISSED", "missed"),
        ("ERROR", "error_message"),
    ],
    name: "due_at",
};
pub(super) const CALENDAR: View = View {
    columns: &[
        ("NAME", "name"),
        ("DAYS", "working_days"),
        ("CALENDAR", "calendar_id"),
    ],
    name: "name",
};
pub(super) const ALERT: View = View {
    columns: &[
        ("ALERT", "alert_id"),
        ("STATE", "state"),
        ("SEVERITY", "severity"),
        ("RULE", "rule_name"),
        ("PROBLEM", "problem"),
        ("OPENED", "opened_at"),
        ("SUMMARY", "summary"),
    ],
    name: "alert_id",
};
pub(super) const ALERT_RULE: View = View {
    columns: &[
        ("NAME", "name"),
        ("KIND", "kind"),
        ("SEVERITY", "severity"),
        ("ENABLED", "enabled"),
        ("RULE", "alert_rule_id"),
    ],
    name: "name",
};
pub(super) const SECRET: View = View {
    columns: &[
        ("NAME", "name"),
        ("KIND", "kind"),
        ("REFERENCE", "reference"),
        ("UPDATED", "updated_at"),
        ("SECRET", "secret_id"),
    ],
    name: "name",
};
pub(super) const PGP_KEY: View = View {
    columns: &[
        ("NAME", "name"),
        ("FINGERPRINT", "fingerprint"),
        ("SECRET", "has_secret"),
        ("USAGE", "usage"),
        ("TRUST", "trust"),
        ("STATE", "state"),
        ("EXPIRES", "expires_at"),
        ("KEY", "pgp_key_id"),
    ],
    name: "name",
};
pub(super) const FLOW: View = View {
    columns: &[
        ("NAME", "name"),
        ("ENABLED", "enabled"),
        ("VERSION", "version"),
        ("OWNER", "owner"),
        ("UPDATED", "updated_at"),
        ("FLOW", "flow_id"),
    ],
    name: "flow_id",
};
pub(super) const FLOW_WHOLE: View = View {
    columns: &[],
    name: "flow_id",
};
pub(super) const FLOW_VERSION: View = View {
    columns: &[
        ("VERSION", "version"),
        ("BY", "created_by"),
        ("CREATED", "created_at"),
    ],
    name: "version",
};
pub(super) const FLOW_WATCH: View = View {
    columns: &[
        ("PATH", "path"),
        ("FILES", "files"),
        ("WAITING", "files_waiting"),
        ("LOOKED", "looked_at"),
        ("NEXT", "next_at"),
        ("ERROR", "error_code"),
    ],
    name: "path",
};
pub(super) const FLOW_SECRET: View = View {
    columns: &[("FLOW", "flow_id"), ("SECRET", "secret")],
    name: "flow_id",
};
pub(super) const RUN: View = View {
    columns: &[
        ("RUN", "run_id"),
        ("FLOW", "flow"),
        ("STATE", "state"),
        ("TRIGGER", "trigger"),
        ("CREATED", "created_at"),
        ("ERROR", "error_message"),
    ],
    name: "run_id",
};
pub(super) const RUN_WHOLE: View = View {
    columns: &[],
    name: "run_id",
};
pub(super) const RUN_LOG: View = View {
    columns: &[
        ("SEQUENCE", "sequence"),
        ("TIME", "timestamp"),
        ("OPERATION", "operation"),
        ("STATUS", "status"),
        ("DATA", "data"),
    ],
    name: "sequence",
};
pub(super) const WEBHOOK: View = View {
    columns: &[
        ("WEBHOOK", "webhook_id"),
        ("STATE", "state"),
        ("URL", "url"),
        ("TYPES", "types"),
    ],
    name: "webhook_id",
};
pub(super) const WEBHOOK_STATS: View = View {
    columns: &[
        ("WEBHOOK", "webhook_id"),
        ("SUCCEEDED", "succeeded"),
        ("FAILED", "failed"),
        ("ABANDONED", "abandoned"),
        ("SCHEDULED", "scheduled"),
        ("P95_SECONDS", "p95_seconds"),
        ("FAILING_SINCE", "failing_since"),
    ],
    name: "webhook_id",
};
pub(super) const DELIVERY: View = View {
    columns: &[
        ("DELIVERY", "delivery_id"),
        ("STATE", "state"),
        ("TYPE", "event_type"),
        ("TRY", "attempt"),
        ("ANSWER", "answer_status"),
        ("SCHEDULED", "scheduled_at"),
        ("ERROR", "error"),
    ],
    name: "delivery_id",
};
pub(super) const KEY: View = View {
    columns: &[
        ("KEY", "key_id"),
        ("NAME", "name"),
        ("STATE", "state"),
        ("PRINCIPAL", "principal_id"),
        ("SCOPES", "scopes"),
        ("EXPIRES", "expires_at"),
    ],
    name: "key_id",
};
pub(super) const PROFILE: View = View {
    columns: &[
        ("NAME", "name"),
        ("CURRENT", "current"),
        ("URL", "url"),
        ("CA FILE", "ca_file"),
    ],
    name: "name",
};
pub(super) const AUDIT: View = View {
    columns: &[
        ("SEQUENCE", "sequence"),
        ("TIME", "timestamp"),
        ("OPERATION", "operation"),
        ("STATUS", "status"),
        ("USER", "user"),
        ("ADDRESS", "ip_address"),
        ("TRANSFER", "transfer_id"),
    ],
    name: "audit_id",
};
pub(super) const AUDIT_KEY: View = View {
    columns: &[
        ("NAME", "name"),
        ("ALGORITHM", "algorithm"),
        ("KEY", "verifier"),
    ],
    name: "verifier",
};
pub(super) const AUDIT_PROOF: View = View {
    columns: &[],
    name: "leaf_hash",
};
pub(super) const AUDIT_CONSISTENCY: View = View {
    columns: &[],
    name: "to",
};
pub(super) const RECEIPT: View = View {
    columns: &[],
    name: "transfer_id",
};
pub(super) const AUDIT_REPORT: View = View {
    columns: &[],
    name: "root",
};
pub(super) const EVENT: View = View {
    columns: &[
        ("SEQUENCE", "sequence"),
        ("TIME", "timestamp"),
        ("TYPE", "type"),
        ("STATUS", "status"),
    ],
    name: "event_id",
};
pub(super) const COMPARISON: View = View {
    columns: &[],
    name: "file_id",
};
pub(super) const CHANNEL: View = View {
    columns: &[
        ("NAME", "name"),
        ("STATE", "state"),
        ("FOLDER", "folder"),
        ("INCLUDE", "include"),
        ("CHANNEL", "channel_id"),
    ],
    name: "name",
};
pub(super) const SUBSCRIBER: View = View {
    columns: &[
        ("NAME", "name"),
        ("STATE", "state"),
        ("DESTINATION", "destination"),
        ("WEBHOOK", "webhook_id"),
        ("SUBSCRIBER", "subscriber_id"),
    ],
    name: "name",
};
pub(super) const PUBLICATION: View = View {
    columns: &[
        ("PATH", "path"),
        ("STATE", "state"),
        ("ARRIVED", "arrived_at"),
        ("REPLAYS", "replays"),
        ("TRANSFER", "transfer_id"),
        ("FILE", "file_id"),
    ],
    name: "file_id",
};
