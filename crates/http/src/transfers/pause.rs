use axum::extract::State;
use bailee_api::Transfer;
use bailee_core::Core;
use bailee_model::TransferId;

use super::accepted;
use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Hold a transfer
#[utoipa::path(post, path = "/transfers/{transfer_id}/pause", operation_id = "transfers.pause", tag = "transfers",
    params(("transfer_id" = String, Path, description = "The transfer")),
    responses((status = 202, description = "It is held", body = Transfer)))]
pub(crate) async fn pause(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TransferId>,
) -> Answer<Accepted<Transfer>> {
    let transfer = core.transfers().pause(&caller, id).await?;
    Ok(accepted(&transfer))
}
