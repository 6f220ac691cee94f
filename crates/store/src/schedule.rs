use bailee_model::{
    CalendarId, Job, Page, PageRequest, Schedule, ScheduleId, ScheduleRun, Timestamp, limit,
};

use crate::rows::{from_json, json, statements};
use crate::{Change, DbError, Guard, Reader, Row, values};

statements! {
    INSERT: tenant = "INSERT INTO schedule (tenant_id, id, name, calendar_id, body, next_at, revision) \
        SELECT $1, $2, $3, CAST($4 AS TEXT), $5, CAST($6 AS BIGINT), CAST($7 AS BIGINT) \
        WHERE (SELECT COUNT(*) FROM schedule WHERE tenant_id = $1) < $8";
    PUT: tenant = "UPDATE schedule SET name = $3, calendar_id = $4, body = $5, next_at = $6, revision = $7 \
        WHERE tenant_id = $1 AND id = $2 AND revision = $8";
    FIRED: tenant = "UPDATE schedule SET next_at = $3 WHERE tenant_id = $1 AND id = $2 AND revision = $4 AND next_at = $5";
    MOVE: tenant = "UPDATE schedule SET next_at = $3 WHERE tenant_id = $1 AND id = $2 AND revision = $4";
    DELETE: tenant = "DELETE FROM schedule WHERE tenant_id = $1 AND id = $2 AND revision = $3";
    DELETE_RUNS: tenant = "DELETE FROM schedule_run WHERE tenant_id = $1 AND schedule_id = $2";
    DELETE_JOB: tenant = "DELETE FROM job WHERE tenant_id = $1 AND kind = $2 AND subject = $3";
    // One that somebody holds finds the new time by itself.
    AWAKEN: tenant = "INSERT INTO job (tenant_id, id, kind, subject, lane, run_at, priority, attempt, fence) \
        VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0) \
        ON CONFLICT (kind, subject) DO UPDATE SET run_at = excluded.run_at WHERE job.owner IS NULL";
    READ: tenant = "SELECT body, next_at FROM schedule WHERE tenant_id = $1 AND id = $2";
    BY_NAME: tenant = "SELECT body, next_at FROM schedule WHERE tenant_id = $1 AND name = $2";
    LIST: tenant = "SELECT body, next_at FROM schedule WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    OF_CALENDAR: tenant = "SELECT body, next_at FROM schedule WHERE tenant_id = $1 AND calendar_id = $2 ORDER BY id";
    INSERT_RUN: tenant = "INSERT INTO schedule_run (tenant_id, schedule_id, due_at, body) VALUES ($1, $2, $3, $4)";
    PRUNE_RUNS: tenant = "DELETE FROM schedule_run WHERE tenant_id = $1 AND schedule_id = $2 AND due_at < \
        (SELECT due_at FROM schedule_run WHERE tenant_id = $1 AND schedule_id = $2 \
        ORDER BY due_at DESC LIMIT 1 OFFSET $3)";
    RUNS: tenant = "SELECT body FROM schedule_run WHERE tenant_id = $1 AND schedule_id = $2 AND due_at < $3 \
        ORDER BY due_at DESC LIMIT $4";
    HAS_RUN: tenant = "SELECT due_at FROM schedule_run WHERE tenant_id = $1 AND schedule_id = $2 AND due_at >= $3";
}

/// The conflict of schedule verbs: the name is taken, there are enough, or it was changed since it was read.
pub const CONFLICT: &str = "schedule";
/// The conflict of [`Change::insert_run`]: the time has its run.
pub const RAN: &str = "schedule_run";

impl Change {
    /// Adds a schedule unless the tenant has `most`; the conflict is [`CONFLICT`].
    pub fn insert_schedule(&mut self, schedule: &Schedule, most: u64) -> &mut Self {
        let row = values![
            schedule.id,
            &schedule.name,
            schedule.calendar,
            json(schedule),
            schedule.next_at,
            schedule.revision,
            most
        ];
        self.add(INSERT, row, Guard::One, CONFLICT)
    }

    /// Replaces a schedule that is one revision older than this one; the conflict is [`CONFLICT`].
    pub fn put_schedule(&mut self, schedule: &Schedule) -> &mut Self {
        let row = values![
            schedule.id,
            &schedule.name,
            schedule.calendar,
            json(schedule),
            schedule.next_at,
            schedule.revision,
            schedule.revision.saturating_sub(1)
        ];
        self.add(PUT, row, Guard::One, CONFLICT)
    }

