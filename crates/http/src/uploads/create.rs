use axum::extract::State;
use bailee_api::{OpenUpload, UploadSession};
use bailee_core::{Core, NewUpload};
use bailee_model::{Error, FileName};

use super::view::view;
use crate::answer::{Answer, Created};
use crate::caller::Authenticated;
use crate::extract::{Json, folder_path};

/// Open an upload by parts
#[utoipa::path(post, path = "/uploads", operation_id = "uploads.create", tag = "uploads",
    request_body = OpenUpload,
    responses((status = 201, description = "The session", body = UploadSession)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<OpenUpload>,
) -> Answer<Created<UploadSession>> {
    let opened = core.uploads().create(&caller, command(wish)?).await?;
    let body = view(&opened.upload, &opened.parts);
    Ok(Created {
        location: format!("/v1/uploads/{}", body.session_id),
        body,
    })
}

fn command(wish: OpenUpload) -> Result<NewUpload, Error> {
    Ok(NewUpload {
        path: folder_path(&wish.destination)?.file(wish.filename.parse::<FileName>()?),
        size_bytes: wish.size,
        part_size: wish.part_size,
        overwrite: wish.overwrite,
        content_type: wish.content_type,
        hash: wish.hash,
        tags: wish.tags,
        metadata: wish.metadata,
    })
}
