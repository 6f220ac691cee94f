//! Schedules: what happens by itself, and when.

use std::collections::BTreeMap;

use bailee_model::{
    self as model, CalendarId, FlowId, FlowRunId, PrincipalId, ScheduleId, Timestamp, TransferId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};
use crate::{CreateTransfer, Links, List, OnConflict, Sync, TransferRetry, Verify, object};

words! {
    /// On which days of its cron expression a schedule runs.
    DayRule {
        /// On all.
        EveryDay = "every_day",
        /// Not on holidays of its calendar.
        NotOnHolidays = "not_on_holidays",
        /// On business days only.
        BusinessDays = "business_days",
        /// On the next business day, where a day is none.
        NextBusinessDay = "next_business_day",
        /// On the business day before, where a day is none.
        PreviousBusinessDay = "previous_business_day",
    }
}
words_from!(bailee_model::DayRule => DayRule { EveryDay, NotOnHolidays, BusinessDays, NextBusinessDay, PreviousBusinessDay });

words! {
    /// What becomes of times that passed while nobody ran.
    MisfireRule {
        /// One run stands for all of them.
        RunOnce = "run_once",
        /// None is made up for.
        Skip = "skip",
        /// Each has its run, the newest ones up to `runs_max`.
        RunAll = "run_all",
    }
}
words_from!(bailee_model::MisfireRule => MisfireRule { RunOnce, Skip, RunAll });

words! {
    /// Whether a schedule's times come.
    ScheduleState {
        /// They do.
        Active = "active",
        /// Somebody holds it.
        Paused = "paused",
        /// There are none left.
        Ended = "ended",
    }
}

words! {
    /// What came of a time.
    ScheduleOutcome {
        /// What it is for was started.
        Started = "started",
        /// Nothing: it had passed, and is not made up for.
        Skipped = "skipped",
        /// Nothing: it was refused.
        Refused = "refused",
    }
}

/// A time of each day; `22:00` to `05:00` goes past midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateDayWindow {
    /// Its first minute.
    #[schema(example = "22:00")]
    pub opens: String,
    /// The first minute after it.
    #[schema(example = "05:00")]
    pub closes: String,
}

/// How times that passed are dealt with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateMisfire {
    /// What becomes of them; `run_once` when absent.
    #[schema(value_type = Option<MisfireRule>)]
    pub rule: Option<model::MisfireRule>,
    /// Most runs that make up for them with `run_all`; 10 when absent.
    #[schema(minimum = 1, maximum = 100)]
    pub runs_max: Option<u32>,
    /// A run that is not later than this is on time, with `skip`; 300 when absent.
    #[schema(minimum = 0, maximum = 86400)]
    pub grace_seconds: Option<u32>,
}

/// Body of `POST /schedules` and `PUT /schedules/{schedule_id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "nightly", "cron": "30 2 * * mon-fri", "time_zone": "Europe/Berlin", "transfer": {"source": "/reports/", "destination": "bank:/in/"}}))]
pub struct CreateSchedule {
    /// Unique in the tenant.
    pub name: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Minute, hour, day of the month, month, day of the week. Numbers, names, `*`, ranges `1-5`, lists `1,15`, steps
    /// `*/10`; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
    #[schema(example = "30 2 * * mon-fri")]
    pub cron: String,
    /// Whose clocks, by the name in the IANA database; `UTC` when absent. A time that the clocks leave out is the first
    /// minute after; one that they show twice is the first of the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// Whose working days and holidays. Without one, Monday to Friday are business days and there are no holidays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "cal_01m7yp4mxce2p9mnpcpdzk3jvm")]
    pub calendar_id: Option<CalendarId>,
    /// Which of the days; `every_day` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DayRule>)]
    pub day_rule: Option<model::DayRule>,
    /// Only within this time of the day.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub window: Option<CreateDayWindow>,
    /// Not before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub starts_at: Option<Timestamp>,
    /// Not at or after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub ends_at: Option<Timestamp>,
    /// Runs are spread over so many seconds after their time; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 3600)]
    pub jitter_seconds: Option<u32>,
    /// How times that passed while nobody ran are dealt with.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub misfire: Option<CreateMisfire>,
    /// The transfer that each run starts, as for `POST /transfers`, without `start_at` and `deadline`. This or `flow`.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub transfer: Option<CreateTransfer>,
    /// The flow that each run starts. Its templates find `trigger.schedule` and `trigger.scheduled_at`.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub flow: Option<CreateScheduledFlow>,
    /// Transfers expire so many seconds after they were due; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 31_536_000)]
    pub deadline_seconds: Option<u64>,
}

