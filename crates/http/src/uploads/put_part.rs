use axum::body::Body as RawBody;
use axum::extract::{Request, State};
use bailee_api::UploadPart;
use bailee_core::{Core, NewPart};
use bailee_model::UploadId;

use crate::answer::{Answer, Body};
use crate::body;
use crate::caller::Authenticated;
use crate::digest::{CONTENT_DIGEST, sha256_of};
use crate::extract::Id;

/// Put a part
///
/// Parts have any size from 1 byte to 1 GiB and come in any order; a part that is held already is replaced. It is
/// durable when this answers. `Content-Digest` (sha-256) is checked.
#[utoipa::path(put, path = "/uploads/{session_id}/parts/{part}", operation_id = "uploads.put_part", tag = "uploads",
    params(
        ("session_id" = String, Path, description = "The session"),
        ("part" = u32, Path, description = "The part's number, from 0", maximum = 9999)),
    request_body(content = Vec<u8>, description = "The bytes", content_type = "application/octet-stream"),
    responses((status = 200, description = "The part is held", body = UploadPart)))]
pub(crate) async fn put_part(
    State(core): State<Core>,
    caller: Authenticated,
    Id((upload, number)): Id<(UploadId, u32)>,
    request: Request<RawBody>,
) -> Answer<Body<UploadPart>> {
    let (head, content) = request.into_parts();
    let new = NewPart {
        upload,
        number,
        digest: sha256_of(&head.headers, &CONTENT_DIGEST)?,
        size_bytes: body::declared_size(&head.headers),
    };
    let part = core
        .uploads()
        .put_part(&caller, new, body::stream(content))
        .await?;
    Ok(Body(UploadPart {
        part: part.number,
        size: part.size_bytes,
        hash: part.hash,
    }))
}
