use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bailee_api::TransferStatus;
use bailee_core::{Caller, Core};
use bailee_model::{Error, Transfer, TransferId};
use http::header;
use tokio::time::Instant;

use super::view::status as light;
use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::{Id, Wait, WaitQuery};
use crate::limit::POLL_HINT_SECONDS;

/// Read how a transfer goes: the light view, for polling
///
/// With `wait` the answer is held until the state changes. Until the end, `Retry-After` says when to ask again.
#[utoipa::path(get, path = "/transfers/{transfer_id}/status", operation_id = "transfers.status", tag = "transfers",
    params(("transfer_id" = String, Path, description = "The transfer"), WaitQuery),
    responses((status = 200, description = "How it goes", body = TransferStatus)))]
pub(crate) async fn status(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TransferId>,
    Wait(wait): Wait,
) -> Answer<Response> {
    let transfer = changed(&core, &caller, id, wait).await?;
    let body = Body(light(&transfer));
    if transfer.state.is_final() {
        return Ok(body.into_response());
    }
    Ok(([(header::RETRY_AFTER, POLL_HINT_SECONDS)], body).into_response())
}

/// The transfer, once its state is another than now or time is up. Progress alone is no change.
async fn changed(
    core: &Core,
    caller: &Caller,
    id: TransferId,
    wait: Duration,
) -> Result<Transfer, Error> {
    let end = Instant::now() + wait;
    let first = core.transfers().get(caller, id).await?;
    let mut transfer = first.clone();
    while !transfer.state.is_final() && transfer.state.public() == first.state.public() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || core.is_draining() {
            break;
        }
        transfer = core
            .transfers()
            .wait(caller, id, transfer.revision, left)
            .await?;
    }
    Ok(transfer)
}