impl CreateSchedule {
    /// A schedule with every default.
    pub fn new(name: impl Into<String>, cron: impl Into<String>, transfer: CreateTransfer) -> Self {
        Self {
            name: name.into(),
            description: None,
            cron: cron.into(),
            time_zone: None,
            calendar_id: None,
            day_rule: None,
            window: None,
            starts_at: None,
            ends_at: None,
            jitter_seconds: None,
            misfire: None,
            transfer: Some(transfer),
            flow: None,
            deadline_seconds: None,
        }
    }
}

/// A time of each day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayWindow {
    /// Its first minute.
    #[schema(example = "22:00")]
    pub opens: String,
    /// The first minute after it.
    #[schema(example = "05:00")]
    pub closes: String,
}

/// How times that passed are dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Misfire {
    /// What becomes of them.
    pub rule: MisfireRule,
    /// Most runs that make up for them with `run_all`.
    pub runs_max: u32,
    /// A run that is not later than this is on time, with `skip`.
    pub grace_seconds: u32,
}

/// The transfer that each run of a schedule starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduledTransfer {
    /// From where: `/path`, `fil_…` or `name:/path`.
    #[schema(example = "/reports/")]
    pub source: String,
    /// From where, if many were named.
    pub sources: Vec<String>,
    /// Only files that one of these patterns means.
    pub include: Vec<String>,
    /// No files that one of these patterns means.
    pub exclude: Vec<String>,
    /// To where: `/path` or `name:/path`.
    #[schema(example = "bank:/in/")]
    pub destination: String,
    /// Whether its owner wants a notice of their own.
    pub notify_on_completion: bool,
    /// For people.
    #[schema(required)]
    pub label: Option<String>,
    /// Lower runs first.
    pub priority: i32,
    /// How the copy is checked.
    pub verify: Verify,
    /// What happens when the destination is occupied.
    pub on_conflict: OnConflict,
    /// When transient faults are tried again.
    pub retry: TransferRetry,
    /// Whether each source is removed once its copy is proven.
    pub delete_source: bool,
    /// Whether the copies shall have the time of their source.
    pub preserve_time: bool,
    /// What is left alone at the destination.
    #[schema(required)]
    pub sync: Option<Sync>,
    /// Bytes per second at most.
    #[schema(required)]
    pub bandwidth: Option<u64>,
    /// Custom entries.
    pub metadata: BTreeMap<String, String>,
}

/// The flow that each run of a schedule starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateScheduledFlow {
    /// Which.
    #[schema(value_type = String, example = "flw_01m7yp4mxce2p9mnpcpdzk3jvm")]
    pub flow_id: FlowId,
    /// Values of its parameters.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
}

/// The flow that each run of a schedule starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduledFlow {
    /// Which.
    #[schema(value_type = String, example = "flw_01m7yp4mxce2p9mnpcpdzk3jvm")]
    pub flow_id: FlowId,
    /// Values of its parameters.
    pub params: BTreeMap<String, String>,
}

