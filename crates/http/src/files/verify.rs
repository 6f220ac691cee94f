use axum::extract::State;
use bailee_api::FileVerification;
use bailee_core::{Core, FileRef};
use bailee_model::FileId;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read and hash the stored bytes now
#[utoipa::path(post, path = "/files/{file_id}/verify", operation_id = "files.verify", tag = "files",
    params(("file_id" = String, Path, description = "The file version")),
    responses((status = 200, description = "What was found", body = FileVerification)))]
pub(crate) async fn verify(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FileId>,
) -> Answer<Body<FileVerification>> {
    let file = core.files().stat(&caller, FileRef::Id(id)).await?;
    let report = core.files().verify(&caller, id).await?;
    Ok(Body(FileVerification {
        file_id: id,
        ok: report.ok,
        size: report.size_bytes,
        hash: report.hash,
        expected_hash: file.hash,
        verified_at: core.clock().now(),
    }))
}
