use bailee_api::{PlannedFile, Transfer, TransferPlan, TransferStatus};
use bailee_core as core;
use bailee_model as model;

/// The whole transfer as clients see it.
pub(super) fn view(transfer: &model::Transfer) -> Transfer {
    Transfer::from(transfer)
}

/// The light view.
pub(super) fn status(transfer: &model::Transfer) -> TransferStatus {
    TransferStatus::from(transfer)
}

/// What a transfer would do.
pub(super) fn plan(plan: &core::TransferPlan) -> TransferPlan {
    let file = |file: &core::PlannedFile| PlannedFile {
        source: file.source.to_string(),
        destination: file.destination.to_string(),
        size_bytes: file.size_bytes,
        action: file.fate.as_str().into(),
        reason: file.reason.clone(),
    };
    TransferPlan {
        dry_run: true,
        files_total: plan.files_total,
        files_sent: plan.files_sent,
        files_skipped: plan.files_skipped,
        files_failed: plan.files_failed,
        bytes_total: plan.bytes_total,
        is_complete: plan.is_cut_by.is_none(),
        incomplete_reason: plan.is_cut_by.clone(),
        files: plan.files.iter().map(file).collect(),
    }
}
