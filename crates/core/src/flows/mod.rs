//! Flows: documents that say what happens to files, when, and in whose name.

mod approve;
mod hook;
mod links;
mod references;
mod rules;
mod runs;
mod start;
mod times;
mod triggers;
mod watch;
mod work;

use bailee_auth::{Action, Caller, Permit, Resource, Via};
use bailee_model::flow::Named;
use bailee_model::{
    Error, ErrorKind, Flow, FlowDocument, FlowId, FlowVersion, JobKind, Mandate, Page, PageRequest,
    Result, limit,
};
use bailee_store::{DbError, FlowRow, conflict};
use serde_json::Value;

pub use approve::Verdict;
pub use hook::{FlowHooks, HookCall, HookRefusal, SignedCall};
pub use rules::ContentRules;
pub use runs::{RunLog, RunView};
pub use start::{NewRun, Rerun, TriggeredRun, flow_file};
pub use watch::{FlowWatches, SeenFile, WatchLook, WatchTurn, WatchedFlow};
pub use work::{FlowBegun, FlowWork, FlowWorks};

use crate::files::{Precondition, RACES_MAX};
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::references::named_in;
use crate::{Core, error};

/// What changes of a flow without a new document.
#[derive(Clone, Copy, Debug)]
pub struct FlowChange {
    /// Whether its triggers start it.
    pub is_enabled: bool,
}

/// The flows of the caller's tenant.
pub struct Flows<'a> {
    pub(crate) core: &'a Core,
}

