//! Schedules: what happens by itself, and when.
//!
//! A schedule has one job, due at its next time. What a time starts, that it had its run, the next time and the next
//! job are one transaction, so that each time has its run once, whatever dies and however many nodes there are.

mod fire;
mod rules;
mod target;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Calendar, CalendarId, Error, ErrorKind, Job, JobId, JobKind, Misfire, Page, PageRequest,
    PrincipalId, Result, Schedule, ScheduleId, ScheduleRun, TenantId, Timestamp, Timing, Zone,
    limit,
};
use bailee_store::{Change, DbError, Reader, conflict};

pub(crate) use self::rules::{check, has_times};
pub use self::target::{NewTarget, scheduled_transfer};
use self::target::{named_in, stored};
use crate::files::{Precondition, RACES_MAX};
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::transfers::key_of;
use crate::{Core, error};

/// The schedules of the caller's tenant.
pub struct Schedules<'a> {
    pub(crate) core: &'a Core,
}

/// A schedule to be made, or what one is to become.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// Unique in the tenant.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// When.
    pub timing: Timing,
    /// Whose days.
    pub calendar: Option<CalendarId>,
    /// Runs are spread over so many seconds after their time.
    pub jitter_seconds: u32,
    /// What becomes of times that passed while nobody ran.
    pub misfire: Misfire,
    /// What runs.
    pub target: NewTarget,
}

