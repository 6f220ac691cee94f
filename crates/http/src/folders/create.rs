use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bailee_api::{CreateFolder, Folder};
use bailee_core::Core;

use crate::answer::{Answer, Body, Created};
use crate::caller::Authenticated;
use crate::extract::{Json, folder_path};

/// Make a folder, with those above it
#[utoipa::path(post, path = "/folders", operation_id = "folders.create", tag = "folders",
    request_body = CreateFolder,
    responses(
        (status = 200, description = "It was there", body = Folder),
        (status = 201, description = "It was made", body = Folder)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<CreateFolder>,
) -> Answer<Response> {
    let (folder, is_new) = core
        .folders()
        .create(&caller, folder_path(&wish.path)?)
        .await?;
    let body = Folder::from(&folder);
    if !is_new {
        return Ok(Body(body).into_response());
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("path", &body.path)
        .finish();
    let location = format!("/v1/folders?{query}");
    Ok(Created { location, body }.into_response())
}
