//! The durable queue. A lease is a time in `run_at`: a job whose runner stopped renewing it is due again by itself.

use bailee_model::{Job, JobId, JobKind, Lease, Timestamp, TransferId};

use crate::rows::statements;
use crate::{Change, DbError, Guard, QueueDoor, Row, Script, Value, values};

statements! {
    INSERT: tenant = "INSERT INTO job (tenant_id, id, kind, subject, lane, run_at, priority, attempt, fence) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)";
    HOLD: tenant = "UPDATE job SET fence = fence WHERE tenant_id = $1 AND id = $2 AND fence = $3";
    FINISH: tenant = "DELETE FROM job WHERE tenant_id = $1 AND id = $2 AND fence = $3";
    AGAIN: tenant = "UPDATE job SET run_at = $4, owner = NULL, fence = fence + 1 \
        WHERE tenant_id = $1 AND id = $2 AND fence = $3";
    RENEW: tenant = "UPDATE job SET run_at = $4 WHERE tenant_id = $1 AND id = $2 AND fence = $3";
    HASTEN: tenant = "UPDATE job SET run_at = $4 WHERE tenant_id = $1 AND kind = $2 AND subject = $3 AND owner IS NULL";
    SOONER: tenant = "UPDATE job SET run_at = $4 WHERE tenant_id = $1 AND kind = $2 AND subject = $3 AND owner IS NULL \
        AND run_at > $4";
    RANK: tenant = "UPDATE job SET priority = $4 WHERE tenant_id = $1 AND kind = $2 AND subject = $3";
    RANK_FILES: tenant = "UPDATE job SET priority = $4 WHERE tenant_id = $1 AND kind = $2 \
        AND subject IN (SELECT id FROM transfer WHERE tenant_id = $1 AND parent_id = $3)";
    DROP: tenant = "DELETE FROM job WHERE tenant_id = $1 AND kind = $2 AND subject = $3 AND owner IS NULL";
    TAKE: across = "UPDATE job SET owner = $1, run_at = $2, fence = fence + 1, attempt = attempt + 1 \
        WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM job WHERE kind = $3 AND priority = $4 AND lane = $5 \
        AND run_at <= $6 ORDER BY run_at LIMIT $7 {skip_locked}) \
        RETURNING tenant_id, id, kind, subject, lane, priority, attempt, fence, run_at";
    STALE: across = "UPDATE reservation SET expires_at = $1 WHERE expires_at > $1";
    FREE_ALL: across = "UPDATE job SET owner = NULL, run_at = $1, fence = fence + 1 WHERE owner IS NOT NULL";
    RANK_NEXT: across = "SELECT priority FROM job WHERE kind = $1 AND priority > $2 AND run_at <= $3 \
        ORDER BY kind, priority LIMIT 1";
    LANE_NEXT: across = "SELECT lane FROM job WHERE kind = $1 AND priority = $2 AND lane > $3 AND run_at <= $4 \
        ORDER BY kind, priority, lane LIMIT 1";
    DUE: across = "SELECT MIN(run_at) FROM job WHERE kind = $1";
}

/// The conflict of every verb that needs a lease: it is lost, and another runner may be at work.
pub const FENCE: &str = "fence";

/// Lanes that are looked at for one lease, at most.
const LANES_SEEN_MAX: usize = 64;
/// More than the name of a remote has.
const LANE_NAME_CHARS: usize = 64;
/// Priorities that are looked at for one lease, at most.
const RANKS_AT_ONCE_MAX: u32 = 8;

/// Which jobs a runner wants.
#[derive(Clone, Debug)]
pub struct Want<'a> {
    /// What they do.
    pub kind: JobKind,
    /// How many at most.
    pub limit: u32,
    /// Lanes that are full.
    pub busy_lanes: &'a [String],
    /// Tenants that run as many transfers as they may, as they stand in the names of lanes.
    pub busy_tenants: &'a [String],
    /// The lane that had the last turn.
    pub after_lane: &'a str,
    /// The runner's name.
    pub owner: &'a str,
    /// The time now.
    pub now: Timestamp,
    /// Until when they are held unless renewed.
    pub until: Timestamp,
}

