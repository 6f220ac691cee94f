//! Rows: everything that Bailee remembers, on SQLite or PostgreSQL, from one SQL text.
//!
//! Whoever holds a [`Permit`] opens a [`Change`] or a [`Reader`] on the rows of its tenant. There are three doors
//! without a permit: [`Store::identity`] (credentials, before a tenant is known), [`Store::facts`] (what the gate
//! must know to decide) and [`Store::queue`] (job leases, sealing, sweeping). Rows never leave: nouns do.

mod alert;
mod alert_rule;
mod api_key;
mod bundle;
mod calendar;
mod change;
mod channel;
mod consumer;
pub mod db;
mod delivery;
mod extent;
mod facts;
mod file;
mod flow;
mod folder;
mod idempotency;
mod identity;
mod job;
mod journal;
mod pgp_key;
mod principal;
mod proof;
mod queue;
mod reader;
mod reference;
mod remote;
mod remote_health;
mod rows;
mod schedule;
mod schema;
mod secret;
mod sweep;
mod tenant;
mod transfer;
mod upload;
mod webhook;

/// The names of the conflicts that a [`Change`] can be answered with.
pub mod conflict {
    pub use crate::alert::{OPEN as ALERT_OPEN, REVISION as ALERT_REVISION};
    pub use crate::alert_rule::CONFLICT as ALERT_RULE;
    pub use crate::api_key::LIMIT as KEY_LIMIT;
    pub use crate::bundle::LISTED_ALREADY;
    pub use crate::calendar::CONFLICT as CALENDAR;
    pub use crate::channel::{CHANNEL, SENT as PUBLICATION_SENT, SUBSCRIBER};
    pub use crate::file::SOURCE;
    pub use crate::flow::{
        BUSY as FLOW_BUSY, HOOK_CHANGED as FLOW_HOOK, KEY_KNOWN as FLOW_RUN_KEY,
        LIMIT as FLOW_LIMIT, REVISION as FLOW_REVISION, RUN_REVISION as FLOW_RUN_REVISION,
        STEP_REVISION as FLOW_STEP_REVISION,
    };
    pub use crate::folder::PLACE;
    pub use crate::idempotency::KEY_USED;
    pub use crate::identity::{SETTING_SET, TENANT_NAME};
    pub use crate::job::FENCE;
    pub use crate::journal::HEAD_MOVED;
    pub use crate::pgp_key::{REVISION as PGP_KEY_REVISION, TAKEN as PGP_KEY_TAKEN};
    pub use crate::principal::{CHANGED as PRINCIPAL_CHANGED, NAME as PRINCIPAL_NAME};
    pub use crate::reference::{GONE as REFERENCE_GONE, IN_USE as REFERENCE_IN_USE};
    pub use crate::remote::NAME as REMOTE_NAME;
    pub use crate::remote_health::CHANGED as REMOTE_HEALTH;
    pub use crate::schedule::{CONFLICT as SCHEDULE, RAN as SCHEDULE_RAN};
    pub use crate::secret::{
        GONE as SECRET_GONE, REVISION as SECRET_REVISION, TAKEN as SECRET_TAKEN,
    };
    pub use crate::tenant::{CHANGED as TENANT_CHANGED, QUOTA};
    pub use crate::transfer::REVISION as TRANSFER_REVISION;
    pub use crate::upload::{
        MOVED as UPLOAD_MOVED, OPEN as UPLOAD_OPEN, PART_RACE, TOO_LARGE as UPLOAD_TOO_LARGE,
    };
    pub use crate::webhook::{LIMIT as WEBHOOK_LIMIT, REVISION as WEBHOOK_REVISION};
}

pub use alert::AlertFilter;
pub use alert_rule::Counted;
pub use bundle::{Ended, Listed, aside};
pub use change::Change;
pub use db::{
    Db, DbError, Durability, Guard, IntoValue, Migration, PgOptions, PgUrl, Row, Scope, Script, Sql,
};
pub use db::{SqliteOptions, Value};
pub use delivery::DeliveryFilter;
pub use facts::FactsDoor;
pub use file::FileFilter;
pub use flow::{FlowRow, RunFilter};
pub use idempotency::{NewRequest, Remembered, RequestKey};
pub use identity::{FoundHook, FoundKey, IdentityDoor};
pub use job::Want;
pub use journal::{AuditFilter, EventFilter, Head, StoredEntry, UnsealedEntry};
pub use proof::JournalNode;
pub use queue::QueueDoor;
pub use reader::Reader;
pub use schema::{MIGRATIONS, statements};
pub use sweep::ScrubItem;
pub use transfer::TransferFilter;
pub use upload::{HashedPrefix, Progress};
pub use webhook::lane as webhook_lane;

use bailee_auth::Permit;
use bailee_model::TenantId;

/// The rows of an installation. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: Db,
}

impl Store {
    /// Over an open database whose schema is up to date.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Opens a change to the rows of the permit's tenant: the work of its request. Where that is marked, the change
    /// must say what it makes ([`Change::made`]), or it does not commit.
    pub fn change(&self, permit: &Permit) -> Change {
        Change::marked(self.db.clone(), permit)
    }

    /// Opens a change that stands beside the work of a request and may happen again when the request is repeated: a
    /// reservation, an entry about a look.
    pub fn aside(&self, permit: &Permit) -> Change {
        Change::new(self.db.clone(), permit.tenant())
    }

    /// Reads rows of the permit's tenant.
    pub fn reader(&self, permit: &Permit) -> Reader {
        Reader::new(self.db.clone(), permit.tenant())
    }

    /// Door without permit 1: credentials, before a tenant is known, and the making of tenants.
    pub fn identity(&self) -> IdentityDoor {
        IdentityDoor::new(self.db.clone())
    }

    /// Door without permit 2: what the gate must know of a thing to decide about it.
    pub fn facts(&self, tenant: TenantId) -> FactsDoor {
        FactsDoor::new(Reader::new(self.db.clone(), tenant))
    }

    /// Door without permit 3: job leases, sealing of the journal, sweeping.
    pub fn queue(&self) -> QueueDoor {
        QueueDoor::new(self.db.clone())
    }

    /// Rises after every durable commit.
    pub fn committed(&self) -> tokio::sync::watch::Receiver<u64> {
        self.db.committed()
    }

    /// Waits for what is under way and closes the database.
    pub async fn close(&self) {
        self.db.close().await;
    }
}
