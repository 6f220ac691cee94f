use axum::extract::State;
use bailee_api::Transfer;
use bailee_core::Core;
use bailee_model::TransferId;

use super::accepted;
use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Repeat a failed transfer as a new one
#[utoipa::path(post, path = "/transfers/{transfer_id}/retry", operation_id = "transfers.retry", tag = "transfers",
    params(("transfer_id" = String, Path, description = "The failed transfer")),
    responses((status = 202, description = "The new transfer, with `retry_of`", body = Transfer)))]
pub(crate) async fn retry(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TransferId>,
) -> Answer<Accepted<Transfer>> {
    let transfer = core.transfers().retry(&caller, id).await?;
    Ok(accepted(&transfer))
}
