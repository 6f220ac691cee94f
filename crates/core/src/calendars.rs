//! Calendars: which days are worked on. A change of one moves the times of all schedules that follow it.

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Calendar, CalendarId, Error, ErrorKind, Holiday, Page, PageRequest, Result, WorkingDays, limit,
};
use bailee_store::{Change, DbError, conflict};

use crate::files::{Precondition, RACES_MAX};
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::{Core, checks, error};

/// The calendars of the caller's tenant.
pub struct Calendars<'a> {
    pub(crate) core: &'a Core,
}

/// A calendar to be made, or what one is to become.
#[derive(Clone, Debug)]
pub struct NewCalendar {
    /// Unique in the tenant.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// The days of a week that are worked on.
    pub working_days: WorkingDays,
    /// The days that are not.
    pub holidays: Vec<Holiday>,
}

impl Calendars<'_> {
    /// Makes a calendar.
    pub async fn create(&self, caller: &Caller, new: NewCalendar) -> Result<Calendar> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self
            .enter(caller, "calendars.create", Action::ScheduleManage)
            .await?;
        check(&new)?;
        let now = self.core.clock.now();
        let calendar = Calendar {
            id: CalendarId::new(now, &*self.core.chance),
            name: new.name,
            description: new.description,
            working_days: new.working_days,
            holidays: new.holidays,
            created_at: now,
            revision: 1,
        };
        self.free_name(&permit, &calendar).await?;
        let mut change = self.core.store.change(&permit);
        change.insert_calendar(&calendar, limit::CALENDARS_MAX);
        made(&mut change, &calendar)?;
        let note = Note::record("calendars.create")
            .about(calendar.id)
            .with(serde_json::json!({ "name": calendar.name }));
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(|error| match error {
            DbError::Conflict(conflict::CALENDAR) => {
                error::enough("A tenant", limit::CALENDARS_MAX, "calendars")
            }
            other => error::from_db(other),
        })?;
        Ok(calendar)
    }

    /// Calendars, newest first.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<Calendar>> {
        let permit = self
            .enter(caller, "calendars.list", Action::ScheduleRead)
            .await?;
        let reader = self.core.store.reader(&permit);
        reader.calendars(&page).await.map_err(error::from_db)
    }

    /// One calendar.
    pub async fn get(&self, caller: &Caller, id: CalendarId) -> Result<Calendar> {
        let permit = self
            .enter(caller, "calendars.get", Action::ScheduleRead)
            .await?;
        self.find(&permit, id).await
    }

    /// Puts another content in the place of a calendar's. Schedules that follow it get their new times at once.
    pub async fn replace(
        &self,
        caller: &Caller,
        id: CalendarId,
        new: NewCalendar,
        precondition: Precondition,
    ) -> Result<Calendar> {
        check(&new)?;
        for _ in 0..RACES_MAX {
            let permit = self
                .enter(caller, "calendars.replace", Action::ScheduleManage)
                .await?;
            let known = self.core.tenant(permit.tenant()).await?;
            let old = self.find(&permit, id).await?;
            precondition.admit(Some(&old.revision.to_string()), &known.tenant)?;
            let calendar = Calendar {
                name: new.name.clone(),
                description: new.description.clone(),
                working_days: new.working_days,
                holidays: new.holidays.clone(),
                revision: old.revision + 1,
                ..old
            };
            self.free_name(&permit, &calendar).await?;
            let mut change = self.core.store.change(&permit);
            change.put_calendar(&calendar);
            self.move_schedules(&mut change, &permit, &calendar).await?;
            let note = Note::record("calendars.replace").about(id);
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(calendar),
                Err(DbError::Conflict(conflict::CALENDAR | conflict::SCHEDULE)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("calendar"))
    }

    /// Removes a calendar that no schedule follows.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: CalendarId,
        precondition: Precondition,
    ) -> Result<()> {
        for _ in 0..RACES_MAX {
            let permit = self
                .enter(caller, "calendars.delete", Action::ScheduleManage)
                .await?;
            let known = self.core.tenant(permit.tenant()).await?;
            let calendar = self.find(&permit, id).await?;
            precondition.admit(Some(&calendar.revision.to_string()), &known.tenant)?;
            let reader = self.core.store.reader(&permit);
            let users = reader.schedules_of(id).await.map_err(error::from_db)?;
            if let Some(user) = users.first() {
                let detail = format!("The schedule `{}` follows this calendar.", user.name);
                return Err(Error::new(ErrorKind::InUse, detail));
            }
            let rules = reader.rules_of(id).await.map_err(error::from_db)?;
            if let Some(rule) = rules.first() {
                let detail = format!("The alert rule `{}` follows this calendar.", rule.name);
                return Err(Error::new(ErrorKind::InUse, detail));
            }
            let mut change = self.core.store.change(&permit);
            change.delete_calendar(&calendar);
            let note = Note::record("calendars.delete")
                .about(id)
                .with(serde_json::json!({ "name": calendar.name }));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::CALENDAR)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("calendar"))
    }

    async fn move_schedules(
        &self,
        change: &mut Change,
        permit: &Permit,
        calendar: &Calendar,
    ) -> Result<()> {
        let reader = self.core.store.reader(permit);
        let followers = reader.schedules_of(calendar.id).await;
        let now = self.core.clock.now();
        for schedule in followers.map_err(error::from_db)? {
            if schedule.is_paused {
                continue;
            }
            let next_at = schedule.next(now, Some(calendar));
            change.move_schedule(&schedule, next_at);
            self.core
                .set_alarm(change, permit.tenant(), &schedule, next_at);
        }
        Ok(())
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
            what: "calendar",
        };
        self.core.enter(caller, ask).await
    }

    async fn find(&self, permit: &Permit, id: CalendarId) -> Result<Calendar> {
        let reader = self.core.store.reader(permit);
        let found = reader.calendar(id).await.map_err(error::from_db)?;
        found.ok_or_else(|| Error::not_found("calendar"))
    }

    async fn free_name(&self, permit: &Permit, calendar: &Calendar) -> Result<()> {
        let reader = self.core.store.reader(permit);
        let found = reader.calendar_named(&calendar.name).await;
        let found = found.map_err(error::from_db)?;
        if found.is_none_or(|found| found.id == calendar.id) {
            return Ok(());
        }
        let detail = format!("There is a calendar `{}`.", calendar.name);
        Err(Error::new(ErrorKind::NameTaken, detail))
    }
}

fn check(new: &NewCalendar) -> Result<()> {
    checks::text("#/name", &new.name)?;
    if let Some(description) = &new.description {
        checks::text("#/description", description)?;
    }
    if new.holidays.len() > limit::HOLIDAYS_MAX {
        let detail = format!("At most {} holidays.", limit::HOLIDAYS_MAX);
        return Err(Error::field("#/holidays", "too_many", detail));
    }
    for (at, holiday) in new.holidays.iter().enumerate() {
        checks::text(&format!("#/holidays/{at}/name"), &holiday.name)?;
    }
    Ok(())
}
