use axum::body::Body;
use axum::extract::{Request, State};
use bailee_api::{File, UploadForm};
use bailee_core::{Core, Precondition};

use super::form;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::files::created;

/// Upload a file as a form
///
/// Fields may come in any order; nothing is visible before the last one was read. With `Idempotency-Key`, the
/// fingerprint covers the declared length and not the bytes.
#[utoipa::path(post, path = "/files/upload", operation_id = "files.upload", tag = "files",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The file", body = File)))]
pub(crate) async fn upload(State(core): State<Core>, caller: Authenticated, request: Request<Body>) -> Answer {
    let (new, staged) = form::receive(&core, &caller, request).await?;
    let placed = core.files().place(&caller, staged, new, Precondition::None).await?;
    Ok(created(&placed.file))
}
