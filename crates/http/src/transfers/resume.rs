use axum::extract::State;
use bailee_api::Transfer;
use bailee_core::Core;
use bailee_model::TransferId;

use super::accepted;
use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Let a held transfer go on
#[utoipa::path(post, path = "/transfers/{transfer_id}/resume", operation_id = "transfers.resume", tag = "transfers",
    params(("transfer_id" = String, Path, description = "The transfer")),
    responses((status = 202, description = "It is queued again", body = Transfer)))]
pub(crate) async fn resume(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TransferId>,
) -> Answer<Accepted<Transfer>> {
    let transfer = core.transfers().resume(&caller, id).await?;
    Ok(accepted(&transfer))
}
