//! What a client wants a calendar to be.

use bailee_api::CreateCalendar;
use bailee_core::NewCalendar;
use bailee_model::{Error, Holiday, WorkingDays};

pub(super) fn command(wish: CreateCalendar) -> Result<NewCalendar, Error> {
    let working_days = match &wish.working_days {
        None => WorkingDays::USUAL,
        Some(names) => {
            let found = WorkingDays::named(names.iter().map(String::as_str));
            found.ok_or_else(|| {
                let detail = "One or more of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`.";
                Error::field("#/working_days", "invalid_days", detail)
            })?
        }
    };
    let mut holidays = Vec::with_capacity(wish.holidays.len());
    for (at, holiday) in wish.holidays.into_iter().enumerate() {
        let date = holiday.date.parse().map_err(|why| {
            let pointer = format!("#/holidays/{at}/date");
            Error::field(
                &pointer,
                "invalid_date",
                format!("`{}`: {why}.", holiday.date),
            )
        })?;
        holidays.push(Holiday {
            date,
            name: holiday.name,
        });
    }
    Ok(NewCalendar {
        name: wish.name,
        description: wish.description,
        working_days,
        holidays,
    })
}
