use axum::extract::State;
use bailee_api::{ChangeTransfer, Patch, Transfer};
use bailee_core::{Core, TransferChange};
use bailee_model::TransferId;

use super::view::view;
use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::{Id, Json};

/// Change label, deadline or priority of a transfer
///
/// Until it ends. A try that is under way keeps the deadline that it began with.
#[utoipa::path(patch, path = "/transfers/{transfer_id}", operation_id = "transfers.update", tag = "transfers",
    params(("transfer_id" = String, Path, description = "The transfer")), request_body = ChangeTransfer,
    responses((status = 200, description = "As it is now", body = Transfer)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TransferId>,
    Json(wish): Json<ChangeTransfer>,
) -> Answer<Body<Transfer>> {
    let change = TransferChange {
        label: given(wish.label),
        deadline: given(wish.deadline),
        priority: wish.priority,
    };
    let transfer = core.transfers().change(&caller, id, change).await?;
    Ok(Body(view(&transfer)))
}

fn given<T>(patch: Patch<T>) -> Option<Option<T>> {
    match patch {
        Patch::Keep => None,
        Patch::Clear => Some(None),
        Patch::Set(value) => Some(Some(value)),
    }
}
