use bailee_client::Client;
use bailee_client::api::{
    CreateMisfire, CreateSchedule, CreateScheduledFlow, CreateTransfer, Schedule,
};
use bailee_client::model::ScheduleId;

use super::{from_file, view};
use crate::Failure;
use crate::args::{ScheduleAddArgs, ScheduleCommand};
use crate::session::Session;

/// Longest list of schedules that is shown.
const ROWS_MAX: usize = 10_000;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: ScheduleCommand,
) -> Result<(), Failure> {
    let schedules = client.schedules();
    let one = |schedule: &Schedule| session.output.one(schedule, view::SCHEDULE);
    match command {
        ScheduleCommand::Add(args) => {
            let schedule = schedules.create(&request(client, *args).await?).await?;
            one(&schedule)
        }
        ScheduleCommand::Replace(args) => {
            let id = find(client, &args.schedule).await?.schedule_id;
            one(&schedules.replace(id, &from_file(&args.file)?).await?)
        }
        ScheduleCommand::List => {
            let found = schedules.list().take(ROWS_MAX).await?;
            session.output.list(&found, view::SCHEDULE)
        }
        ScheduleCommand::Get(args) => one(&find(client, &args.schedule).await?),
        ScheduleCommand::Next(args) => {
            let id = find(client, &args.schedule).await?.schedule_id;
            let times = schedules.next(id, Some(args.count)).await?;
            session.output.list(&times.data, view::SCHEDULE_TIME)
        }
        ScheduleCommand::Runs(args) => {
            let id = find(client, &args.schedule).await?.schedule_id;
            let runs = schedules.runs(id).take(args.limit).await?;
            session.output.list(&runs, view::SCHEDULE_RUN)
        }
        ScheduleCommand::Pause(args) => {
            let id = find(client, &args.schedule).await?.schedule_id;
            one(&schedules.pause(id).await?)
        }
        ScheduleCommand::Resume(args) => {
            let id = find(client, &args.schedule).await?.schedule_id;
            one(&schedules.resume(id).await?)
        }
        ScheduleCommand::Rm(args) => {
            let schedule = find(client, &args.schedule).await?;
            session.confirm(&format!("remove the schedule {}?", schedule.name))?;
            schedules.delete(schedule.schedule_id).await?;
            session.say(&format!("removed {}", schedule.name));
            Ok(())
        }
    }
}

/// A schedule by id or name.
async fn find(client: &Client, text: &str) -> Result<Schedule, Failure> {
    if let Ok(id) = text.parse::<ScheduleId>() {
        return Ok(client.schedules().get(id).await?);
    }
    let found = client.schedules().by_name(text).await?;
    found.ok_or_else(|| Failure::NotFound(format!("no schedule is named `{text}`")))
}

async fn request(client: &Client, args: ScheduleAddArgs) -> Result<CreateSchedule, Failure> {
    if let Some(file) = &args.file {
        return from_file(file);
    }
    let (Some(name), Some(cron)) = (args.name, args.cron) else {
        return Err(incomplete());
    };
    let flow = args.flow.as_deref().map(super::id).transpose()?;
    let transfer = match (flow, args.from, args.to) {
        (Some(_), ..) => None,
        (None, Some(from), Some(to)) => {
            let ends = (super::transfer::end(&from)?, super::transfer::end(&to)?);
            Some(CreateTransfer {
                include: args.include,
                on_conflict: args.on_conflict,
                ..CreateTransfer::new(ends.0.as_str(), ends.1.as_str())
            })
        }
        _ => return Err(incomplete()),
    };
    let params = args.params.into_iter().collect();
    let calendar_id = match &args.calendar {
        Some(calendar) => Some(super::calendar::find(client, calendar).await?.calendar_id),
        None => None,
    };
    let seconds = args.jitter.map(|jitter| jitter.as_secs());
    Ok(CreateSchedule {
        time_zone: args.tz,
        calendar_id,
        day_rule: args.day_rule,
        jitter_seconds: seconds.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
        misfire: args.misfire.map(|rule| CreateMisfire {
            rule: Some(rule),
            ..CreateMisfire::default()
        }),
        deadline_seconds: args.deadline.map(|deadline| deadline.as_secs()),
        transfer,
        flow: flow.map(|flow_id| CreateScheduledFlow { flow_id, params }),
        ..CreateSchedule::new(name, cron, CreateTransfer::new("", ""))
    })
}

fn incomplete() -> Failure {
    Failure::usage(
        "a schedule needs a name, --cron, and --from with --to or --flow",
        "Or give all of it with --file.",
    )
}
