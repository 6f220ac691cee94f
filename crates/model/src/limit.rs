//! Every technical bound has a name here. Configuration moves some of them within these bounds.

use std::time::Duration;

/// Longest name of a file or folder, in bytes of UTF-8 after NFC.
pub const NAME_BYTES_MAX: usize = 255;
/// Longest path, in bytes.
pub const PATH_BYTES_MAX: usize = 4096;
/// Deepest folder.
pub const PATH_DEPTH_MAX: usize = 64;

/// Content up to this many bytes is sealed into the row store instead of a file of its own.
pub const INLINE_BYTES_MAX: usize = 64 * 1024;
/// Largest single-request upload and largest file, in bytes (5 TiB).
pub const FILE_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024 * 1024;
/// Smallest `part_size` a client may plan with.
pub const PART_SIZE_MIN: u64 = 64 * 1024;
/// `part_size` when the client names none.
pub const PART_SIZE_DEFAULT: u64 = 8 * 1024 * 1024;
/// Largest part.
pub const PART_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Most parts in one upload.
pub const PARTS_MAX: u32 = 10_000;
/// How many parts of one upload may be sent at once.
pub const PART_CONCURRENCY_MAX: u32 = 16;
/// How long an upload lives after its last part.
pub const UPLOAD_LIFE: Duration = Duration::from_hours(168);
/// Most open uploads of one tenant.
pub const OPEN_UPLOADS_MAX: u64 = 10_000;

/// How long a reservation protects bytes that no row names yet.
pub const RESERVATION_LIFE: Duration = Duration::from_hours(24);
/// How long a blob without a name rests before the sweeper removes it.
pub const BLOB_GRACE: Duration = Duration::from_mins(1);
/// How long deleted files stay in the trash when the tenant sets nothing.
pub const TRASH_LIFE: Duration = Duration::from_hours(168);

/// Page size when the client names none.
pub const PAGE_DEFAULT: u32 = 50;
/// Largest page.
pub const PAGE_MAX: u32 = 500;
/// How long a cursor is good.
pub const CURSOR_LIFE: Duration = Duration::from_hours(24);

/// Largest JSON body, in bytes.
pub const JSON_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Largest text field of a multipart upload, in bytes.
pub const FORM_FIELD_BYTES_MAX: u64 = 64 * 1024;
/// Most fields of a multipart upload.
pub const FORM_FIELDS_MAX: usize = 64;
/// Most custom metadata entries of a file.
pub const METADATA_ENTRIES_MAX: usize = 64;
/// Longest key or tag, in bytes.
pub const METADATA_KEY_BYTES_MAX: usize = 128;
/// Longest metadata value, in bytes.
pub const METADATA_VALUE_BYTES_MAX: usize = 4096;
/// Largest metadata of a file, keys and values together, in bytes.
pub const METADATA_BYTES_MAX: usize = 8 * 1024;
/// Most tags of a file.
pub const TAGS_MAX: usize = 64;
/// Longest free text (label, name, description), in bytes.
pub const TEXT_BYTES_MAX: usize = 512;
/// Longest idempotency key, in characters.
pub const IDEMPOTENCY_KEY_MAX: usize = 255;
/// How long an answer is kept for its idempotency key.
pub const IDEMPOTENCY_LIFE: Duration = Duration::from_hours(24);
/// Largest answer body that is kept for an idempotency key, in bytes.
pub const IDEMPOTENCY_BODY_BYTES_MAX: usize = 256 * 1024;
/// Most ranges answered in one multipart/byteranges body.
pub const RANGES_MAX: usize = 16;

/// Life of an API key when the client names none.
pub const KEY_LIFE: Duration = Duration::from_hours(2160);
/// Longest time for which an old secret stays good after a rotation.
pub const KEY_GRACE_MAX: Duration = Duration::from_hours(720);
/// Most keys of one principal that are good at the same time.
pub const LIVE_KEYS_MAX: u64 = 100;
/// How old a cached credential may be: revocation is seen everywhere within this time.
pub const CREDENTIAL_CACHE: Duration = Duration::from_secs(2);

