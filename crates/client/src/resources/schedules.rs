use bailee_api::{CreateSchedule, Schedule, ScheduleRun, ScheduleTimes};
use bailee_model::ScheduleId;

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Schedules: what happens by itself, and when.
    Schedules, schedules
}

impl Schedules<'_> {
    /// Makes a schedule.
    pub async fn create(&self, schedule: &CreateSchedule) -> Result<Schedule> {
        self.0.json(Call::post("/schedules").json(schedule)?).await
    }

    /// All schedules, newest first.
    pub fn list(&self) -> Listing<Schedule> {
        Listing::new(self.0, Call::get("/schedules"))
    }

    /// One of them.
    pub async fn get(&self, schedule: ScheduleId) -> Result<Schedule> {
        let call = Call::get(format!("/schedules/{schedule}"));
        self.0.json(call).await
    }

    /// The one with this name, if there is one.
    pub async fn by_name(&self, name: &str) -> Result<Option<Schedule>> {
        let mut schedules = self.list();
        while let Some(schedule) = schedules.next().await? {
            if schedule.name == name {
                return Ok(Some(schedule));
            }
        }
        Ok(None)
    }

    /// Puts another content in its place.
    pub async fn replace(&self, schedule: ScheduleId, new: &CreateSchedule) -> Result<Schedule> {
        let call = Call::put(format!("/schedules/{schedule}")).json(new)?;
        self.0.json(call).await
    }

    /// Its coming times, 10 when no number is named.
    pub async fn next(&self, schedule: ScheduleId, count: Option<u32>) -> Result<ScheduleTimes> {
        let call = Call::get(format!("/schedules/{schedule}/next")).maybe("count", count);
        self.0.json(call).await
    }

    /// Its past times and what came of them, newest first.
    pub fn runs(&self, schedule: ScheduleId) -> Listing<ScheduleRun> {
        let call = Call::get(format!("/schedules/{schedule}/runs"));
        Listing::new(self.0, call)
    }

    /// Holds it.
    pub async fn pause(&self, schedule: ScheduleId) -> Result<Schedule> {
        let call = Call::post(format!("/schedules/{schedule}/pause"));
        self.0.json(call).await
    }

    /// Lets it go on.
    pub async fn resume(&self, schedule: ScheduleId) -> Result<Schedule> {
        let call = Call::post(format!("/schedules/{schedule}/resume"));
        self.0.json(call).await
    }

    /// Removes it.
    pub async fn delete(&self, schedule: ScheduleId) -> Result<()> {
        let call = Call::delete(format!("/schedules/{schedule}"));
        self.0.gone(call).await
    }
}
