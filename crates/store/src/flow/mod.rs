//! Flows with their documents, their runs, and the steps of these.

mod hook;
mod run;
mod step;
mod watch;

use bailee_model::flow::FlowName;
use bailee_model::{Flow, FlowId, FlowRunId, FlowVersion, Page, PageRequest};

use crate::rows::{from_json, json, statements};
use crate::{Change, DbError, Guard, Reader, values};

pub use hook::CHANGED as HOOK_CHANGED;
pub(crate) use hook::STATEMENTS as HOOK_STATEMENTS;
pub(crate) use run::STATEMENTS as RUN_STATEMENTS;
pub use run::{KEY_KNOWN, REVISION as RUN_REVISION, RunFilter};
pub use step::REVISION as STEP_REVISION;
pub(crate) use step::STATEMENTS as STEP_STATEMENTS;
pub(crate) use watch::STATEMENTS as WATCH_STATEMENTS;

statements! {
    INSERT: tenant = "INSERT INTO flow (tenant_id, id, name, body, listens, revision) \
        SELECT $1, $2, $3, $4, CAST($5 AS BIGINT), CAST($6 AS BIGINT) \
        WHERE (SELECT COUNT(*) FROM flow WHERE tenant_id = $1) < $7";
    PUT: tenant = "UPDATE flow SET name = $3, body = $4, listens = $5, revision = $6 \
        WHERE tenant_id = $1 AND id = $2 AND revision = $7";
    DELETE: tenant = "DELETE FROM flow WHERE tenant_id = $1 AND id = $2 AND revision = $3 AND active_run IS NULL";
    DELETE_HOOK: tenant = "DELETE FROM flow_hook WHERE tenant_id = $1 AND flow_id = $2";
    DELETE_VERSIONS: tenant = "DELETE FROM flow_version WHERE tenant_id = $1 AND flow_id = $2";
    NAME_FREE: tenant = "SELECT CASE WHEN EXISTS (SELECT 1 FROM flow WHERE tenant_id = $1 AND name = $2 AND id <> $3) \
        THEN 1 ELSE 0 END";
    HOLD: tenant = "UPDATE flow SET revision = revision WHERE tenant_id = $1 AND id = $2 AND revision = $3";
    TAKE_TURN: tenant = "UPDATE flow SET active_run = $3 WHERE tenant_id = $1 AND id = $2 \
        AND (active_run IS NULL OR active_run = $3)";
    END_TURN: tenant = "UPDATE flow SET active_run = NULL WHERE tenant_id = $1 AND id = $2 AND active_run = $3";
    READ: tenant = "SELECT body FROM flow WHERE tenant_id = $1 AND id = $2";
    BY_NAME: tenant = "SELECT body FROM flow WHERE tenant_id = $1 AND name = $2";
    LIST: tenant = "SELECT body FROM flow WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    LISTENING: tenant = "SELECT body FROM flow WHERE tenant_id = $1 AND listens = 1 ORDER BY id LIMIT $2";
    INSERT_VERSION: tenant = "INSERT INTO flow_version (tenant_id, flow_id, version, body) VALUES ($1, $2, $3, $4)";
    VERSION: tenant = "SELECT body FROM flow_version WHERE tenant_id = $1 AND flow_id = $2 AND version = $3";
    VERSIONS: tenant = "SELECT body FROM flow_version WHERE tenant_id = $1 AND flow_id = $2 AND version < $3 \
        ORDER BY version DESC LIMIT $4";
}

/// The conflict of flow verbs: it was changed since it was read, or its name is taken.
pub const REVISION: &str = "flow_revision";
/// The conflict of [`Change::insert_flow`]: there are enough, or the name is taken.
pub const LIMIT: &str = "flow_limit";
/// The conflict of [`Change::take_turn`]: it is another run's turn.
pub const BUSY: &str = "flow_busy";

/// A flow, and what is looked for without reading its document.
#[derive(Clone, Copy, Debug)]
pub struct FlowRow<'a> {
    /// The flow.
    pub flow: &'a Flow,
    /// Whether journal entries can start it.
    pub listens: bool,
}

impl Change {
    /// Adds a flow unless the tenant has `most` already; the conflict is [`LIMIT`].
    pub fn insert_flow(&mut self, row: FlowRow<'_>, most: u64) -> &mut Self {
        let FlowRow { flow, listens } = row;
        let row = values![
            flow.id,
            flow.name.as_str(),
            json(flow),
            i64::from(listens),
            flow.revision,
            most
        ];
        self.add(INSERT, row, Guard::One, LIMIT)
    }

