use bailee_api::{Calendar, CreateCalendar};
use bailee_model::CalendarId;

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Calendars: which days are worked on.
    Calendars, calendars
}

impl Calendars<'_> {
    /// Makes a calendar.
    pub async fn create(&self, calendar: &CreateCalendar) -> Result<Calendar> {
        self.0.json(Call::post("/calendars").json(calendar)?).await
    }

    /// All calendars, newest first.
    pub fn list(&self) -> Listing<Calendar> {
        Listing::new(self.0, Call::get("/calendars"))
    }

    /// One of them.
    pub async fn get(&self, calendar: CalendarId) -> Result<Calendar> {
        let call = Call::get(format!("/calendars/{calendar}"));
        self.0.json(call).await
    }

    /// The one with this name, if there is one.
    pub async fn by_name(&self, name: &str) -> Result<Option<Calendar>> {
        let mut calendars = self.list();
        while let Some(calendar) = calendars.next().await? {
            if calendar.name == name {
                return Ok(Some(calendar));
            }
        }
        Ok(None)
    }

    /// Puts another content in its place.
    pub async fn replace(&self, calendar: CalendarId, new: &CreateCalendar) -> Result<Calendar> {
        let call = Call::put(format!("/calendars/{calendar}")).json(new)?;
        self.0.json(call).await
    }

    /// Removes it.
    pub async fn delete(&self, calendar: CalendarId) -> Result<()> {
        let call = Call::delete(format!("/calendars/{calendar}"));
        self.0.gone(call).await
    }
}
