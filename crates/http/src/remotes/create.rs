use axum::extract::State;
use axum::response::Response;
use bailee_api::{CreateRemote, Remote};
use bailee_core::Core;

use super::form::{parse, wish};
use super::view::view;
use crate::answer::{Answer, Created, tagged};
use crate::caller::Authenticated;
use crate::extract::{Fields, Json};

/// Make a remote
///
/// Nothing is connected to; `remotes.test` does that.
#[utoipa::path(post, path = "/remotes", operation_id = "remotes.create", tag = "remotes",
    request_body = CreateRemote,
    responses((status = 201, description = "The remote", body = Remote)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(Fields(fields)): Json<Fields>,
) -> Answer<Response> {
    let remote = core
        .remotes()
        .create(&caller, parse(&wish(fields)?)?)
        .await?;
    let body = view(&remote)?;
    let location = body.links.own.clone();
    Ok(tagged(
        &remote.revision.to_string(),
        Created { location, body },
    ))
}
