use crate::{Migration, Sql};

/// The schema, step by step; see docs/migrations.md.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "first",
        text: include_str!("../migrations/0001_first.sql"),
        tenant_tables: &[
            "tenant",
            "usage_total",
            "principal",
            "api_key",
            "folder",
            "file",
            "blob",
            "extent",
            "reservation",
            "blob_garbage",
            "upload",
            "part",
            "transfer",
            "bundle",
            "remote",
            "webhook",
            "delivery",
            "job",
            "journal",
            "journal_head",
            "checkpoint",
            "journal_cursor",
            "idempotency",
        ],
    },
    Migration {
        number: 2,
        name: "pgp_keys",
        text: include_str!("../migrations/0002_pgp_keys.sql"),
        tenant_tables: &["pgp_key"],
    },
    Migration {
        number: 3,
        name: "time",
        text: include_str!("../migrations/0003_time.sql"),
        tenant_tables: &[
            "calendar",
            "schedule",
            "schedule_run",
            "alert_rule",
            "alert_count",
            "alert_habit",
            "alert",
        ],
    },
    Migration {
        number: 5,
        name: "remotes",
        text: include_str!("../migrations/0005_remotes.sql"),
        tenant_tables: &["remote_health"],
    },
    Migration {
        number: 6,
        name: "receipts",
        text: include_str!("../migrations/0006_receipts.sql"),
        tenant_tables: &["journal_node"],
    },
];

/// Every statement of this crate with its name, so that a test can prepare each on both databases.
pub fn statements() -> Vec<(&'static str, Sql)> {
    [
        crate::alert::STATEMENTS,
        crate::alert_rule::STATEMENTS,
        crate::api_key::STATEMENTS,
        crate::bundle::STATEMENTS,
        crate::calendar::STATEMENTS,
        crate::delivery::STATEMENTS,
        crate::extent::STATEMENTS,
        crate::file::STATEMENTS,
        crate::folder::STATEMENTS,
        crate::idempotency::STATEMENTS,
        crate::identity::STATEMENTS,
        crate::job::STATEMENTS,
        crate::journal::STATEMENTS,
        crate::pgp_key::STATEMENTS,
        crate::principal::STATEMENTS,
        crate::proof::STATEMENTS,
        crate::remote::STATEMENTS,
        crate::remote_health::STATEMENTS,
        crate::schedule::STATEMENTS,
        crate::sweep::STATEMENTS,
        crate::tenant::STATEMENTS,
        crate::transfer::STATEMENTS,
        crate::upload::STATEMENTS,
        crate::webhook::STATEMENTS,
    ]
    .concat()
}
