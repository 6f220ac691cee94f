use axum::body::Body;
use axum::extract::{Request, State};
use bailee_api::File;
use bailee_core::{Core, Files, Precondition};
use utoipa::ToSchema;

use super::form;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::files::created;

/// The fields of an upload, in any order.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "only its schema is used: the form is read field by field as it comes"
)]
pub(crate) struct UploadForm {
    /// The bytes, with a `filename`.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
    /// The folder that the file goes into. Missing folders are made.
    #[schema(example = "reports")]
    destination: String,
    /// Whether a file there is replaced: `true` or `false` in any letter case; false when absent.
    #[schema(example = "false")]
    overwrite: Option<String>,
    /// SHA-256 in hex; checked before anything is visible.
    hash: Option<String>,
    /// Labels, separated by commas.
    tags: Option<String>,
    /// Custom entries: a JSON object of texts.
    metadata: Option<String>,
    /// `public`, `internal`, `confidential` or `restricted`.
    classification: Option<String>,
}

/// Upload a file as a form
///
/// Fields may come in any order; nothing is visible before the last one was read. With `Idempotency-Key`, the
/// fingerprint covers the declared length and not the bytes.
#[utoipa::path(post, path = "/files/upload", operation_id = "files.upload", tag = "files",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The file", body = File)))]
pub(crate) async fn upload(
    State(core): State<Core>,
    caller: Authenticated,
    request: Request<Body>,
) -> Answer {
    if let Some(placed) = Files::placed_before(&caller)? {
        return Ok(created(&placed.file));
    }
    let (new, staged) = form::receive(&core, &caller, request).await?;
    let placed = core
        .files()
        .place(&caller, staged, new, Precondition::Unasked)
        .await?;
    Ok(created(&placed.file))
}
