use axum::extract::State;
use bailee_api::Transfer;
use bailee_core::Core;
use bailee_model::TransferId;

use super::accepted;
use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Cancel a transfer
///
/// One that waits ends at once, one that runs at its next step. It ends as `failed` with outcome `cancelled`.
#[utoipa::path(post, path = "/transfers/{transfer_id}/cancel", operation_id = "transfers.cancel", tag = "transfers",
    params(("transfer_id" = String, Path, description = "The transfer")),
    responses((status = 202, description = "It will end", body = Transfer)))]
pub(crate) async fn cancel(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TransferId>,
) -> Answer<Accepted<Transfer>> {
    let transfer = core.transfers().cancel(&caller, id).await?;
    Ok(accepted(&transfer))
}
