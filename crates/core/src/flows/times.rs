//! Times that stand in documents. For each there is a schedule of the flow's own, which comes, changes and goes with the
//! document, in one transaction, and rests while the flow is switched off.

use bailee_auth::Permit;
use bailee_model::flow::{ScheduleTrigger, Trigger};
use bailee_model::{
    Calendar, Error, ErrorKind, Flow, FlowDocument, JobKind, Misfire, Result, Schedule, Timing,
    limit,
};
use bailee_store::{Change, Reader};

use super::Flows;
use crate::schedules::{check, has_times};
use crate::{NewSchedule, NewTarget, error};

impl Flows<'_> {
    /// Brings the schedules of a flow to what its document says.
    pub(super) async fn set_times(
        &self,
        permit: &Permit,
        change: &mut Change,
        (flow, document): (&mut Flow, &FlowDocument),
    ) -> Result<()> {
        let reader = self.core.store.reader(permit);
        let mut known = self.times(&reader, flow).await?.into_iter();
        flow.schedules.clear();
        for (at, trigger) in document.triggers.iter().enumerate() {
            let Trigger::Schedule(trigger) = trigger else {
                continue;
            };
            let place = format!("triggers/{at}");
            let made = self.time(&reader, flow, trigger).await;
            let (mut schedule, calendar) = made.map_err(|error| error.within(&place))?;
            let now = self.core.clock.now();
            if let Some(old) = known.next() {
                schedule.id = old.id;
                schedule.created_at = old.created_at;
                schedule.revision = old.revision + 1;
            }
            free_name(&reader, &schedule)
                .await
                .map_err(|error| error.within(&place))?;
            schedule.next_at = schedule
                .next(now, calendar.as_ref())
                .filter(|_| flow.is_enabled);
            if schedule.revision == 1 {
                change.insert_schedule(&schedule, limit::SCHEDULES_MAX);
            } else {
                change.put_schedule(&schedule);
            }
            self.core
                .set_alarm(change, permit.tenant(), &schedule, schedule.next_at);
            flow.schedules.push(schedule.id);
        }
        for old in known {
            end(change, &old);
        }
        Ok(())
    }

    /// Removes the schedules of a flow.
    pub(super) async fn end_times(
        &self,
        reader: &Reader,
        change: &mut Change,
        flow: &Flow,
    ) -> Result<()> {
        for schedule in self.times(reader, flow).await? {
            end(change, &schedule);
        }
        Ok(())
    }

    async fn times(&self, reader: &Reader, flow: &Flow) -> Result<Vec<Schedule>> {
        let mut found = Vec::with_capacity(flow.schedules.len());
        for id in &flow.schedules {
            found.extend(reader.schedule(*id).await.map_err(error::from_db)?);
        }
        Ok(found)
    }

    /// The schedule that a trigger asks for, and the calendar that it follows.
    async fn time(
        &self,
        reader: &Reader,
        flow: &Flow,
        trigger: &ScheduleTrigger,
    ) -> Result<(Schedule, Option<Calendar>)> {
        let calendar = match &trigger.calendar {
            Some(name) => {
                let found = reader.calendar_named(name).await.map_err(error::from_db)?;
                let unknown = || {
                    let detail = format!("There is no calendar `{name}`.");
                    Error::field("#/calendar", "unknown_calendar", detail)
                };
                Some(found.ok_or_else(unknown)?)
            }
            None => None,
        };
        let document = FlowDocument::parse(&flow.document)?;
        let name = match flow.schedules.len() {
            0 => flow.name.to_string(),
            before => format!("{} {}", flow.name, before + 1),
        };
        let new = NewSchedule {
            name,
            description: document.description,
            timing: Timing::daily(
                trigger.cron.clone(),
                document.timezone.rules(),
                trigger.day_rule,
            ),
            calendar: calendar.as_ref().map(|calendar| calendar.id),
            jitter_seconds: trigger.jitter_seconds,
            misfire: Misfire {
                rule: trigger.misfire,
                ..Misfire::default()
            },
            target: NewTarget::Flow {
                flow: flow.id,
                params: std::collections::BTreeMap::new(),
            },
        };
        check(&new)?;
        has_times(&new, self.core.clock.now(), calendar.as_ref())?;
        let owner = flow.mandate.principal;
        let made = self.core.new_schedule(owner, new, calendar.as_ref())?;
        let schedule = Schedule {
            stands_in: Some(flow.id),
            is_paused: !flow.is_enabled,
            ..made
        };
        Ok((schedule, calendar))
    }
}

async fn free_name(reader: &Reader, schedule: &Schedule) -> Result<()> {
    let found = reader.schedule_named(&schedule.name).await;
    let found = found.map_err(error::from_db)?;
    if found.is_none_or(|found| found.id == schedule.id) {
        return Ok(());
    }
    let detail = format!(
        "There is a schedule `{}` already, which does not stand in this document.",
        schedule.name
    );
    Err(Error::new(ErrorKind::NameTaken, detail.clone()).with_field("#", "name_taken", detail))
}

fn end(change: &mut Change, schedule: &Schedule) {
    change.delete_schedule(schedule);
    change.end_job(JobKind::FireSchedule, &schedule.id.to_string());
}

/// A schedule could not be added: there are as many as there may be.
pub(super) fn enough() -> Error {
    error::enough("A tenant", limit::SCHEDULES_MAX, "schedules")
}
