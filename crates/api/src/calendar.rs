//! Calendars: which days are worked on.

use bailee_model::{CalendarId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Links, List};

/// A day on which nobody works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateHoliday {
    /// When: `2026-04-03`, or `*-12-25` for the same day of each year.
    #[schema(example = "*-12-25")]
    pub date: String,
    /// What it is called.
    #[schema(example = "Christmas Day")]
    pub name: String,
}

/// Body of `POST /calendars` and `PUT /calendars/{calendar_id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "frankfurt", "working_days": ["mon", "tue", "wed", "thu", "fri"], "holidays": [{"date": "*-12-25", "name": "Christmas Day"}]}))]
pub struct CreateCalendar {
    /// Unique in the tenant.
    pub name: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The days of a week that are worked on, of `mon` to `sun`; Monday to Friday when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_days: Option<Vec<String>>,
    /// The days that are not.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub holidays: Vec<CreateHoliday>,
}

/// A day on which nobody works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Holiday {
    /// When: a date, or `*-12-25` for the same day of each year.
    #[schema(example = "*-12-25")]
    pub date: String,
    /// What it is called.
    #[schema(example = "Christmas Day")]
    pub name: String,
}

/// A calendar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Calendar {
    /// Names the calendar.
    #[schema(value_type = String, example = "cal_01m7yp4mxce2p9mnpcpdzk3jvm")]
    pub calendar_id: CalendarId,
    /// Unique in the tenant.
    pub name: String,
    /// For people.
    #[schema(required)]
    pub description: Option<String>,
    /// The days of a week that are worked on, from Monday on.
    pub working_days: Vec<String>,
    /// The days that are not.
    pub holidays: Vec<Holiday>,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of calendars.
pub type CalendarList = List<Calendar>;

impl From<&bailee_model::Calendar> for Calendar {
    fn from(calendar: &bailee_model::Calendar) -> Self {
        let holidays = calendar.holidays.iter().map(|holiday| Holiday {
            date: holiday.date.to_string(),
            name: holiday.name.clone(),
        });
        Self {
            calendar_id: calendar.id,
            name: calendar.name.clone(),
            description: calendar.description.clone(),
            working_days: calendar.working_days.names().map(str::to_owned).collect(),
            holidays: holidays.collect(),
            created_at: calendar.created_at,
            links: Links::to("calendars", calendar.id),
        }
    }
}