/// How long is waited for an entry to be sealed that was committed a moment ago.
pub const SEALED_WITHIN: Duration = Duration::from_secs(5);
/// Longest a long poll is held.
pub const WAIT_MAX: Duration = Duration::from_mins(1);
/// How long a poll rests after a commit before it reads again: commits of all tenants wake it.
pub const WAIT_REST: Duration = Duration::from_millis(100);
/// A transfer stores a checkpoint at least each so many bytes.
pub const CHECKPOINT_BYTES: u64 = 8 * 1024 * 1024;
/// A transfer stores a checkpoint at least this often.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(5);
/// How long a job may be held without a heartbeat.
pub const LEASE: Duration = Duration::from_secs(15);
/// How often a running job renews its lease.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// Tries of a transfer when the client names none.
pub const TRANSFER_ATTEMPTS: u32 = 5;
/// Most tries a client may ask for.
pub const TRANSFER_ATTEMPTS_MAX: u32 = 100;

/// Transfers of one tenant that have not ended.
pub const OPEN_TRANSFERS_MAX: u64 = 100_000;
/// Transfers under way at once on one node.
pub const TRANSFERS_RUNNING: usize = 20;
/// Of these, transfers of one tenant: the others must find a seat however long its own take.
pub const TRANSFERS_RUNNING_PER_TENANT: usize = 16;

/// Longest pattern for files, in bytes.
pub const GLOB_BYTES_MAX: usize = 512;
/// Most patterns of one transfer, to include and to exclude each.
pub const GLOBS_MAX: usize = 64;
/// Most sources that one transfer names.
pub const TRANSFER_SOURCES_MAX: usize = 10_000;
/// Most files of one transfer, so that an endless listing has an end.
pub const TRANSFER_FILES_MAX: u64 = 1_000_000;
/// Files that are queued in one go while a source is listed.
pub const TRANSFER_FILES_AT_ONCE: usize = 500;
/// Deepest folder below a transfer's source.
pub const TRANSFER_DEPTH_MAX: usize = 64;
/// Most folders that wait to be listed, in all.
pub const TRANSFER_FOLDERS_WAITING_MAX: usize = 100_000;
/// Files that the plan of a transfer shows.
pub const PLAN_FILES_MAX: usize = 100;
/// Transient failures in a row after which transfers with a remote wait.
pub const CIRCUIT_FAILURES: u32 = 5;
/// How long they wait before one of them tries again.
pub const CIRCUIT_WAIT: Duration = Duration::from_mins(1);
/// How many days before the end of a certificate it is told.
pub const EXPIRY_DAYS: [u32; 4] = [30, 14, 7, 1];
/// Shortest time between two looks at a remote, in seconds.
pub const HEALTH_CHECK_SECONDS_MIN: u32 = 60;
/// Longest time between two looks at a remote, in seconds.
pub const HEALTH_CHECK_SECONDS_MAX: u32 = 7 * 24 * 3600;
/// Windows of a remote.
pub const REMOTE_WINDOWS_MAX: usize = 64;
/// Flows and schedules that the users of a thing are told of.
pub const USERS_TOLD_MAX: u32 = 100;
/// Open transfers that the users of a remote are told of.
pub const REMOTE_USES_MAX: u32 = 100;
/// Files that are looked at for the plan of a transfer.
pub const PLAN_LOOKS_MAX: u64 = 10_000;
/// Notes that a transfer keeps.
pub const TRANSFER_NOTES_MAX: usize = 16;
/// Smallest bandwidth of a transfer, in bytes per second.
pub const BANDWIDTH_MIN: u64 = 1024;

/// Most secrets of one tenant that remotes refer to.
pub const SECRETS_MAX: u64 = 1_000;
/// Longest value of a secret, in bytes.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;
/// For how long a secret that was read elsewhere is used without asking again.
pub const SECRET_FRESH: Duration = Duration::from_mins(1);
/// For how long a secret that was read elsewhere is used while its store does not answer.
pub const SECRET_STALE_MAX: Duration = Duration::from_hours(1);
/// Most OpenPGP keys of one tenant.
pub const PGP_KEYS_MAX: u64 = 1_000;
/// Longest armored or encoded OpenPGP key in a request, in bytes.
pub const PGP_KEY_TEXT_BYTES_MAX: usize = 768 * 1024;
/// Longest passphrase of an OpenPGP key, in bytes.
pub const PGP_PASSPHRASE_BYTES_MAX: usize = 1024;
/// Most OpenPGP keys that one step of a flow names in one place.
pub const STEP_KEYS_MAX: usize = 64;
/// Longest life of an OpenPGP key that is made here.
pub const PGP_KEY_LIFE_MAX: Duration = Duration::from_hours(24 * 3650);