impl Schedules<'_> {
    /// Makes a schedule. Its runs will have the rights of the caller, as they are then.
    pub async fn create(&self, caller: &Caller, new: NewSchedule) -> Result<Schedule> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self.manage(caller, "schedules.create").await?;
        let calendar = self.check(caller, &permit, &new).await?;
        let schedule = Schedule {
            created_with: key_of(caller),
            ..self
                .core
                .new_schedule(caller.principal(), new, calendar.as_ref())?
        };
        self.free_name(&permit, &schedule).await?;
        let mut change = self.core.store.change(&permit);
        change.insert_schedule(&schedule, limit::SCHEDULES_MAX);
        change.put_references(&schedule.id.to_string(), &named_in(&schedule.target)?);
        self.core
            .set_alarm(&mut change, permit.tenant(), &schedule, schedule.next_at);
        made(&mut change, &schedule)?;
        let note = Note::record("schedules.create")
            .about(schedule.id)
            .with(serde_json::json!({ "name": schedule.name }));
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(|error| match error {
            DbError::Conflict(conflict::SCHEDULE) => {
                error::enough("A tenant", limit::SCHEDULES_MAX, "schedules")
            }
            DbError::Conflict(conflict::REFERENCE_GONE) => error::too_fast("thing that it names"),
            other => error::from_db(other),
        })?;
        Ok(schedule)
    }

    /// Schedules, newest first. A key that is bound to paths sees those that it made.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<Schedule>> {
        let permit = self
            .enter(caller, "schedules.list", Action::ScheduleRead)
            .await?;
        let reader = self.core.store.reader(&permit);
        let mut found = reader.schedules(&page).await.map_err(error::from_db)?;
        found.data.retain(|schedule| is_shown(caller, schedule));
        Ok(found)
    }

    /// One schedule.
    pub async fn get(&self, caller: &Caller, id: ScheduleId) -> Result<Schedule> {
        let permit = self
            .enter(caller, "schedules.get", Action::ScheduleRead)
            .await?;
        self.find(caller, &permit, id).await
    }

    /// The coming times of a schedule, also of one that is held, and whose clocks they are by.
    pub async fn next(
        &self,
        caller: &Caller,
        id: ScheduleId,
        count: usize,
    ) -> Result<(Zone, Vec<Timestamp>)> {
        let permit = self
            .enter(caller, "schedules.next", Action::ScheduleRead)
            .await?;
        let schedule = self.find(caller, &permit, id).await?;
        let reader = self.core.store.reader(&permit);
        let calendar = calendar_of(&reader, schedule.calendar).await?;
        let span = (self.core.clock.now(), Timestamp::from_ms(i64::MAX));
        let count = count.min(limit::NEXT_TIMES_MAX);
        let times = schedule.timing.times_until(span, calendar.as_ref(), count);
        Ok((schedule.timing.zone, times))
    }

    /// Past times of a schedule and what came of them, newest first.
    pub async fn runs(
        &self,
        caller: &Caller,
        id: ScheduleId,
        page: PageRequest,
    ) -> Result<Page<ScheduleRun>> {
        let permit = self
            .enter(caller, "schedules.runs", Action::ScheduleRead)
            .await?;
        self.find(caller, &permit, id).await?;
        let reader = self.core.store.reader(&permit);
        let found = reader.schedule_runs(id, &page).await;
        found.map_err(error::from_db)
    }

    /// Puts another content in the place of a schedule's. Its runs will have the rights of the caller, since it is the
    /// caller's wish now. One that is held stays so.
    pub async fn replace(
        &self,
        caller: &Caller,
        id: ScheduleId,
        new: NewSchedule,
        precondition: Precondition,
    ) -> Result<Schedule> {
        let permit = self.manage(caller, "schedules.replace").await?;
        self.find(caller, &permit, id).await?;
        self.check(caller, &permit, &new).await?;
        let target = stored(&new.target)?;
        let act = |schedule: &mut Schedule| {
            schedule.name.clone_from(&new.name);
            schedule.description.clone_from(&new.description);
            schedule.timing = new.timing.clone();
            schedule.calendar = new.calendar;
            schedule.jitter_seconds = new.jitter_seconds;
            schedule.misfire = new.misfire;
            schedule.target = target.clone();
            schedule.created_by = caller.principal();
            schedule.created_with = key_of(caller);
        };
        self.write(caller, id, ("schedules.replace", &precondition), act)
            .await
    }

    /// Holds a schedule: its times pass.
    pub async fn pause(&self, caller: &Caller, id: ScheduleId) -> Result<Schedule> {
        self.steer(caller, id, ("schedules.pause", true)).await
    }

    /// Lets a schedule go on with its next time. Times that passed meanwhile are not made up for.
    pub async fn resume(&self, caller: &Caller, id: ScheduleId) -> Result<Schedule> {
        self.steer(caller, id, ("schedules.resume", false)).await
    }

    /// Removes a schedule and what is known of its runs. Transfers that it started go on.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: ScheduleId,
        precondition: Precondition,
    ) -> Result<()> {
        for _ in 0..RACES_MAX {
            let permit = self.manage(caller, "schedules.delete").await?;
            let known = self.core.tenant(permit.tenant()).await?;
            let schedule = self.find_own(caller, &permit, id).await?;
            precondition.admit(Some(&schedule.revision.to_string()), &known.tenant)?;
            let mut change = self.core.store.change(&permit);
            change.delete_schedule(&schedule);
            change.end_job(JobKind::FireSchedule, &id.to_string());
            let note = Note::record("schedules.delete")
                .about(id)
                .with(serde_json::json!({ "name": schedule.name }));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::SCHEDULE)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("schedule"))
    }

    async fn steer(
        &self,
        caller: &Caller,
        id: ScheduleId,
        (operation, is_paused): (&'static str, bool),
    ) -> Result<Schedule> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let asked = (operation, &Precondition::Unasked);
        self.write(caller, id, asked, |schedule| schedule.is_paused = is_paused)
            .await
    }

    async fn write(
        &self,
        caller: &Caller,
        id: ScheduleId,
        (operation, precondition): (&'static str, &Precondition),
        act: impl Fn(&mut Schedule),
    ) -> Result<Schedule> {
        for _ in 0..RACES_MAX {
            let permit = self.manage(caller, operation).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            let mut schedule = self.find_own(caller, &permit, id).await?;
            precondition.admit(Some(&schedule.revision.to_string()), &known.tenant)?;
            let old_target = schedule.target.clone();
            act(&mut schedule);
            let now = self.core.clock.now();
            let reader = self.core.store.reader(&permit);
            let calendar = calendar_of(&reader, schedule.calendar).await?;
            let next_at = schedule.next(now, calendar.as_ref());
            schedule.next_at = next_at.filter(|_| !schedule.is_paused);
            schedule.updated_at = now;
            schedule.revision += 1;
            self.free_name(&permit, &schedule).await?;
            let mut change = self.core.store.change(&permit);
            change.put_schedule(&schedule);
            if schedule.target != old_target {
                change.put_references(&id.to_string(), &named_in(&schedule.target)?);
            }
            self.core
                .set_alarm(&mut change, permit.tenant(), &schedule, schedule.next_at);
            made(&mut change, &schedule)?;
            let note = Note::record(operation).about(id);
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(schedule),
                Err(DbError::Conflict(conflict::SCHEDULE | conflict::REFERENCE_GONE)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("schedule"))
    }

    /// Whether a wish can be one, with the calendar that it names.
    async fn check(
        &self,
        caller: &Caller,
        permit: &Permit,
        new: &NewSchedule,
    ) -> Result<Option<Calendar>> {
        check(new)?;
        let reader = self.core.store.reader(permit);
        let calendar = calendar_of(&reader, new.calendar).await?;
        if new.calendar.is_some() && calendar.is_none() {
            let detail = "There is no such calendar.";
            return Err(Error::field("#/calendar_id", "unknown", detail));
        }
        has_times(new, self.core.clock.now(), calendar.as_ref())?;
        match &new.target {
            NewTarget::Transfer { transfer, .. } => {
                let judged = self.core.transfers().judge(caller, transfer).await;
                judged.map_err(|error| error.within("transfer"))?;
            }
            NewTarget::Flow { flow, .. } => {
                self.enter(caller, "flows.run", Action::FlowManage).await?;
                self.core
                    .flows()
                    .get(caller, *flow)
                    .await
                    .map_err(|error| {
                        if error.kind() == ErrorKind::NotFound {
                            Error::field("#/flow/flow_id", "unknown", "There is no such flow.")
                        } else {
                            error
                        }
                    })?;
            }
        }
        Ok(calendar)
    }

    async fn manage(&self, caller: &Caller, operation: &'static str) -> Result<Permit> {
        self.enter(caller, operation, Action::ScheduleManage).await
    }

    async fn enter(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
    ) -> Result<Permit> {
        let ask = Ask {
            operation,
            action,
            resource: &Resource::Tenant,
            what: "schedule",
        };
        self.core.enter(caller, ask).await
    }

    async fn find(&self, caller: &Caller, permit: &Permit, id: ScheduleId) -> Result<Schedule> {
        let reader = self.core.store.reader(permit);
        let found = reader.schedule(id).await.map_err(error::from_db)?;
        found
            .filter(|schedule| is_shown(caller, schedule))
            .ok_or_else(|| Error::not_found("schedule"))
    }

    /// One that is changed here. What stands in a flow's document is changed there.
    async fn find_own(&self, caller: &Caller, permit: &Permit, id: ScheduleId) -> Result<Schedule> {
        let found = self.find(caller, permit, id).await?;
        match found.stands_in {
            None => Ok(found),
            Some(flow) => {
                let detail = format!(
                    "It stands in the document of the flow {flow}; change that, or switch the flow off."
                );
                Err(Error::new(ErrorKind::StateConflict, detail))
            }
        }
    }

    async fn free_name(&self, permit: &Permit, schedule: &Schedule) -> Result<()> {
        let reader = self.core.store.reader(permit);
        let found = reader.schedule_named(&schedule.name).await;
        let found = found.map_err(error::from_db)?;
        if found.is_none_or(|found| found.id == schedule.id) {
            return Ok(());
        }
        let detail = format!("There is a schedule `{}`.", schedule.name);
        Err(Error::new(ErrorKind::NameTaken, detail))
    }
}

impl Core {
    /// A schedule that is stored nowhere yet.
    pub(crate) fn new_schedule(
        &self,
        by: PrincipalId,
        new: NewSchedule,
        calendar: Option<&Calendar>,
    ) -> Result<Schedule> {
        let now = self.clock.now();
        Ok(Schedule {
            id: ScheduleId::new(now, &*self.chance),
            created_at: now,
            revision: 1,
            is_paused: false,
            next_at: new.timing.next(now, calendar),
            name: new.name,
            description: new.description,
            timing: new.timing,
            calendar: new.calendar,
            jitter_seconds: new.jitter_seconds,
            misfire: new.misfire,
            target: stored(&new.target)?,
            stands_in: None,
            created_by: by,
            created_with: None,
            updated_at: now,
        })
    }

    /// Makes a schedule's job due when the run of a time begins, or removes it where there is no time.
    pub(crate) fn set_alarm(
        &self,
        change: &mut Change,
        tenant: TenantId,
        schedule: &Schedule,
        next_at: Option<Timestamp>,
    ) {
        let subject = schedule.id.to_string();
        let Some(next_at) = next_at else {
            change.end_job(JobKind::FireSchedule, &subject);
            return;
        };
        change.awaken(&Job {
            id: JobId::new(self.clock.now(), &*self.chance),
            tenant,
            kind: JobKind::FireSchedule,
            subject,
            lane: format!("tenant:{tenant}"),
            run_at: schedule.begins_at(next_at),
            priority: 0,
        });
    }
}

/// A key that is bound to paths sees the schedules that it made: their ends may lie outside its paths.
pub(crate) fn is_shown(caller: &Caller, schedule: &Schedule) -> bool {
    caller.path_prefixes().is_empty()
        || (key_of(caller).is_some() && schedule.created_with == key_of(caller))
}

/// The calendar of an id, if there is one.
pub(crate) async fn calendar_of(
    reader: &Reader,
    id: Option<CalendarId>,
) -> Result<Option<Calendar>> {
    match id {
        Some(id) => reader.calendar(id).await.map_err(error::from_db),
        None => Ok(None),
    }
}
