use axum::extract::State;
use axum::response::Response;
use bailee_api::CalendarList;
use bailee_core::Core;
use bailee_model::Page;

use super::view::view;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging};

/// List calendars, newest first
#[utoipa::path(get, path = "/calendars", operation_id = "calendars.list", tag = "calendars", params(PageQuery),
    responses((status = 200, description = "A page of calendars", body = CalendarList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    paging: Paging,
) -> Answer<Response> {
    let page = core
        .calendars()
        .list(&caller, paging.request.clone())
        .await?;
    let data = page.data.iter().map(view).collect::<Result<Vec<_>, _>>()?;
    let next = page.next;
    Ok(paging.answer(Page { data, next }, |calendar| calendar))
}
