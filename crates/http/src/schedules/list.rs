use axum::extract::State;
use axum::response::Response;
use bailee_api::ScheduleList;
use bailee_core::Core;
use bailee_model::Page;

use super::view::view;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List schedules, newest first
#[utoipa::path(get, path = "/schedules", operation_id = "schedules.list", tag = "schedules", params(PageQuery),
    responses((status = 200, description = "A page of schedules", body = ScheduleList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let page = core
        .schedules()
        .list(&caller, paging.request.clone())
        .await?;
    let data = page.data.iter().map(view).collect::<Result<Vec<_>, _>>()?;
    let next = page.next;
    Ok(paging.answer(Page { data, next }, |schedule| schedule))
}