/// What happens by itself, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    /// Names the schedule.
    #[schema(value_type = String, example = "sch_01m7yp4mxce2p9mnpcpdzk3jvm")]
    pub schedule_id: ScheduleId,
    /// Unique in the tenant.
    pub name: String,
    /// For people.
    #[schema(required)]
    pub description: Option<String>,
    /// Whether its times come.
    pub state: ScheduleState,
    /// The next time; a run begins up to `jitter_seconds` later.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub next_at: Option<Timestamp>,
    /// When, in five fields.
    #[schema(example = "30 2 * * mon-fri")]
    pub cron: String,
    /// Whose clocks.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    /// Whose working days and holidays.
    #[schema(value_type = Option<String>, example = "cal_01m7yp4mxce2p9mnpcpdzk3jvm", required)]
    pub calendar_id: Option<CalendarId>,
    /// Which of the days.
    pub day_rule: DayRule,
    /// Only within this time of the day.
    #[schema(required)]
    pub window: Option<DayWindow>,
    /// Not before this.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub starts_at: Option<Timestamp>,
    /// Not at or after this.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub ends_at: Option<Timestamp>,
    /// Runs are spread over so many seconds after their time.
    pub jitter_seconds: u32,
    /// How times that passed while nobody ran are dealt with.
    pub misfire: Misfire,
    /// The transfer that each run starts.
    #[schema(required)]
    pub transfer: Option<ScheduledTransfer>,
    /// The flow that each run starts.
    #[schema(required)]
    pub flow: Option<ScheduledFlow>,
    /// Transfers expire so many seconds after they were due.
    #[schema(required)]
    pub deadline_seconds: Option<u64>,
    /// The flow in whose document it stands as a trigger. It changes with that document, and is changed nowhere else.
    #[schema(value_type = Option<String>, example = "flw_01m7yp4mxce2p9mnpcpdzk3jvm", required)]
    pub stands_in: Option<FlowId>,
    /// Who made it, or replaced it last: its runs have the rights that this principal has when they start.
    #[schema(value_type = String, example = "svc_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub created_by: PrincipalId,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Since when it is like this.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub updated_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of schedules.
pub type ScheduleList = List<Schedule>;

/// A coming time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleTime {
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T01:30:00.000Z")]
    pub at: Timestamp,
    /// What the clocks of the schedule's time zone show then.
    #[schema(example = "2026-11-23T02:30:00+01:00")]
    pub local: String,
}

/// The coming times of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleTimes {
    /// The times, the first one first.
    pub data: Vec<ScheduleTime>,
}

/// A past time of a schedule, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleRun {
    /// When it was due.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T01:30:00.000Z")]
    pub due_at: Timestamp,
    /// When it was taken up.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T01:30:00.014Z")]
    pub ran_at: Timestamp,
    /// What came of it.
    pub outcome: ScheduleOutcome,
    /// The transfer that it started.
    #[schema(value_type = Option<String>, example = "xfr_01m7yp4kyae4ma4jz41b93y214", required)]
    pub transfer_id: Option<TransferId>,
    /// The run of a flow that it started.
    #[schema(value_type = Option<String>, example = "run_01m7yp4kyae4ma4jz41b93y214", required)]
    pub flow_run_id: Option<FlowRunId>,
    /// Why it was refused: a code with a page below `/docs/problems/`.
    #[schema(required)]
    pub error_code: Option<String>,
    /// The same in plain words.
    #[schema(required)]
    pub error_message: Option<String>,
    /// Times before it that have no run of their own.
    pub missed: u32,
}

/// A page of past times.
pub type ScheduleRunList = List<ScheduleRun>;

impl From<&model::ScheduleRun> for ScheduleRun {
    fn from(run: &model::ScheduleRun) -> Self {
        let (outcome, transfer_id, error) = match &run.result {
            model::ScheduleResult::Transfer { transfer } => {
                (ScheduleOutcome::Started, Some(*transfer), None)
            }
            model::ScheduleResult::FlowRun { .. } => (ScheduleOutcome::Started, None, None),
            model::ScheduleResult::Skipped => (ScheduleOutcome::Skipped, None, None),
            model::ScheduleResult::Refused { code, message } => {
                (ScheduleOutcome::Refused, None, Some((code, message)))
            }
        };
        Self {
            due_at: run.due_at,
            ran_at: run.ran_at,
            outcome,
            transfer_id,
            flow_run_id: match &run.result {
                model::ScheduleResult::FlowRun { run } => Some(*run),
                _ => None,
            },
            error_code: error.map(|(code, _)| code.clone()),
            error_message: error.map(|(_, message)| message.clone()),
            missed: run.missed,
        }
    }
}
