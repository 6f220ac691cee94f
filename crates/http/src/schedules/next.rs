use axum::extract::State;
use bailee_api::{ScheduleTime, ScheduleTimes};
use bailee_core::Core;
use bailee_model::{Error, ErrorKind, ScheduleId, limit};
use serde::Deserialize;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::{Id, Query};

/// How many.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct NextQuery {
    /// How many times, 1 to 100; 10 when absent.
    #[param(minimum = 1, maximum = 100)]
    count: Option<usize>,
}

/// Show when a schedule runs next
///
/// Also of one that is paused: when it would.
#[utoipa::path(get, path = "/schedules/{schedule_id}/next", operation_id = "schedules.next", tag = "schedules",
    params(("schedule_id" = String, Path, description = "The schedule"), NextQuery),
    responses((status = 200, description = "The coming times", body = ScheduleTimes)))]
pub(crate) async fn next(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<ScheduleId>,
    Query(query): Query<NextQuery>,
) -> Answer<Body<ScheduleTimes>> {
    let count = read_count(query.count)?;
    let (zone, times) = core.schedules().next(&caller, id, count).await?;
    let shown = times.into_iter().map(|at| ScheduleTime {
        at,
        local: zone.shown(at),
    });
    let data = shown.collect();
    Ok(Body(ScheduleTimes { data }))
}

fn read_count(count: Option<usize>) -> Result<usize, Error> {
    let count = count.unwrap_or(limit::NEXT_TIMES_DEFAULT);
    if (1..=limit::NEXT_TIMES_MAX).contains(&count) {
        return Ok(count);
    }
    let detail = format!("`count` is a number from 1 to {}.", limit::NEXT_TIMES_MAX);
    Err(
        Error::new(ErrorKind::InvalidParameter, detail.clone()).with_field(
            "#/count",
            "out_of_range",
            detail,
        ),
    )
}
