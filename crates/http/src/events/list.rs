use axum::extract::State;
use bailee_api::EventFeed;
use bailee_core::{Core, EventQuery, event_body};
use bailee_model::{Error, ErrorKind, limit};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{sequence, wanted_types};
use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::{Query, Wait, WaitQuery, folder_path_or_none};

/// Which events.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only after this sequence; the newest ones when absent.
    after: Option<u64>,
    /// Only of these types: `file.uploaded`, `transfer.*`, several with commas.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only about things in this folder and below.
    #[param(example = "/reports")]
    path_prefix: Option<String>,
    /// How many, 1 to 500; 50 when absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// The same on the wire as `EventFeed`, whose events core writes itself: webhooks send the same bytes.
#[derive(Serialize)]
pub(crate) struct Feed {
    data: Vec<Value>,
    has_more: bool,
    next_after: Option<u64>,
}

/// Read the event feed, oldest first
///
/// Pass `next_after` as `after` to go on. With `wait` the answer is held until there is an event.
#[utoipa::path(get, path = "/events", operation_id = "events.list", tag = "events", params(ListQuery, WaitQuery),
    responses((status = 200, description = "Some events", body = EventFeed)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<ListQuery>,
    Wait(wait): Wait,
) -> Answer<Body<Feed>> {
    let query = EventQuery {
        after: sequence(query.after)?,
        types: wanted_types(query.kind.as_deref())?,
        path: folder_path_or_none(query.path_prefix.as_deref())?,
        limit: rows(query.limit)?,
        wait,
    };
    let page = core.events().read(&caller, query).await?;
    let tenant = caller.tenant();
    Ok(Body(Feed {
        data: page
            .events
            .iter()
            .map(|event| event_body(tenant, event))
            .collect(),
        has_more: page.has_more,
        next_after: Some(page.next_after),
    }))
}

fn rows(asked: Option<u32>) -> Result<u32, Error> {
    let rows = asked.unwrap_or(limit::PAGE_DEFAULT);
    if (1..=limit::PAGE_MAX).contains(&rows) {
        return Ok(rows);
    }
    let detail = format!("`limit` is a number from 1 to {}.", limit::PAGE_MAX);
    let error = Error::new(ErrorKind::InvalidParameter, detail.clone());
    Err(error.with_field("#/limit", "out_of_range", detail))
}
