use bailee_model::{Job, JobKind, Remote, RemoteHealth, RemoteId, RemoteName, Timestamp};

use crate::rows::{from_json, json, statements};
use crate::{Change, DbError, Guard, Reader, Row, values};

statements! {
    INSERT: tenant = "INSERT INTO remote_health (tenant_id, remote_id, body, revision) \
        SELECT tenant_id, id, CAST($3 AS TEXT), CAST($4 AS BIGINT) FROM remote WHERE tenant_id = $1 AND id = $2 \
        ON CONFLICT (tenant_id, remote_id) DO NOTHING";
    PUT: tenant = "UPDATE remote_health SET body = $3, revision = $4 \
        WHERE tenant_id = $1 AND remote_id = $2 AND revision = $5";
    DELETE: tenant = "DELETE FROM remote_health WHERE tenant_id = $1 AND remote_id = $2";
    READ: tenant = "SELECT body FROM remote_health WHERE tenant_id = $1 AND remote_id = $2";
    BY_NAME: tenant = "SELECT r.body, h.body FROM remote r LEFT JOIN remote_health h \
        ON h.tenant_id = r.tenant_id AND h.remote_id = r.id WHERE r.tenant_id = $1 AND r.name = $2";
    ENQUEUE_LOOK: tenant = "INSERT INTO job (tenant_id, id, kind, subject, lane, run_at, priority, attempt, fence) \
        VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0) \
        ON CONFLICT (kind, subject) DO UPDATE SET run_at = excluded.run_at WHERE job.owner IS NULL";
    // Those who wait for one remote wait until the same moment. Others may wait until then for their own reasons.
    WAKE: tenant = "UPDATE job SET run_at = $4 WHERE tenant_id = $1 AND kind = $2 AND run_at = $3 AND owner IS NULL \
        AND EXISTS (SELECT 1 FROM transfer t WHERE t.tenant_id = $1 AND t.id = job.subject \
        AND t.body LIKE '%\"waits_for\":\"%')";
}

/// The conflict of [`Change::put_remote_health`]: it was written since it was read, or the remote is gone.
pub const CHANGED: &str = "remote_health";

impl Change {
    /// Writes a remote's health that is one revision older than this one; the conflict is [`CHANGED`].
    pub fn put_remote_health(&mut self, remote: RemoteId, health: &RemoteHealth) -> &mut Self {
        if health.revision <= 1 {
            let row = values![remote, json(health), health.revision];
            return self.add(INSERT, row, Guard::One, CHANGED);
        }
        let old = health.revision.saturating_sub(1);
        let row = values![remote, json(health), health.revision, old];
        self.add(PUT, row, Guard::One, CHANGED)
    }

    /// Forgets a remote's health.
    pub fn forget_remote_health(&mut self, remote: RemoteId) -> &mut Self {
        self.add(DELETE, values![remote], Guard::Any, CHANGED)
    }

    /// Makes a look due, at a remote or for a flow; there is one such job for each subject.
    pub fn enqueue_look(&mut self, job: &Job) -> &mut Self {
        let row = values![
            job.id,
            job.kind.as_str(),
            &job.subject,
            &job.lane,
            job.run_at
        ];
        self.add(ENQUEUE_LOOK, row, Guard::Any, "job")
    }

    /// Makes transfers due that wait for a remote until `waits_until`.
    pub fn wake_waiting(&mut self, waits_until: Timestamp, now: Timestamp) -> &mut Self {
        let row = values![JobKind::RunTransfer.as_str(), waits_until, now];
        self.add(WAKE, row, Guard::Any, "job")
    }
}

impl Reader {
    /// A remote's health, if anything is known of it.
    pub async fn remote_health(&self, id: RemoteId) -> Result<Option<RemoteHealth>, DbError> {
        self.document(READ, values![id]).await
    }

    /// The remote of a name with its health.
    pub async fn remote_with_health(
        &self,
        name: &RemoteName,
    ) -> Result<Option<(Remote, Option<RemoteHealth>)>, DbError> {
        let row = self.row(BY_NAME, values![name.as_str()]).await?;
        row.map(|row| Ok((from_json(&row, 0)?, health(&row)?)))
            .transpose()
    }
}

fn health(row: &Row) -> Result<Option<RemoteHealth>, DbError> {
    match row.opt_text(1)? {
        Some(_) => from_json(row, 1).map(Some),
        None => Ok(None),
    }
}