impl Flows<'_> {
    /// Makes a flow of a document. From then on it acts in the caller's name.
    pub async fn create(&self, caller: &Caller, document: Value) -> Result<Flow> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self
            .enter(caller, "flows.create", Action::FlowManage)
            .await?;
        let read = FlowDocument::parse(&document)?;
        self.check(caller, &permit, (&read, None)).await?;
        let now = self.core.clock.now();
        let mut flow = Flow {
            id: FlowId::new(now, &*self.core.chance),
            name: read.name.clone(),
            is_enabled: true,
            version: 1,
            document,
            mandate: mandate_of(caller),
            schedules: Vec::new(),
            created_at: now,
            updated_at: now,
            revision: 1,
        };
        let mut change = self.core.store.change(&permit);
        self.set_times(&permit, &mut change, (&mut flow, &read))
            .await?;
        change.insert_flow(row_of(&flow, &read), limit::FLOWS_MAX);
        change.insert_flow_version(&version_of(&flow));
        change.put_references(&flow.id.to_string(), &named_in(&read));
        change.begin_consumer(triggers::CONSUMER);
        self.core.schedule_watches(&mut change, &flow, &read);
        made(&mut change, &flow)?;
        let note = Note::record("flows.create")
            .about(flow.id)
            .with(facts(&flow));
        change.journal(&self.core.permitted(caller, &permit, note));
        match change.commit().await {
            Ok(()) => Ok(flow),
            Err(DbError::Conflict(conflict::FLOW_LIMIT)) => {
                Err(self.no_room(&permit, &flow).await?)
            }
            Err(DbError::Conflict(conflict::SCHEDULE)) => Err(times::enough()),
            // It went away between the look and the write.
            Err(DbError::Conflict(conflict::REFERENCE_GONE)) => {
                self.check(caller, &permit, (&read, None)).await?;
                Err(error::too_fast("thing that it names"))
            }
            Err(error) => Err(error::from_db(error)),
        }
    }

    async fn no_room(&self, permit: &Permit, flow: &Flow) -> Result<Error> {
        let reader = self.core.store.reader(permit);
        let is_taken = reader.is_flow_name_taken(&flow.name, flow.id).await;
        Ok(if is_taken.map_err(error::from_db)? {
            name_taken(flow)
        } else {
            error::enough("A tenant", limit::FLOWS_MAX, "flows")
        })
    }

    /// Flows, newest first. A key that is bound to paths sees those that are bound within them.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<Flow>> {
        let permit = self.enter(caller, "flows.list", Action::FlowRead).await?;
        let found = self.core.store.reader(&permit).flows(&page).await;
        let mut found = found.map_err(error::from_db)?;
        found
            .data
            .retain(|flow| is_within_reach(caller, &flow.mandate));
        Ok(found)
    }

    /// One flow.
    pub async fn get(&self, caller: &Caller, id: FlowId) -> Result<Flow> {
        let permit = self.enter(caller, "flows.get", Action::FlowRead).await?;
        self.find(caller, &permit, id).await
    }

    /// The documents of a flow, newest first.
    pub async fn versions(
        &self,
        caller: &Caller,
        id: FlowId,
        page: PageRequest,
    ) -> Result<Page<FlowVersion>> {
        let permit = self
            .enter(caller, "flows.versions", Action::FlowRead)
            .await?;
        self.find(caller, &permit, id).await?;
        let reader = self.core.store.reader(&permit);
        reader
            .flow_versions(id, &page)
            .await
            .map_err(error::from_db)
    }

    /// Gives a flow another document. From then on it acts in the caller's name; runs that began go on as they were.
    pub async fn replace(
        &self,
        caller: &Caller,
        id: FlowId,
        document: Value,
        precondition: Precondition,
    ) -> Result<Flow> {
        let read = FlowDocument::parse(&document)?;
        self.write(caller, id, ("flows.replace", &precondition), |flow| {
            flow.name = read.name.clone();
            flow.document = document.clone();
            flow.mandate = mandate_of(caller);
            flow.version += 1;
        })
        .await
    }

    /// Has triggers start a flow, or not.
    pub async fn update(
        &self,
        caller: &Caller,
        id: FlowId,
        change: FlowChange,
        precondition: Precondition,
    ) -> Result<Flow> {
        self.write(caller, id, ("flows.update", &precondition), |flow| {
            flow.is_enabled = change.is_enabled;
        })
        .await
    }

    /// Removes a flow none of whose runs is open. Its runs stay to be read.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: FlowId,
        precondition: Precondition,
    ) -> Result<()> {
        for _ in 0..RACES_MAX {
            let permit = self
                .enter(caller, "flows.delete", Action::FlowManage)
                .await?;
            let flow = self.find(caller, &permit, id).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&flow.revision.to_string()), &known.tenant)?;
            let reader = self.core.store.reader(&permit);
            let open = reader
                .count_open_flow_runs(id)
                .await
                .map_err(error::from_db)?;
            if open > 0 {
                let detail = format!("{open} runs of it have not ended; cancel them first.");
                return Err(Error::new(ErrorKind::InUse, detail));
            }
            let names = (Named::Flow(id), Named::FlowCalled(flow.name.clone()));
            let names = [&names.0, &names.1];
            self.core.refuse_while_named(caller, &reader, names).await?;
            let mut change = self.core.store.change(&permit);
            self.end_times(&reader, &mut change, &flow).await?;
            change.delete_flow(&flow).admit_removal(names);
            change.drop_job(JobKind::WatchFlow, &id.to_string());
            let note = Note::record("flows.delete").about(id).with(facts(&flow));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::FLOW_REVISION | conflict::REFERENCE_IN_USE)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("flow"))
    }

    /// Refuses what a run would stumble over, whenever it comes.
    async fn check(
        &self,
        caller: &Caller,
        permit: &Permit,
        (document, own): (&FlowDocument, Option<FlowId>),
    ) -> Result<()> {
        FlowDocument::refused(rules::problems(document))?;
        self.check_references(caller, permit, document).await?;
        self.check_links(permit, document, own).await
    }

    pub(super) async fn enter(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
    ) -> Result<Permit> {
        let ask = Ask {
            operation,
            action,
            resource: &Resource::Flow,
            what: "flow",
        };
        self.core.enter(caller, ask).await
    }

    pub(super) async fn find(&self, caller: &Caller, permit: &Permit, id: FlowId) -> Result<Flow> {
        let found = self.core.store.reader(permit).flow(id).await;
        found
            .map_err(error::from_db)?
            .filter(|flow| is_within_reach(caller, &flow.mandate))
            .ok_or_else(|| Error::not_found("flow"))
    }

    async fn write(
        &self,
        caller: &Caller,
        id: FlowId,
        (operation, precondition): (&'static str, &Precondition),
        act: impl Fn(&mut Flow),
    ) -> Result<Flow> {
        for _ in 0..RACES_MAX {
            let permit = self.enter(caller, operation, Action::FlowManage).await?;
            let mut flow = self.find(caller, &permit, id).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            precondition.admit(Some(&flow.revision.to_string()), &known.tenant)?;
            let (old_version, old_name) = (flow.version, Named::FlowCalled(flow.name.clone()));
            act(&mut flow);
            flow.revision += 1;
            flow.updated_at = self.core.clock.now();
            let read = FlowDocument::parse(&flow.document)?;
            let mut change = self.core.store.change(&permit);
            self.set_times(&permit, &mut change, (&mut flow, &read))
                .await?;
            change.put_flow(row_of(&flow, &read));
            self.core.schedule_watches(&mut change, &flow, &read);
            if flow.version != old_version {
                self.check(caller, &permit, (&read, Some(id))).await?;
                change.insert_flow_version(&version_of(&flow));
                change.put_references(&id.to_string(), &named_in(&read));
            }
            if old_name != Named::FlowCalled(flow.name.clone()) {
                let reader = self.core.store.reader(&permit);
                let names = [&old_name, &old_name];
                self.core.refuse_while_named(caller, &reader, names).await?;
                change.admit_removal(names);
            }
            made(&mut change, &flow)?;
            let note = Note::record(operation).about(id).with(facts(&flow));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(flow),
                Err(DbError::Conflict(conflict::REFERENCE_GONE | conflict::REFERENCE_IN_USE)) => {}
                Err(DbError::Conflict(conflict::FLOW_REVISION)) => {
                    let reader = self.core.store.reader(&permit);
                    let is_taken = reader.is_flow_name_taken(&flow.name, id).await;
                    if is_taken.map_err(error::from_db)? {
                        return Err(name_taken(&flow));
                    }
                }
                Err(DbError::Conflict(conflict::SCHEDULE)) => return Err(times::enough()),
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("flow"))
    }
}

