use bailee_model::{FlowId, FlowRun, FlowRunId, Page, PageRequest, Timestamp};

use crate::rows::{from_json, json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO flow_run (tenant_id, id, flow_id, state, trigger_key, due_at, body, created_at, revision) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    PUT: tenant = "UPDATE flow_run SET state = $3, body = $4, revision = $5 \
        WHERE tenant_id = $1 AND id = $2 AND revision = $6";
    READ: tenant = "SELECT body FROM flow_run WHERE tenant_id = $1 AND id = $2";
    BY_KEY: tenant = "SELECT body FROM flow_run WHERE tenant_id = $1 AND flow_id = $2 AND trigger_key = $3";
    LIST: tenant = "SELECT body FROM flow_run WHERE tenant_id = $1 \
        AND (CAST($2 AS TEXT) IS NULL OR flow_id = $2) AND (CAST($3 AS TEXT) IS NULL OR state = $3) \
        AND created_at >= $4 AND created_at < $5 AND id < $6 ORDER BY id DESC LIMIT $7";
    OPEN: tenant = "SELECT body FROM flow_run WHERE tenant_id = $1 AND flow_id = $2 \
        AND state IN ('queued', 'running', 'waiting') ORDER BY id LIMIT $3";
    COUNT_OPEN: tenant = "SELECT COUNT(*) FROM flow_run WHERE tenant_id = $1 AND flow_id = $2 \
        AND state IN ('queued', 'running', 'waiting')";
    NEXT: tenant = "SELECT id FROM flow_run WHERE tenant_id = $1 AND flow_id = $2 AND state = 'queued' \
        AND due_at <= $3 ORDER BY id LIMIT 1";
}

/// The conflict of [`Change::put_flow_run`]: somebody else wrote the row since it was read.
pub const REVISION: &str = "flow_run_revision";
/// The conflict of [`Change::insert_flow_run`]: the flow ran for this cause.
pub const KEY_KNOWN: &str = "flow_run_key";

/// Which runs a list shows.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Only of this flow.
    pub flow: Option<FlowId>,
    /// Only in this state.
    pub state: Option<String>,
    /// Only made at or after this time.
    pub created_after: Option<Timestamp>,
    /// Only made before this time.
    pub created_before: Option<Timestamp>,
}

impl Change {
    /// Adds a run; the conflict is [`KEY_KNOWN`].
    pub fn insert_flow_run(&mut self, run: &FlowRun) -> &mut Self {
        let row = values![
            run.id,
            run.flow,
            run.state.as_str(),
            run.trigger.key.as_deref(),
            run.start_at.unwrap_or(run.created_at),
            json(run),
            run.created_at,
            run.revision,
        ];
        self.add(INSERT, row, Guard::One, KEY_KNOWN)
    }

    /// Replaces a run that is one revision older than this one; the conflict is [`REVISION`].
    pub fn put_flow_run(&mut self, run: &FlowRun) -> &mut Self {
        let row = values![
            run.id,
            run.state.as_str(),
            json(run),
            run.revision,
            run.revision.saturating_sub(1),
        ];
        self.add(PUT, row, Guard::One, REVISION)
    }
}

impl Reader {
    /// One run.
    pub async fn flow_run(&self, id: FlowRunId) -> Result<Option<FlowRun>, DbError> {
        self.document(READ, values![id]).await
    }

    /// The run of a flow for a cause.
    pub async fn flow_run_for(&self, flow: FlowId, key: &str) -> Result<Option<FlowRun>, DbError> {
        self.document(BY_KEY, values![flow, key]).await
    }

    /// Runs, newest first.
    pub async fn flow_runs(
        &self,
        filter: &RunFilter,
        page: &PageRequest,
    ) -> Result<Page<FlowRun>, DbError> {
        let row = values![
            filter.flow.map(|flow| flow.to_string()),
            filter.state.as_deref(),
            filter.created_after.map_or(i64::MIN, Timestamp::ms),
            filter.created_before.map_or(i64::MAX, Timestamp::ms),
            crate::reader::before(page),
            page.limit + 1,
        ];
        self.documents(LIST, row, page.limit, |last: &FlowRun| last.id)
            .await
    }

    /// Runs of a flow that have not ended, oldest first.
    pub async fn open_flow_runs(&self, flow: FlowId, most: u32) -> Result<Vec<FlowRun>, DbError> {
        let rows = self.rows(OPEN, values![flow, most]).await?;
        rows.iter().map(|row| from_json(row, 0)).collect()
    }

    /// How many runs of a flow have not ended.
    pub async fn count_open_flow_runs(&self, flow: FlowId) -> Result<u64, DbError> {
        self.row(COUNT_OPEN, values![flow])
            .await?
            .map_or(Ok(0), |row| row.uint(0))
    }

    /// The run of a flow that is next.
    pub async fn next_flow_run(
        &self,
        flow: FlowId,
        now: Timestamp,
    ) -> Result<Option<FlowRunId>, DbError> {
        let row = self.row(NEXT, values![flow, now]).await?;
        row.map(|row| row.parse(0)).transpose()
    }
}
