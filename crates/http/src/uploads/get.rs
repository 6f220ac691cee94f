use axum::extract::State;
use bailee_api::UploadSession;
use bailee_core::Core;
use bailee_model::UploadId;

use super::view::view;
use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read what an upload holds
#[utoipa::path(get, path = "/uploads/{session_id}", operation_id = "uploads.get", tag = "uploads",
    params(("session_id" = String, Path, description = "The session")),
    responses((status = 200, description = "The session", body = UploadSession)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<UploadId>,
) -> Answer<Body<UploadSession>> {
    let found = core.uploads().get(&caller, id).await?;
    Ok(Body(view(&found.upload, &found.parts)))
}
