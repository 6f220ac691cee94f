//! The named bounds that a client or an operator can run into.

use std::fmt::Write as _;
use std::time::Duration;

use bailee_model::limit;

const HEAD: &str = "\
Bounds that no setting moves. Those that settings move are in [configuration.md](configuration.md): connections, headers,
time-outs, request rates, the largest file.

Values are exact; sizes are in bytes.
";

pub(super) fn page() -> String {
    let mut page = format!("# Limits\n\n{}\n\n{HEAD}", super::MADE);
    let groups = [
        ("Names and paths", names()),
        ("Files and uploads", uploads()),
        ("Requests", requests()),
        ("Keys", keys()),
        ("Transfers", transfers()),
        ("Webhooks", webhooks()),
        ("Schedules and calendars", schedules()),
        ("Channels", channels()),
        ("Alerts", alerts()),
    ];
    for (title, rows) in groups {
        let _ = write!(page, "\n## {title}\n\n| What | Bound |\n|---|---|\n");
        for (what, bound) in rows {
            let _ = writeln!(page, "| {what} | {bound} |");
        }
    }
    page
}

type Rows = Vec<(&'static str, String)>;

fn channels() -> Rows {
    vec![
        ("Channels of one tenant", limit::CHANNELS_MAX.to_string()),
        (
            "Subscribers of one channel",
            limit::SUBSCRIBERS_MAX.to_string(),
        ),
        (
            "Channels through which one file goes",
            limit::CHANNEL_HOPS_MAX.to_string(),
        ),
        (
            "It is remembered that a file was handed on",
            time(limit::PUBLICATION_KEPT),
        ),
    ]
}

fn schedules() -> Rows {
    vec![
        ("Schedules of one tenant", limit::SCHEDULES_MAX.to_string()),
        ("Calendars of one tenant", limit::CALENDARS_MAX.to_string()),
        ("Holidays of a calendar", limit::HOLIDAYS_MAX.to_string()),
        ("Cron expression", bytes(limit::CRON_BYTES_MAX as u64)),
        (
            "Spread of runs, in seconds",
            limit::JITTER_SECONDS_MAX.to_string(),
        ),
        (
            "Runs that make up for missed times",
            limit::MISFIRE_RUNS_MAX.to_string(),
        ),
        (
            "Runs of a schedule that are kept",
            limit::SCHEDULE_RUNS_KEPT.to_string(),
        ),
    ]
}

fn alerts() -> Rows {
    vec![
        (
            "Alert rules of one tenant",
            limit::ALERT_RULES_MAX.to_string(),
        ),
        (
            "Time over which a rule counts, in minutes",
            limit::ALERT_MINUTES_MAX.to_string(),
        ),
        ("Recipients of a rule", limit::RECIPIENTS_MAX.to_string()),
        ("Sleep of an alert", time(limit::SNOOZE_MAX)),
        ("Resolved alerts are kept", time(limit::ALERT_KEPT)),
        (
            "Lines of an alert's history",
            limit::ALERT_HISTORY_MAX.to_string(),
        ),
    ]
}

fn names() -> Rows {
    vec![
        (
            "Name of a file or folder, UTF-8 after NFC",
            bytes(limit::NAME_BYTES_MAX as u64),
        ),
        ("Path", bytes(limit::PATH_BYTES_MAX as u64)),
        ("Depth of folders", limit::PATH_DEPTH_MAX.to_string()),
        ("Tags of a file", limit::TAGS_MAX.to_string()),
        (
            "Metadata entries of a file",
            limit::METADATA_ENTRIES_MAX.to_string(),
        ),
        (
            "Metadata key, or tag",
            bytes(limit::METADATA_KEY_BYTES_MAX as u64),
        ),
        (
            "Metadata value",
            bytes(limit::METADATA_VALUE_BYTES_MAX as u64),
        ),
        (
            "Label, name or description",
            bytes(limit::TEXT_BYTES_MAX as u64),
        ),
    ]
}

fn uploads() -> Rows {
    vec![
        (
            "File; `uploads.max_file_bytes` can lower it",
            bytes(limit::FILE_BYTES_MAX),
        ),
        (
            "`part_size` that a client may plan with, least",
            bytes(limit::PART_SIZE_MIN),
        ),
        (
            "`part_size` when the client names none",
            bytes(limit::PART_SIZE_DEFAULT),
        ),
        ("Part", bytes(limit::PART_BYTES_MAX)),
        ("Parts of one upload", limit::PARTS_MAX.to_string()),
        (
            "Parts of one upload under way at once",
            limit::PART_CONCURRENCY_MAX.to_string(),
        ),
        (
            "Open uploads of a tenant",
            limit::OPEN_UPLOADS_MAX.to_string(),
        ),
        (
            "Life of an upload after its last part",
            time(limit::UPLOAD_LIFE),
        ),
        (
            "Time in the trash when the tenant sets nothing",
            time(limit::TRASH_LIFE),
        ),
        ("Ranges in one download", limit::RANGES_MAX.to_string()),
    ]
}

fn requests() -> Rows {
    vec![
        ("JSON body", bytes(limit::JSON_BODY_BYTES_MAX as u64)),
        (
            "Text field of a multipart upload",
            bytes(limit::FORM_FIELD_BYTES_MAX),
        ),
        (
            "Fields of a multipart upload",
            limit::FORM_FIELDS_MAX.to_string(),
        ),
        (
            "Page, when the client names no `limit`",
            limit::PAGE_DEFAULT.to_string(),
        ),
        ("Page, most", limit::PAGE_MAX.to_string()),
        ("Life of a cursor", time(limit::CURSOR_LIFE)),
        ("`wait` of a long poll", time(limit::WAIT_MAX)),
        (
            "Idempotency key, characters",
            limit::IDEMPOTENCY_KEY_MAX.to_string(),
        ),
        (
            "Time for which an answer is kept for its idempotency key",
            time(limit::IDEMPOTENCY_LIFE),
        ),
    ]
}

fn keys() -> Rows {
    vec![
        (
            "Life of an API key when the client names none",
            time(limit::KEY_LIFE),
        ),
        (
            "Time for which the old secret stays good after a rotation, most",
            time(limit::KEY_GRACE_MAX),
        ),
        (
            "Time until a revocation is seen by every node, most",
            time(limit::CREDENTIAL_CACHE),
        ),
    ]
}

fn transfers() -> Rows {
    vec![
        (
            "Tries when the client names none",
            limit::TRANSFER_ATTEMPTS.to_string(),
        ),
        ("Tries, most", limit::TRANSFER_ATTEMPTS_MAX.to_string()),
        (
            "Transfers of a tenant that have not ended; `transfers.open_per_tenant` moves it",
            limit::OPEN_TRANSFERS_MAX.to_string(),
        ),
        (
            "Transfers under way at once on one node; `transfers.running` moves it",
            limit::TRANSFERS_RUNNING.to_string(),
        ),
        (
            "Of these, of one tenant; `transfers.running_per_tenant` moves it",
            limit::TRANSFERS_RUNNING_PER_TENANT.to_string(),
        ),
        (
            "Files of one transfer",
            limit::TRANSFER_FILES_MAX.to_string(),
        ),
        (
            "Files that a plan (`dry_run`) looks at, and that it names",
            format!("{}, {}", limit::PLAN_LOOKS_MAX, limit::PLAN_FILES_MAX),
        ),
        (
            "Bytes after which a checkpoint is stored at the latest",
            bytes(limit::CHECKPOINT_BYTES),
        ),
        (
            "Time until another node takes over from one that died",
            time(limit::LEASE),
        ),
    ]
}

fn webhooks() -> Rows {
    let delays: Vec<_> = limit::DELIVERY_DELAYS_SECONDS
        .iter()
        .map(|seconds| time(Duration::from_secs(*seconds)))
        .collect();
    vec![
        ("Waits before each try of a delivery", delays.join(", ")),
        (
            "Time that a receiver has for its answer",
            time(limit::DELIVERY_TIMEOUT),
        ),
        (
            "Deliveries to one webhook under way at once",
            limit::DELIVERIES_PER_WEBHOOK.to_string(),
        ),
        (
            "Time of failures in a row after which a webhook is disabled",
            time(limit::WEBHOOK_DISABLE_AFTER),
        ),
        (
            "Time for which deliveries are kept",
            time(limit::DELIVERY_KEPT),
        ),
        (
            "Time for which the old secret still signs after a rotation, most",
            time(limit::WEBHOOK_GRACE_MAX),
        ),
    ]
}

/// The number, and in the largest unit that divides it.
fn bytes(count: u64) -> String {
    const UNITS: [(&str, u64); 4] = [
        ("TiB", 1 << 40),
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
    ];
    match UNITS
        .iter()
        .find(|(_, size)| count >= *size && count.is_multiple_of(*size))
    {
        Some((unit, size)) => format!("{count} ({} {unit})", count / size),
        None => count.to_string(),
    }
}

/// In the largest unit that divides it; weeks and months are left to the reader.
fn time(span: Duration) -> String {
    const UNITS: [(&str, u64); 3] = [("d", 86_400), ("h", 3_600), ("min", 60)];
    let seconds = span.as_secs();
    match UNITS
        .iter()
        .find(|(_, size)| seconds >= *size && seconds.is_multiple_of(*size))
    {
        Some((unit, size)) => format!("{} {unit}", seconds / size),
        None => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_in_the_unit_that_divides_them() {
        assert_eq!(bytes(64 * 1024), "65536 (64 KiB)");
        assert_eq!(bytes(255), "255");
        assert_eq!(time(Duration::from_mins(90)), "90 min");
        assert_eq!(time(Duration::from_hours(48)), "2 d");
        assert_eq!(time(Duration::from_secs(5)), "5 s");
    }
}
