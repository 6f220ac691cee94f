//! Transfers, as clients see them.

mod change;
mod files;
mod plan;
mod removal;
mod room;
mod rules;
mod shape;
mod steer;
mod submit;

use std::collections::BTreeMap;
use std::time::Duration;

use bailee_auth::{Action, Caller, Permit, Resource, Via};
use bailee_model::{
    End, Error, FlowRunId, Glob, KeyId, OnConflict, Page, PageRequest, Result, RetryRule, Same,
    Timestamp, Transfer, TransferId, Verify, limit,
};
use bailee_store::TransferFilter;
use serde::{Deserialize, Serialize};

use crate::gate::Ask;
use crate::{Core, error};

pub use change::TransferChange;
pub(crate) use files::is_late;
pub use files::{FoundFile, FoundFiles};
pub use plan::{PlanRequest, PlannedFate, PlannedFile, TransferPlan};
pub(crate) use room::Room;
pub(crate) use rules::{cancelled, transfer_facts};
pub use submit::{RetryFiles, parse_end};

/// The transfers of the caller's tenant.
pub struct Transfers<'a> {
    pub(crate) core: &'a Core,
}

/// A transfer to be submitted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewTransfer {
    /// From where. Counts for nothing where there are `sources`.
    pub source: End,
    /// From where, if many are named.
    pub sources: Vec<End>,
    /// Only files that one of these means.
    pub include: Vec<Glob>,
    /// No files that one of these means.
    pub exclude: Vec<Glob>,
    /// To where.
    pub destination: End,
    /// What is not sent again.
    pub same: Option<Same>,
    /// Whether the source is removed in the end.
    pub delete_source: bool,
    /// Whether the copy shall have the source's time.
    pub preserve_time: bool,
    /// Bytes per second.
    pub bandwidth: Option<u64>,
    /// For people.
    pub label: Option<String>,
    /// Lower runs first.
    pub priority: i32,
    /// How the copy is checked.
    pub verify: Verify,
    /// What happens when the destination is occupied.
    pub on_conflict: OnConflict,
    /// When transient faults are tried again.
    pub retry: RetryRule,
    /// After this it ends with outcome `expired`.
    pub deadline: Option<Timestamp>,
    /// Not before this.
    pub start_at: Option<Timestamp>,
    /// Whether the owner wants a notice of its own.
    pub notify_on_completion: bool,
    /// Custom entries.
    pub metadata: BTreeMap<String, String>,
}

impl NewTransfer {
    /// A transfer with every default.
    pub fn new(source: End, destination: End) -> Self {
        Self {
            source,
            sources: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            destination,
            same: None,
            delete_source: false,
            preserve_time: false,
            bandwidth: None,
            label: None,
            priority: 0,
            verify: Verify::default(),
            on_conflict: OnConflict::default(),
            retry: RetryRule::default(),
            deadline: None,
            start_at: None,
            notify_on_completion: false,
            metadata: BTreeMap::new(),
        }
    }
}

impl Transfers<'_> {
    /// One transfer.
    pub async fn get(&self, caller: &Caller, id: TransferId) -> Result<Transfer> {
        let (_, transfer) = self
            .find(caller, "transfers.get", Action::TransferRead, id)
            .await?;
        Ok(transfer)
    }

    /// Transfers, newest first. A key that is bound to paths sees the transfers that it asked for.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: TransferFilter,
        page: PageRequest,
    ) -> Result<Page<Transfer>> {
        let ask = Ask {
            operation: "transfers.list",
            action: Action::TransferRead,
            resource: &Resource::Tenant,
            what: "transfer",
        };
        let permit = self.core.enter(caller, ask).await?;
        let mut found = self
            .core
            .store
            .reader(&permit)
            .transfers(&filter, &page)
            .await
            .map_err(error::from_db)?;
        found.data.retain(|transfer| is_shown(caller, transfer));
        Ok(found)
    }

    /// Holds the answer until the transfer is past `revision`, it ends, or `wait` is over.
    pub async fn wait(
        &self,
        caller: &Caller,
        id: TransferId,
        revision: u64,
        wait: Duration,
    ) -> Result<Transfer> {
        let mut changes = self.core.changes();
        let deadline = tokio::time::Instant::now() + wait.min(limit::WAIT_MAX);
        loop {
            changes.borrow_and_update();
            let transfer = self.get(caller, id).await?;
            if transfer.revision > revision || transfer.state.is_final() || self.core.is_draining()
            {
                return Ok(transfer);
            }
            if tokio::time::timeout_at(deadline, changes.changed())
                .await
                .is_err()
            {
                return Ok(transfer);
            }
            tokio::time::sleep(limit::WAIT_REST).await;
        }
    }

    /// The same for a transfer that the caller has just made: whoever may ask for one may learn how it ends.
    pub async fn wait_for_own(
        &self,
        caller: &Caller,
        made: &Transfer,
        wait: Duration,
    ) -> Result<Transfer> {
        let mut changes = self.core.changes();
        let deadline = tokio::time::Instant::now() + wait.min(limit::WAIT_MAX);
        loop {
            changes.borrow_and_update();
            let facts = self.core.store.facts(caller.tenant());
            let found = facts.transfer(made.id).await.map_err(error::from_db)?;
            let found = found.unwrap_or_else(|| made.clone());
            if found.state.is_final() || self.core.is_draining() {
                return Ok(found);
            }
            if tokio::time::timeout_at(deadline, changes.changed())
                .await
                .is_err()
            {
                return Ok(found);
            }
            tokio::time::sleep(limit::WAIT_REST).await;
        }
    }

    pub(crate) async fn find(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
        id: TransferId,
    ) -> Result<(Permit, Transfer)> {
        let facts = self.core.store.facts(caller.tenant());
        let found = facts.transfer(id).await.map_err(error::from_db)?;
        let found = found.filter(|transfer| is_shown(caller, transfer));
        let Some(transfer) = found else {
            self.core
                .refuse_without_scope(caller, operation, action, &Resource::Tenant)
                .await?;
            return Err(Error::not_found("transfer"));
        };
        let resource = Resource::Transfer {
            owner: transfer.created_by,
        };
        let ask = Ask {
            operation,
            action,
            resource: &resource,
            what: "transfer",
        };
        Ok((self.core.enter(caller, ask).await?, transfer))
    }
}

/// The key by which a caller came, whose limits bind what it asks for.
pub(crate) fn key_of(caller: &Caller) -> Option<KeyId> {
    match *caller.via() {
        Via::ApiKey(key) | Via::Schedule { key, .. } => Some(key),
        Via::Transfer(_) | Via::Flow { .. } => None,
    }
}

/// The run of a flow in which a caller acts.
pub(super) fn run_of(caller: &Caller) -> Option<FlowRunId> {
    match *caller.via() {
        Via::Flow { run, .. } => Some(run),
        _ => None,
    }
}

/// A key that is bound to paths sees only what it asked for itself: a transfer's ends may lie outside its paths.
pub(crate) fn is_shown(caller: &Caller, transfer: &Transfer) -> bool {
    caller.path_prefixes().is_empty()
        || (key_of(caller).is_some() && transfer.created_with == key_of(caller))
        || (run_of(caller).is_some() && transfer.flow_run == run_of(caller))
}
