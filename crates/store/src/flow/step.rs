use bailee_model::{FlowRunId, StepRun};

use crate::rows::{from_json, json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO flow_step (tenant_id, run_id, step_key, ordinal, body, revision) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    PUT: tenant = "UPDATE flow_step SET body = $4, revision = $5 \
        WHERE tenant_id = $1 AND run_id = $2 AND step_key = $3 AND revision = $6";
    STEPS: tenant = "SELECT body FROM flow_step WHERE tenant_id = $1 AND run_id = $2 ORDER BY ordinal";
}

/// The conflict of step verbs: somebody else wrote the row since it was read.
pub const REVISION: &str = "flow_step_revision";

impl Change {
    /// Adds a step of a run, at its place in the order in which they began; the conflict is [`REVISION`].
    pub fn insert_flow_step(&mut self, run: FlowRunId, step: &StepRun, ordinal: u64) -> &mut Self {
        let row = values![run, &step.key, ordinal, json(step), step.revision];
        self.add(INSERT, row, Guard::One, REVISION)
    }

    /// Replaces a step that is one revision older than this one; the conflict is [`REVISION`].
    pub fn put_flow_step(&mut self, run: FlowRunId, step: &StepRun) -> &mut Self {
        let old = step.revision.saturating_sub(1);
        let row = values![run, &step.key, json(step), step.revision, old];
        self.add(PUT, row, Guard::One, REVISION)
    }
}

impl Reader {
    /// The steps of a run that began, in the order in which they did.
    pub async fn flow_steps(&self, run: FlowRunId) -> Result<Vec<StepRun>, DbError> {
        let rows = self.rows(STEPS, values![run]).await?;
        rows.iter().map(|row| from_json(row, 0)).collect()
    }
}