/// What a caller leaves behind to be done in its name: no more than it may do itself.
pub(crate) fn mandate_of(caller: &Caller) -> Mandate {
    Mandate {
        principal: caller.principal(),
        scopes: caller.scopes().clone(),
        path_prefixes: caller.path_prefixes().to_vec(),
        key: match *caller.via() {
            Via::ApiKey(key) | Via::Schedule { key, .. } => Some(key),
            Via::Flow { key, .. } => key,
            Via::Transfer(_) => None,
        },
    }
}

/// A key that is bound to paths sees only what is bound within them.
pub(crate) fn is_within_reach(caller: &Caller, mandate: &Mandate) -> bool {
    let bounds = caller.path_prefixes();
    let is_held = |prefix| {
        bounds
            .iter()
            .any(|bound| bailee_model::FolderPath::is_within(prefix, bound))
    };
    bounds.is_empty()
        || (!mandate.path_prefixes.is_empty() && mandate.path_prefixes.iter().all(is_held))
}

fn version_of(flow: &Flow) -> FlowVersion {
    FlowVersion {
        flow: flow.id,
        version: flow.version,
        document: flow.document.clone(),
        created_by: flow.mandate.principal,
        created_at: flow.updated_at,
    }
}

fn facts(flow: &Flow) -> Value {
    serde_json::json!({
        "flow_id": flow.id,
        "name": flow.name,
        "version": flow.version,
        "enabled": flow.is_enabled,
    })
}

fn name_taken(flow: &Flow) -> Error {
    let detail = format!("There is a flow `{}`.", flow.name);
    Error::new(ErrorKind::NameTaken, detail.clone()).with_field("#/name", "name_taken", detail)
}

fn row_of<'a>(flow: &'a Flow, document: &FlowDocument) -> FlowRow<'a> {
    FlowRow {
        flow,
        listens: links::listens(flow, document),
    }
}