    /// Replaces a flow that is one revision older than this one; the conflict is [`REVISION`].
    pub fn put_flow(&mut self, row: FlowRow<'_>) -> &mut Self {
        let FlowRow { flow, listens } = row;
        let row = values![
            flow.id,
            flow.name.as_str(),
            json(flow),
            i64::from(listens),
            flow.revision,
            flow.revision.saturating_sub(1)
        ];
        self.add(PUT, row, Guard::One, REVISION)
    }

    /// Makes this change fail with [`REVISION`] unless a flow is still as it was read.
    pub fn hold_flow(&mut self, flow: &Flow) -> &mut Self {
        self.add(HOLD, values![flow.id, flow.revision], Guard::One, REVISION)
    }

    /// Removes a flow as it was read, with its documents and what they name, while none of its runs is at work; the conflict is
    /// [`REVISION`].
    pub fn delete_flow(&mut self, flow: &Flow) -> &mut Self {
        self.forget_watches(flow.id);
        self.add(DELETE_HOOK, values![flow.id], Guard::Any, REVISION);
        let row = values![flow.id, flow.revision];
        self.add(DELETE, row, Guard::One, REVISION);
        self.add(DELETE_VERSIONS, values![flow.id], Guard::Any, REVISION);
        self.forget_references(&flow.id.to_string())
    }

    /// Adds a document of a flow; the conflict is [`REVISION`].
    pub fn insert_flow_version(&mut self, version: &FlowVersion) -> &mut Self {
        let row = values![version.flow, version.version, json(version)];
        self.add(INSERT_VERSION, row, Guard::One, REVISION)
    }

    /// Makes it a run's turn, if it is no other's; the conflict is [`BUSY`].
    pub fn take_turn(&mut self, flow: FlowId, run: FlowRunId) -> &mut Self {
        self.add(TAKE_TURN, values![flow, run], Guard::One, BUSY)
    }

    /// Ends a run's turn, if it was.
    pub fn end_turn(&mut self, flow: FlowId, run: FlowRunId) -> &mut Self {
        self.add(END_TURN, values![flow, run], Guard::Any, BUSY)
    }
}

impl Reader {
    /// One flow.
    pub async fn flow(&self, id: FlowId) -> Result<Option<Flow>, DbError> {
        self.document(READ, values![id]).await
    }

    /// The flow of a name.
    pub async fn flow_named(&self, name: &FlowName) -> Result<Option<Flow>, DbError> {
        self.document(BY_NAME, values![name.as_str()]).await
    }

    /// Whether another flow has a name.
    pub async fn is_flow_name_taken(&self, name: &FlowName, by: FlowId) -> Result<bool, DbError> {
        let row = self.row(NAME_FREE, values![name.as_str(), by]).await?;
        row.map_or(Ok(false), |row| Ok(row.int(0)? == 1))
    }

    /// Flows, newest first.
    pub async fn flows(&self, page: &PageRequest) -> Result<Page<Flow>, DbError> {
        self.documents(
            LIST,
            values![crate::reader::before(page), page.limit + 1],
            page.limit,
            |last: &Flow| last.id,
        )
        .await
    }

    /// Flows whose triggers listen to the journal.
    pub async fn listening_flows(&self, most: u64) -> Result<Vec<Flow>, DbError> {
        let rows = self.rows(LISTENING, values![most]).await?;
        rows.iter().map(|row| from_json(row, 0)).collect()
    }

    /// A document of a flow.
    pub async fn flow_version(
        &self,
        flow: FlowId,
        version: u32,
    ) -> Result<Option<FlowVersion>, DbError> {
        self.document(VERSION, values![flow, version]).await
    }

    /// The documents of a flow, newest first.
    pub async fn flow_versions(
        &self,
        flow: FlowId,
        page: &PageRequest,
    ) -> Result<Page<FlowVersion>, DbError> {
        let after = page.after.as_ref();
        let before = after
            .and_then(|cursor| cursor.id.parse().ok())
            .unwrap_or(i64::MAX);
        self.documents(
            VERSIONS,
            values![flow, before, page.limit + 1],
            page.limit,
            |last: &FlowVersion| last.version,
        )
        .await
    }
}
