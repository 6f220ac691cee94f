use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bailee_api::Receipt;
use bailee_core::Core;
use bailee_model::TransferId;
use http::{HeaderValue, header};

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read the signed receipt of a transfer that arrived
///
/// A document that proves the hand-over to whoever has the public key of the checkpoints, without this server: keep its
/// bytes as they are. Of a transfer of many files it is about all of them together; each file has its own, under the
/// `transfer_id` that the list of files names.
#[utoipa::path(get, path = "/transfers/{transfer_id}/receipt", operation_id = "transfers.receipt", tag = "transfers",
    params(("transfer_id" = String, Path, description = "The transfer")),
    responses((status = 200, description = "The receipt", body = Receipt)))]
pub(crate) async fn receipt(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TransferId>,
) -> Answer<Response> {
    let text = core.transfers().receipt(&caller, id).await?;
    let kind = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