    /// Sets the next time of a schedule, as it was read, after its time came; the conflict is [`CONFLICT`].
    pub fn schedule_fired(&mut self, schedule: &Schedule, next_at: Option<Timestamp>) -> &mut Self {
        let row = values![schedule.id, next_at, schedule.revision, schedule.next_at];
        self.add(FIRED, row, Guard::One, CONFLICT)
    }

    /// Sets the next time of a schedule, as it was read, because its days changed; the conflict is [`CONFLICT`].
    pub fn move_schedule(&mut self, schedule: &Schedule, next_at: Option<Timestamp>) -> &mut Self {
        let row = values![schedule.id, next_at, schedule.revision];
        self.add(MOVE, row, Guard::One, CONFLICT)
    }

    /// Removes a schedule, as it was read, with its runs and what it names; the conflict is [`CONFLICT`].
    pub fn delete_schedule(&mut self, schedule: &Schedule) -> &mut Self {
        let id = schedule.id;
        self.add(DELETE_RUNS, values![id], Guard::Any, CONFLICT);
        self.forget_references(&id.to_string());
        self.add(DELETE, values![id, schedule.revision], Guard::One, CONFLICT)
    }

    /// Notes the run of a time; the conflict is [`RAN`].
    pub fn insert_run(&mut self, id: ScheduleId, run: &ScheduleRun) -> &mut Self {
        let row = values![id, run.due_at, json(run)];
        self.add(INSERT_RUN, row, Guard::One, RAN)
    }

    /// Forgets all but the newest runs.
    pub fn prune_runs(&mut self, id: ScheduleId) -> &mut Self {
        let row = values![id, limit::SCHEDULE_RUNS_KEPT];
        self.add(PRUNE_RUNS, row, Guard::Any, CONFLICT)
    }

    /// Makes the only job of its kind and subject due at its time: adds it, or moves it unless somebody holds it.
    pub fn awaken(&mut self, job: &Job) -> &mut Self {
        let row = values![
            job.id,
            job.kind.as_str(),
            &job.subject,
            &job.lane,
            job.run_at
        ];
        self.add(AWAKEN, row, Guard::Any, "job")
    }

    /// Removes a job, also one that somebody holds: what it is for is gone.
    pub fn end_job(&mut self, kind: bailee_model::JobKind, subject: &str) -> &mut Self {
        self.add(
            DELETE_JOB,
            values![kind.as_str(), subject],
            Guard::Any,
            "job",
        )
    }
}

impl Reader {
    /// One schedule.
    pub async fn schedule(&self, id: ScheduleId) -> Result<Option<Schedule>, DbError> {
        let row = self.row(READ, values![id]).await?;
        row.as_ref().map(schedule).transpose()
    }

    /// The schedule of a name.
    pub async fn schedule_named(&self, name: &str) -> Result<Option<Schedule>, DbError> {
        let row = self.row(BY_NAME, values![name]).await?;
        row.as_ref().map(schedule).transpose()
    }

    /// Schedules, newest first.
    pub async fn schedules(&self, page: &PageRequest) -> Result<Page<Schedule>, DbError> {
        let row = values![crate::reader::before(page), page.limit + 1];
        let found = self.rows(LIST, row).await?;
        let found = found.iter().map(schedule).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(found, page.limit, |last| {
            crate::reader::by_id(last.id)
        }))
    }

    /// The schedules that follow a calendar.
    pub async fn schedules_of(&self, calendar: CalendarId) -> Result<Vec<Schedule>, DbError> {
        let found = self.rows(OF_CALENDAR, values![calendar]).await?;
        found.iter().map(schedule).collect()
    }

    /// Runs of a schedule, newest first.
    pub async fn schedule_runs(
        &self,
        id: ScheduleId,
        page: &PageRequest,
    ) -> Result<Page<ScheduleRun>, DbError> {
        let before = page
            .after
            .as_ref()
            .and_then(|cursor| cursor.id.parse().ok());
        let row = values![id, before.unwrap_or(i64::MAX), page.limit + 1];
        self.documents(RUNS, row, page.limit, |last: &ScheduleRun| last.due_at.ms())
            .await
    }

    /// The times from `from` on that have had their run.
    pub async fn times_run(
        &self,
        id: ScheduleId,
        from: Timestamp,
    ) -> Result<Vec<Timestamp>, DbError> {
        let found = self.rows(HAS_RUN, values![id, from]).await?;
        found.iter().map(|row| row.time(0)).collect()
    }
}

fn schedule(row: &Row) -> Result<Schedule, DbError> {
    Ok(Schedule {
        next_at: row.opt_time(1)?,
        ..from_json(row, 0)?
    })
}
