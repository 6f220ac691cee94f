use bailee_api::{Links, PausedReason, Transfer, TransferStatus};
use bailee_model::{self as model, TransferOutcome, TransferState};

/// The whole transfer as clients see it.
pub(super) fn view(transfer: &model::Transfer) -> Transfer {
    let rate = rate(transfer);
    Transfer {
        transfer_id: transfer.id,
        state: transfer.state.into(),
        outcome: transfer.outcome.map(Into::into),
        step: transfer.state.step().map(Into::into),
        error_code: transfer.fault.as_ref().map(|fault| fault.code.clone()),
        error_message: message(transfer),
        hint: transfer.fault.as_ref().and_then(|fault| fault.hint.clone()),
        source: transfer.source.to_string(),
        destination: transfer.destination.to_string(),
        bytes_total: transfer.bytes_total,
        bytes_done: transfer.bytes_done,
        files_total: Some(1),
        files_done: u64::from(transfer.state == TransferState::Completed),
        files_failed: u64::from(transfer.state == TransferState::Failed),
        bytes_per_second: rate,
        eta_seconds: eta_seconds(transfer, rate),
        attempt: transfer.attempt,
        max_attempts: transfer.retry.max_attempts,
        next_attempt_at: transfer.next_attempt_at,
        paused_reason: (transfer.state == TransferState::Paused).then_some(PausedReason::Operator),
        label: transfer.label.clone(),
        priority: transfer.priority,
        deadline: transfer.deadline,
        verify: transfer.verify.into(),
        on_conflict: transfer.on_conflict.into(),
        retry_of: transfer.retry_of,
        flow_run_id: None,
        created_by: transfer.created_by,
        created_at: transfer.created_at,
        started_at: transfer.started_at,
        updated_at: transfer.updated_at,
        finished_at: transfer.finished_at,
        status_url: format!("/v1/transfers/{}/status", transfer.id),
        links: Links::to("transfers", transfer.id),
    }
}

/// The light view.
pub(super) fn status(transfer: &model::Transfer) -> TransferStatus {
    let whole = view(transfer);
    TransferStatus {
        transfer_id: whole.transfer_id,
        state: whole.state,
        outcome: whole.outcome,
        error_code: whole.error_code,
        error_message: whole.error_message,
        hint: whole.hint,
        bytes_total: whole.bytes_total,
        bytes_done: whole.bytes_done,
        files_total: whole.files_total,
        files_done: whole.files_done,
        attempt: whole.attempt,
        next_attempt_at: whole.next_attempt_at,
        updated_at: whole.updated_at,
    }
}

/// Never `None` for a failed transfer: clients print it without looking.
fn message(transfer: &model::Transfer) -> Option<String> {
    let told = transfer.fault.as_ref().map(|fault| fault.message.clone());
    if transfer.state != TransferState::Failed || told.is_some() {
        return told;
    }
    let plain = match transfer.outcome {
        Some(TransferOutcome::Cancelled) => "The transfer was cancelled.",
        Some(TransferOutcome::Rejected) => "The transfer was refused.",
        Some(TransferOutcome::Expired) => "The transfer's deadline passed.",
        _ => "The transfer failed.",
    };
    Some(plain.to_owned())
}

/// Bytes a second since the start, while it runs.
fn rate(transfer: &model::Transfer) -> Option<u64> {
    transfer.state.step()?;
    let took = transfer.updated_at.since(transfer.started_at?).as_millis() as u64;
    (took > 0 && transfer.bytes_done > 0).then(|| transfer.bytes_done.saturating_mul(1000) / took)
}

fn eta_seconds(transfer: &model::Transfer, rate: Option<u64>) -> Option<u64> {
    let left = transfer.bytes_total?.saturating_sub(transfer.bytes_done);
    left.checked_div(rate?)
}
