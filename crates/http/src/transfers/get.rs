use axum::extract::State;
use bailee_api::Transfer;
use bailee_core::Core;
use bailee_model::TransferId;

use super::view::view;
use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a transfer
#[utoipa::path(get, path = "/transfers/{transfer_id}", operation_id = "transfers.get", tag = "transfers",
    params(("transfer_id" = String, Path, description = "The transfer")),
    responses((status = 200, description = "The transfer", body = Transfer)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TransferId>,
) -> Answer<Body<Transfer>> {
    let transfer = core.transfers().get(&caller, id).await?;
    Ok(Body(view(&transfer)))
}