/// Waits before each try of a delivery; the first is at once.
pub const DELIVERY_DELAYS_SECONDS: [u64; 10] = [
    0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400,
];
/// How long a receiver may take for its answer.
pub const DELIVERY_TIMEOUT: Duration = Duration::from_secs(15);
/// Most webhooks of one tenant.
pub const WEBHOOKS_MAX: u64 = 100;
/// Failures in a row over at least this time disable a webhook.
pub const WEBHOOK_DISABLE_AFTER: Duration = Duration::from_hours(120);
/// Deliveries to one webhook under way at once.
pub const DELIVERIES_PER_WEBHOOK: usize = 16;
/// Most deliveries in a second that a webhook's limit may name.
pub const WEBHOOK_RATE_MAX: u32 = 10_000;
/// Deliveries whose times a webhook's statistics are made of.
pub const WEBHOOK_TIMES_MAX: u32 = 1_000;
/// How far back a webhook's statistics look.
pub const WEBHOOK_STATS_SPAN: Duration = Duration::from_hours(24);
/// How long deliveries are kept.
pub const DELIVERY_KEPT: Duration = Duration::from_hours(720);
/// How long the event feed goes back.
pub const EVENTS_KEPT: Duration = Duration::from_hours(720);
/// How long an old webhook secret still signs after a rotation, at most.
pub const WEBHOOK_GRACE_MAX: Duration = Duration::from_hours(168);

/// Longest cron expression, in bytes.
pub const CRON_BYTES_MAX: usize = 256;
/// Most holidays of a calendar.
pub const HOLIDAYS_MAX: usize = 1_000;
/// Most calendars of one tenant.
pub const CALENDARS_MAX: u64 = 100;
/// Most schedules of one tenant.
pub const SCHEDULES_MAX: u64 = 1_000;
/// Longest time over which runs of a schedule are spread, in seconds.
pub const JITTER_SECONDS_MAX: u32 = 3_600;
/// Runs that make up for missed times when the client names no number.
pub const MISFIRE_RUNS_DEFAULT: u32 = 10;
/// Most runs that make up for missed times.
pub const MISFIRE_RUNS_MAX: u32 = 100;
/// How late a run may be when the client says nothing.
pub const MISFIRE_GRACE_DEFAULT: Duration = Duration::from_mins(5);
/// Longest time that a run may be late and still counts as on time, in seconds.
pub const MISFIRE_GRACE_SECONDS_MAX: u32 = 86_400;
/// Missed times of a schedule that are counted.
pub const MISSED_TIMES_MAX: usize = 1_000;
/// How far back the newest of uncounted missed times is looked for at first.
pub const MISSED_LOOK_FIRST: Duration = Duration::from_hours(1);
/// How far back it is looked for at most: ten years.
pub const MISSED_LOOK_MAX: Duration = Duration::from_hours(87_600);
/// Coming times of a schedule that are shown at most.
pub const NEXT_TIMES_MAX: usize = 100;
/// Coming times that are shown when the client names no number.
pub const NEXT_TIMES_DEFAULT: usize = 10;
/// Runs that are kept of a schedule.
pub const SCHEDULE_RUNS_KEPT: u32 = 1_000;
/// Longest time after which transfers of a schedule expire, in seconds: a year.
pub const DEADLINE_SECONDS_MAX: u64 = 31_536_000;

