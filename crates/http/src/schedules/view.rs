use bailee_api::{
    DayWindow, Links, Misfire, Schedule, ScheduleState, ScheduledFlow, ScheduledTransfer,
    TransferRetry,
};
use bailee_core::{NewTransfer, scheduled_transfer};
use bailee_model::{self as model, Error, ScheduleTarget};

use crate::answer::{Answer, Body, tagged};

/// A schedule as clients see it.
pub(super) fn view(schedule: &model::Schedule) -> Result<Schedule, Error> {
    let timing = &schedule.timing;
    let (moved, deadline_seconds, flow) = match &schedule.target {
        ScheduleTarget::Transfer {
            wish,
            deadline_seconds,
        } => {
            let moved = transfer(scheduled_transfer(wish)?);
            (Some(moved), *deadline_seconds, None)
        }
        ScheduleTarget::Flow { flow, params } => {
            let flow = ScheduledFlow {
                flow_id: *flow,
                params: params.clone(),
            };
            (None, None, Some(flow))
        }
    };
    Ok(Schedule {
        schedule_id: schedule.id,
        name: schedule.name.clone(),
        description: schedule.description.clone(),
        state: match (schedule.is_paused, schedule.next_at) {
            (true, _) => ScheduleState::Paused,
            (false, Some(_)) => ScheduleState::Active,
            (false, None) => ScheduleState::Ended,
        },
        next_at: schedule.next_at,
        cron: timing.cron.to_string(),
        time_zone: timing.zone.to_string(),
        calendar_id: schedule.calendar,
        day_rule: timing.day_rule.into(),
        window: timing.window.map(|window| DayWindow {
            opens: window.opens.to_string(),
            closes: window.closes.to_string(),
        }),
        starts_at: timing.starts_at,
        ends_at: timing.ends_at,
        jitter_seconds: schedule.jitter_seconds,
        misfire: Misfire {
            rule: schedule.misfire.rule.into(),
            runs_max: schedule.misfire.runs_max,
            grace_seconds: schedule.misfire.grace_seconds,
        },
        transfer: moved,
        flow,
        deadline_seconds,
        stands_in: schedule.stands_in,
        created_by: schedule.created_by,
        created_at: schedule.created_at,
        updated_at: schedule.updated_at,
        links: Links::to("schedules", schedule.id),
    })
}

/// 200 with a schedule and its ETag.
pub(super) fn found(schedule: &model::Schedule) -> Answer {
    Ok(tagged(
        &schedule.revision.to_string(),
        Body(view(schedule)?),
    ))
}

fn transfer(wish: NewTransfer) -> ScheduledTransfer {
    let texts = |globs: &[model::Glob]| globs.iter().map(ToString::to_string).collect();
    ScheduledTransfer {
        source: wish.source.to_string(),
        sources: wish.sources.iter().map(ToString::to_string).collect(),
        include: texts(&wish.include),
        exclude: texts(&wish.exclude),
        destination: wish.destination.to_string(),
        notify_on_completion: wish.notify_on_completion,
        label: wish.label,
        priority: wish.priority,
        verify: wish.verify.into(),
        on_conflict: wish.on_conflict.into(),
        retry: TransferRetry {
            max_attempts: Some(wish.retry.max_attempts),
            initial_delay_seconds: Some(wish.retry.initial_delay_seconds),
            max_delay_seconds: Some(wish.retry.max_delay_seconds),
        },
        delete_source: wish.delete_source,
        preserve_time: wish.preserve_time,
        sync: wish.same.map(Into::into),
        bandwidth: wish.bandwidth,
        metadata: wish.metadata,
    }
}
