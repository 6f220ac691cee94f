use std::path::PathBuf;
use std::time::Duration;

use bailee_client::model::{DayRule, MisfireRule, OnConflict};
use clap::{Args, Subcommand};

use super::{duration, word};
use crate::place::Place;

/// `bailee schedule …`
#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Have the server start a transfer again and again
    #[command(
        after_help = "Examples:\n  bailee schedule add nightly --cron '30 2 * * mon-fri' --tz Europe/Berlin --from :/out/ --to bank:/in/\n  bailee schedule add month-end --cron '0 18 28 * *' --calendar frankfurt --day-rule next_business_day --from :/books/ --to bank:/in/\n  bailee schedule add --file schedule.json"
    )]
    Add(Box<ScheduleAddArgs>),
    /// Put another configuration in a schedule's place, as JSON of `POST /schedules`
    Replace(ScheduleReplaceArgs),
    /// List schedules
    List,
    /// Show one schedule
    #[command(visible_alias = "show")]
    Get(ScheduleArgs),
    /// Show when a schedule runs next
    Next(ScheduleNextArgs),
    /// Show past times of a schedule and what came of them
    Runs(ScheduleRunsArgs),
    /// Hold a schedule
    Pause(ScheduleArgs),
    /// Let a held schedule go on with its next time
    Resume(ScheduleArgs),
    /// Remove a schedule
    Rm(ScheduleArgs),
}

/// Arguments of `schedule add`.
#[derive(Debug, Args)]
pub struct ScheduleAddArgs {
    /// Name to find it by
    #[arg(required_unless_present = "file")]
    pub name: Option<String>,
    /// Minute, hour, day of the month, month, day of the week; or @daily and its like
    #[arg(long, value_name = "EXPRESSION", required_unless_present = "file")]
    pub cron: Option<String>,
    /// Source: :/path or remote:/path; a trailing slash names a folder
    #[arg(long, value_name = "END", required_unless_present_any = ["file", "flow"])]
    pub from: Option<Place>,
    /// Destination: :/path or remote:/path
    #[arg(long, value_name = "END", required_unless_present_any = ["file", "flow"])]
    pub to: Option<Place>,
    /// Start this flow instead of a transfer
    #[arg(long, value_name = "FLW", conflicts_with_all = ["from", "to", "include", "on_conflict", "deadline"])]
    pub flow: Option<String>,
    /// Value of a parameter of the flow; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = super::pair, requires = "flow")]
    pub params: Vec<(String, String)>,
    /// Time zone, such as Europe/Berlin; UTC when absent
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// Calendar whose days count, by name or id
    #[arg(long, value_name = "CALENDAR")]
    pub calendar: Option<String>,
    /// Which days: every_day, not_on_holidays, business_days, next_business_day or previous_business_day
    #[arg(long, value_name = "WORD", value_parser = word::<DayRule>)]
    pub day_rule: Option<DayRule>,
    /// Spread runs over so long after their time (90s, 10m)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub jitter: Option<Duration>,
    /// What becomes of times that passed while nobody ran: run_once, skip or run_all
    #[arg(long, value_name = "WORD", value_parser = word::<MisfireRule>)]
    pub misfire: Option<MisfireRule>,
    /// Transfers expire so long after they were due (90s, 10m, 2h)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub deadline: Option<Duration>,
    /// Only files that match; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub include: Vec<String>,
    /// What to do when the destination is occupied: fail, replace, rename or skip
    #[arg(long, value_name = "WORD", value_parser = word::<OnConflict>)]
    pub on_conflict: Option<OnConflict>,
    /// Take all of it from a JSON file as for POST /schedules; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "cron", "from", "to", "flow"])]
    pub file: Option<PathBuf>,
}

/// Arguments of `schedule replace`.
#[derive(Debug, Args)]
pub struct ScheduleReplaceArgs {
    /// Name or sch_…
    pub schedule: String,
    /// JSON file as for POST /schedules; - is stdin
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
}

/// One schedule.
#[derive(Debug, Args)]
pub struct ScheduleArgs {
    /// Name or sch_…
    pub schedule: String,
}

/// Arguments of `schedule next`.
#[derive(Debug, Args)]
pub struct ScheduleNextArgs {
    /// Name or sch_…
    pub schedule: String,
    /// How many times, 1 to 100
    #[arg(long, default_value_t = 10)]
    pub count: u32,
}

/// Arguments of `schedule runs`.
#[derive(Debug, Args)]
pub struct ScheduleRunsArgs {
    /// Name or sch_…
    pub schedule: String,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// `bailee calendar …`
#[derive(Debug, Subcommand)]
pub enum CalendarCommand {
    /// Make a calendar of working days and holidays
    #[command(
        after_help = "Examples:\n  bailee calendar add frankfurt --holiday '*-12-25=Christmas Day' --holiday 2026-04-03='Good Friday'\n  bailee calendar add --file calendar.json"
    )]
    Add(CalendarAddArgs),
    /// Put another content in a calendar's place, as JSON of `POST /calendars`
    Replace(CalendarReplaceArgs),
    /// List calendars
    List,
    /// Show one calendar
    #[command(visible_alias = "show")]
    Get(CalendarArgs),
    /// Remove a calendar
    Rm(CalendarArgs),
}

/// Arguments of `calendar add`.
#[derive(Debug, Args)]
pub struct CalendarAddArgs {
    /// Name to find it by
    #[arg(required_unless_present = "file")]
    pub name: Option<String>,
    /// Working days, such as mon,tue,wed; Monday to Friday when absent
    #[arg(long, value_name = "DAYS", value_delimiter = ',')]
    pub days: Vec<String>,
    /// A holiday: 2026-04-03=Good Friday, or *-12-25=Christmas Day for each year; may be repeated
    #[arg(long = "holiday", value_name = "DATE=NAME", value_parser = super::pair)]
    pub holidays: Vec<(String, String)>,
    /// Take all of it from a JSON file as for POST /calendars; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "days", "holidays"])]
    pub file: Option<PathBuf>,
}

/// Arguments of `calendar replace`.
#[derive(Debug, Args)]
pub struct CalendarReplaceArgs {
    /// Name or cal_…
    pub calendar: String,
    /// JSON file as for POST /calendars; - is stdin
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
}

/// One calendar.
#[derive(Debug, Args)]
pub struct CalendarArgs {
    /// Name or cal_…
    pub calendar: String,
}