/// Most alert rules of one tenant.
pub const ALERT_RULES_MAX: u64 = 500;
/// Lines of an alert's history that are kept.
pub const ALERT_HISTORY_MAX: usize = 100;
/// Alerts that one look of a rule opens at most.
pub const ALERTS_AT_ONCE_MAX: usize = 100;
/// How long alerts are kept after they were opened, if they are over.
pub const ALERT_KEPT: Duration = Duration::from_hours(2160);
/// Networks or credentials of a principal that are remembered.
pub const HABITS_MAX: usize = 256;
/// Longest time over which entries are counted, in minutes: a week.
pub const ALERT_MINUTES_MAX: u32 = 10_080;
/// Longest sleep of an alert.
pub const SNOOZE_MAX: Duration = Duration::from_hours(720);
/// Most recipients that an alert rule names.
pub const RECIPIENTS_MAX: usize = 20;
/// Most values in one list of a filter.
pub const FILTER_VALUES_MAX: usize = 50;
/// How often a rule is looked at though nothing happened.
pub const RULE_LOOK_EVERY: Duration = Duration::from_mins(1);
/// How soon a rule is looked at again that waits for the journal to be read.
pub const RULE_LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Windows of expected files that one look goes through at most.
pub const WINDOWS_AT_ONCE_MAX: usize = 31;
/// How long counts of expected files are kept.
pub const FILE_COUNTS_KEPT: Duration = Duration::from_hours(840);

/// Most channels of one tenant.
pub const CHANNELS_MAX: u64 = 200;
/// Most subscribers of one channel.
pub const SUBSCRIBERS_MAX: u64 = 200;
/// Most channels through which one file goes.
pub const CHANNEL_HOPS_MAX: u32 = 8;
/// How long it is remembered that a file was handed on, and can be asked for again.
pub const PUBLICATION_KEPT: Duration = Duration::from_hours(90 * 24);
/// Longest name of a flow, of a step and of a parameter, in bytes.
pub const FLOW_NAME_BYTES_MAX: usize = 64;
/// Longest text in a flow, before and after its holes are filled, in bytes.
pub const FLOW_TEXT_BYTES_MAX: usize = 4096;
/// Largest document of a flow, in bytes.
pub const FLOW_DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// Deepest nesting of parts of a condition.
pub const FLOW_CONDITION_DEPTH_MAX: usize = 32;
/// Longest time that a flow may name.
pub const FLOW_SPAN_MAX: Duration = Duration::from_hours(366 * 24);
/// Most steps of one flow, those within others too.
pub const FLOW_STEPS_MAX: usize = 200;
/// Deepest nesting of steps.
pub const FLOW_DEPTH_MAX: usize = 8;
/// Most triggers of one flow.
pub const FLOW_TRIGGERS_MAX: usize = 16;
/// Most parameters of one flow.
pub const FLOW_PARAMS_MAX: usize = 64;
/// Problems of a document that are told at once.
pub const FLOW_PROBLEMS_MAX: usize = 50;
/// Runs of one flow that may wait for their turn when its document names no number.
pub const FLOW_QUEUED_DEFAULT: u32 = 100;
/// Most runs of one flow that may wait for their turn.
pub const FLOW_QUEUED_MAX: u32 = 10_000;
/// Shortest and longest time between two looks of a flow's watch.
pub const FLOW_WATCH_EVERY: (Duration, Duration) =
    (Duration::from_secs(10), Duration::from_hours(24));
/// Most files at remotes that the watches of one flow know.
pub const FLOW_WATCH_FILES_MAX: usize = 10_000;
/// Largest body of a call of a flow's hook, in bytes.
pub const FLOW_HOOK_BODY_BYTES_MAX: usize = 64 * 1024;
/// Signatures of one call that are looked at.
pub const SIGNATURES_MAX: usize = 8;
/// How far the time of a call of a flow's hook may be from ours.
pub const FLOW_HOOK_SKEW: Duration = Duration::from_mins(5);
/// Most flows of one tenant.
pub const FLOWS_MAX: u64 = 1000;
/// Most files that a run carries from one step to the next.
pub const FLOW_FILES_MAX: usize = 10_000;
/// Most runs of flows in a row of which each is the cause of the next.
pub const FLOW_CHAIN_MAX: u32 = 8;
/// How long a question to a second person waits when the flow does not say.
pub const FLOW_APPROVAL_LIFE: Duration = Duration::from_hours(168);
