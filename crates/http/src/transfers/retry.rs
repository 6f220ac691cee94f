use axum::extract::State;
use bailee_api::Transfer;
use bailee_core::{Core, RetryFiles};
use bailee_model::TransferId;
use serde::Deserialize;

use super::accepted;
use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::{Id, Query};

/// What to repeat.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RetryQuery {
    /// Of a transfer of many files, only those that failed.
    failed_only: Option<bool>,
}

impl RetryQuery {
    fn files(&self) -> RetryFiles {
        if self.failed_only == Some(true) {
            RetryFiles::Failed
        } else {
            RetryFiles::All
        }
    }
}

/// Repeat a failed transfer as a new one
#[utoipa::path(post, path = "/transfers/{transfer_id}/retry", operation_id = "transfers.retry", tag = "transfers",
    params(("transfer_id" = String, Path, description = "The failed transfer"), RetryQuery),
    responses((status = 202, description = "The new transfer, with `retry_of`", body = Transfer)))]
pub(crate) async fn retry(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<TransferId>,
    Query(query): Query<RetryQuery>,
) -> Answer<Accepted<Transfer>> {
    let transfer = core.transfers().retry(&caller, id, query.files()).await?;
    Ok(accepted(&transfer))
}