impl Want<'_> {
    /// Behind all lanes of the tenant that `lane` belongs to, if it has no seat left.
    fn end_of_tenant(&self, lane: &str) -> Option<String> {
        let (kind, rest) = lane.split_once(':')?;
        let tenant = rest.split(':').next()?;
        let is_of_tenant = matches!(kind, "remote" | "tenant");
        if !is_of_tenant || !self.busy_tenants.iter().any(|busy| busy == tenant) {
            return None;
        }
        // Behind every name that a remote can have, in whatever order the database sorts.
        Some(format!("{kind}:{tenant}:{}", "z".repeat(LANE_NAME_CHARS)))
    }
}

impl Change {
    /// Adds a job; the conflict is `job`: there is one for the same subject.
    pub fn enqueue(&mut self, job: &Job) -> &mut Self {
        let row = values![
            job.id,
            job.kind.as_str(),
            &job.subject,
            &job.lane,
            job.run_at,
            i64::from(job.priority)
        ];
        self.add(INSERT, row, Guard::One, "job")
    }

    /// Makes this change fail with [`FENCE`] unless the lease still holds.
    pub fn hold(&mut self, lease: &Lease) -> &mut Self {
        self.add(HOLD, values![lease.job.id, lease.fence], Guard::One, FENCE)
    }

    /// Ends the job; the conflict is [`FENCE`].
    pub fn finish_job(&mut self, lease: &Lease) -> &mut Self {
        self.add(
            FINISH,
            values![lease.job.id, lease.fence],
            Guard::One,
            FENCE,
        )
    }

    /// Gives the job back, due at `run_at`; the conflict is [`FENCE`].
    pub fn run_again(&mut self, lease: &Lease, run_at: Timestamp) -> &mut Self {
        self.add(
            AGAIN,
            values![lease.job.id, lease.fence, run_at],
            Guard::One,
            FENCE,
        )
    }

    /// Makes a waiting job due at `run_at`, if nobody holds it.
    pub fn hasten(&mut self, kind: JobKind, subject: &str, run_at: Timestamp) -> &mut Self {
        self.add(
            HASTEN,
            values![kind.as_str(), subject, run_at],
            Guard::Any,
            "job",
        )
    }

    /// Makes a waiting job due at `run_at`, if nobody holds it and it would be later.
    pub fn sooner(&mut self, kind: JobKind, subject: &str, run_at: Timestamp) -> &mut Self {
        let row = values![kind.as_str(), subject, run_at];
        self.add(SOONER, row, Guard::Any, "job")
    }

    /// Changes the priority of a job.
    pub fn set_priority(&mut self, kind: JobKind, subject: &str, priority: i32) -> &mut Self {
        let row = values![kind.as_str(), subject, i64::from(priority)];
        self.add(RANK, row, Guard::Any, "job")
    }

    /// Changes the priority of the jobs of a transfer's files.
    pub fn set_files_priority(&mut self, parent: TransferId, priority: i32) -> &mut Self {
        let kind = JobKind::RunTransfer.as_str();
        let row = values![kind, parent.to_string(), i64::from(priority)];
        self.add(RANK_FILES, row, Guard::Any, "job")
    }

    /// Drops a waiting job, if nobody holds it.
    pub fn drop_job(&mut self, kind: JobKind, subject: &str) -> &mut Self {
        self.add(DROP, values![kind.as_str(), subject], Guard::Any, "job")
    }
}

impl QueueDoor {
    /// Leases jobs that are due, the most urgent first. Of equal urgency each lane has its turn, beginning after the one
    /// that had the last: who has a thousand jobs waiting does not keep another's one from running. Two runners never
    /// get the same job.
    pub async fn take(&self, want: &Want<'_>) -> Result<Vec<Lease>, DbError> {
        let mut leases = Vec::new();
        let mut rank = i64::MIN;
        let mut turns = 0;
        while (leases.len() as u32) < want.limit {
            let row = values![want.kind.as_str(), rank, want.now];
            let next = self.across(RANK_NEXT, row).await?;
            let Some(next) = next.first() else { break };
            rank = next.int(0)?;
            let left = want.limit - leases.len() as u32;
            let lanes = self.lanes(want, rank, left).await?;
            leases.extend(self.take_of(want, (rank, &lanes), left).await?);
            turns += 1;
            if turns == RANKS_AT_ONCE_MAX {
                break;
            }
        }
        Ok(leases)
    }

