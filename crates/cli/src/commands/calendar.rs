use bailee_client::Client;
use bailee_client::api::{Calendar, CreateCalendar, CreateHoliday};
use bailee_client::model::CalendarId;

use super::{from_file, view};
use crate::Failure;
use crate::args::{CalendarAddArgs, CalendarCommand};
use crate::session::Session;

/// Longest list of calendars that is shown.
const ROWS_MAX: usize = 10_000;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: CalendarCommand,
) -> Result<(), Failure> {
    let calendars = client.calendars();
    match command {
        CalendarCommand::Add(args) => {
            let calendar = calendars.create(&request(args)?).await?;
            session.output.one(&calendar, view::CALENDAR)
        }
        CalendarCommand::Replace(args) => {
            let calendar = find(client, &args.calendar).await?;
            let new = from_file(&args.file)?;
            let calendar = calendars.replace(calendar.calendar_id, &new).await?;
            session.output.one(&calendar, view::CALENDAR)
        }
        CalendarCommand::List => {
            let found = calendars.list().take(ROWS_MAX).await?;
            session.output.list(&found, view::CALENDAR)
        }
        CalendarCommand::Get(args) => session
            .output
            .one(&find(client, &args.calendar).await?, view::CALENDAR),
        CalendarCommand::Rm(args) => {
            let calendar = find(client, &args.calendar).await?;
            session.confirm(&format!("remove the calendar {}?", calendar.name))?;
            calendars.delete(calendar.calendar_id).await?;
            session.say(&format!("removed {}", calendar.name));
            Ok(())
        }
    }
}

/// A calendar by id or name.
pub(super) async fn find(client: &Client, text: &str) -> Result<Calendar, Failure> {
    if let Ok(id) = text.parse::<CalendarId>() {
        return Ok(client.calendars().get(id).await?);
    }
    let found = client.calendars().by_name(text).await?;
    found.ok_or_else(|| Failure::NotFound(format!("no calendar is named `{text}`")))
}

fn request(args: CalendarAddArgs) -> Result<CreateCalendar, Failure> {
    if let Some(file) = &args.file {
        return from_file(file);
    }
    let holidays = args.holidays.into_iter();
    Ok(CreateCalendar {
        name: args.name.unwrap_or_default(),
        description: None,
        working_days: (!args.days.is_empty()).then_some(args.days),
        holidays: holidays
            .map(|(date, name)| CreateHoliday { date, name })
            .collect(),
    })
}
