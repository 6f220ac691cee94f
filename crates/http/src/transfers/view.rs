use bailee_api::{Transfer, TransferStatus};
use bailee_model as model;

/// The whole transfer as clients see it.
pub(super) fn view(transfer: &model::Transfer) -> Transfer {
    Transfer::from(transfer)
}

/// The light view.
pub(super) fn status(transfer: &model::Transfer) -> TransferStatus {
    TransferStatus::from(transfer)
}