    /// The lanes with due jobs of one priority that have room, in the order of their turns.
    async fn lanes(&self, want: &Want<'_>, rank: i64, most: u32) -> Result<Vec<String>, DbError> {
        let mut lanes: Vec<String> = Vec::new();
        let (mut after, mut has_turned) = (want.after_lane.to_owned(), false);
        for _ in 0..LANES_SEEN_MAX {
            if lanes.len() as u32 >= most {
                break;
            }
            let row = values![want.kind.as_str(), rank, &after, want.now];
            let found = self.across(LANE_NEXT, row).await?;
            let lane = match found.first() {
                Some(row) => row.text(0)?.to_owned(),
                None if has_turned => break,
                None => {
                    (after, has_turned) = (String::new(), true);
                    continue;
                }
            };
            if has_turned && lane.as_str() > want.after_lane {
                break;
            }
            if let Some(end) = want.end_of_tenant(&lane) {
                // All lanes of the tenant at once, or they would hide those of others.
                after = end;
                continue;
            }
            after.clone_from(&lane);
            if !want.busy_lanes.contains(&lane) {
                lanes.push(lane);
            }
        }
        Ok(lanes)
    }

    async fn take_of(
        &self,
        want: &Want<'_>,
        (rank, lanes): (i64, &[String]),
        most: u32,
    ) -> Result<Vec<Lease>, DbError> {
        if lanes.is_empty() {
            return Ok(Vec::new());
        }
        let each = (most / lanes.len() as u32).max(1);
        let mut script = Script::across();
        script.durability(crate::Durability::Logged);
        for lane in lanes {
            let row = values![
                want.owner,
                want.until,
                want.kind.as_str(),
                rank,
                lane,
                want.now,
                each
            ];
            script.push(TAKE, row, Guard::Any, "job");
        }
        let rows = self.db().run_returning(script).await?;
        rows.iter().flatten().map(lease).collect()
    }

    /// Holds a lease for longer; the conflict is [`FENCE`].
    pub async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<(), DbError> {
        let mut script = Script::tenant(lease.job.tenant);
        let row = values![
            Value::text(lease.job.tenant),
            lease.job.id,
            lease.fence,
            until
        ];
        script
            .push(RENEW, row, Guard::One, FENCE)
            .durability(crate::Durability::Logged);
        self.db().run(script).await.map(drop)
    }

    /// Takes every lease away and makes its job due; lets every reservation end. For a process that is alone with its
    /// database, at its start: whoever held them is dead.
    pub async fn free_all(&self, now: Timestamp) -> Result<(), DbError> {
        let mut script = Script::across();
        script.push(FREE_ALL, values![now], Guard::Any, "job");
        script.push(STALE, values![now], Guard::Any, "reservation");
        self.db().run(script).await.map(drop)
    }

    /// When the next job of a kind is due.
    pub async fn next_due(&self, kind: JobKind) -> Result<Option<Timestamp>, DbError> {
        let rows = self.across(DUE, values![kind.as_str()]).await?;
        rows.first().map_or(Ok(None), |row| row.opt_time(0))
    }
}

fn lease(row: &Row) -> Result<Lease, DbError> {
    let job = Job {
        tenant: row.parse(0)?,
        id: row.parse::<JobId>(1)?,
        kind: row.parse::<JobKind>(2)?,
        subject: row.text(3)?.to_owned(),
        lane: row.text(4)?.to_owned(),
        priority: row.int(5)? as i32,
        run_at: row.time(8)?,
    };
    Ok(Lease {
        attempt: row.uint(6)? as u32,
        fence: row.uint(7)?,
        until: row.time(8)?,
        job,
    })
}
