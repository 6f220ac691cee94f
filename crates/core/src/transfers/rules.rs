use bailee_auth::{Action, Caller, Resource};
use bailee_model::{
    CopyProof, End, Error, ErrorKind, EventType, Job, JobId, JobKind, Remote, RemoteName, Result,
    Transfer, TransferFault, TransferOutcome, TransferState,
};
use bailee_store::Change;

use crate::files::{FileRef, Files, living};
use crate::gate::Ask;
use crate::journal::Note;
use crate::{Core, error};

impl Core {
    /// The job that runs a transfer. Jobs with the same remote share its limit.
    pub(crate) fn transfer_job(&self, tenant: bailee_model::TenantId, transfer: &Transfer) -> Job {
        let now = self.clock.now();
        // What lists many files works at their source.
        let destination = (&transfer.destination, transfer.counts.is_none());
        let lane = match (destination, &transfer.source) {
            ((End::Remote { remote, .. }, true), _) | (_, End::Remote { remote, .. }) => {
                format!("remote:{tenant}:{remote}")
            }
            _ => format!("tenant:{tenant}"),
        };
        Job {
            id: JobId::new(now, &*self.chance),
            tenant,
            kind: JobKind::RunTransfer,
            subject: transfer.id.to_string(),
            lane,
            run_at: transfer.start_at.map_or(now, |start| start.max(now)),
            priority: transfer.priority,
        }
    }

    /// Puts a transfer into its final state, with its event. The caller writes the row.
    pub(crate) fn end_transfer(
        &self,
        change: &mut Change,
        transfer: &mut Transfer,
        outcome: TransferOutcome,
        fault: Option<TransferFault>,
    ) {
        let now = self.clock.now();
        let (outcome, fault) = transfer.arrived_end(outcome, fault);
        let is_good = outcome == TransferOutcome::Succeeded;
        transfer.state = if is_good {
            TransferState::Completed
        } else {
            TransferState::Failed
        };
        transfer.outcome = Some(outcome);
        transfer.fault = fault;
        transfer.next_attempt_at = None;
        transfer.finished_at = Some(now);
        transfer.updated_at = now;
        if is_good {
            transfer.bytes_done = transfer.bytes_total.unwrap_or(transfer.bytes_done);
        }
        self.tell_removal(change, transfer);
        if let Some(parent) = transfer.parent {
            return self.end_file(change, transfer, parent);
        }
        if let Some(run) = transfer.flow_run {
            change.hasten(JobKind::RunFlow, &run.to_string(), now);
        }
        let (operation, event, status) = if is_good {
            (
                "transfers.complete",
                EventType::TransferCompleted,
                bailee_model::Outcome::Success,
            )
        } else {
            (
                "transfers.fail",
                EventType::TransferFailed,
                bailee_model::Outcome::Error,
            )
        };
        let note = Note::event(operation, event)
            .of_transfer(transfer.id)
            .ended(status)
            .with(transfer_facts(transfer));
        let mut entry = self.own_entry(note);
        entry.principal = Some(transfer.created_by);
        transfer.ended_entry = Some(entry.id);
        change.journal(&entry);
    }

    /// The entry of a source that was removed at a remote: with the state that tells of it, or not at all. What is removed
    /// in Bailee has its own.
    fn tell_removal(&self, change: &mut Change, transfer: &Transfer) {
        if transfer.source_removed != Some(true) || !matches!(transfer.source, End::Remote { .. }) {
            return;
        }
        let note = Note::record("transfers.remove_source")
            .of_transfer(transfer.id)
            .with(serde_json::json!({
                "transfer_id": transfer.id,
                "source": transfer.source.to_string(),
                "size": transfer.bytes_total,
                "hash": transfer.hash,
            }));
        let mut entry = self.own_entry(note);
        entry.principal = Some(transfer.created_by);
        change.journal(&entry);
    }

    /// Whether the caller may use an end, and whether a source in Bailee is there.
    pub(crate) async fn check_end(&self, caller: &Caller, end: &End, pointer: &str) -> Result<()> {
        let file = match end {
            End::Path { path } => FileRef::Path(path.clone()),
            End::File { file } => FileRef::Id(*file),
            End::Folder { path } => {
                let folders = crate::Folders { core: self };
                return folders.stat(caller, path.clone()).await.map(drop);
            }
            End::Remote { remote, .. } => {
                return self.usable_remote(caller, remote, pointer).await.map(drop);
            }
        };
        let files = Files { core: self };
        let (_, found) = files
            .enter(caller, "transfers.create", Action::FileRead, &file)
            .await?;
        living(&found)
    }

    /// A remote of the caller's tenant that the caller may use.
    pub(crate) async fn usable_remote(
        &self,
        caller: &Caller,
        name: &RemoteName,
        pointer: &str,
    ) -> Result<Remote> {
        let resource = Resource::Remote { name: name.clone() };
        let ask = Ask {
            operation: "transfers.create",
            action: Action::RemoteUse,
            resource: &resource,
            what: "remote",
        };
        let permit = self.enter(caller, ask).await?;
        let found = self
            .store
            .reader(&permit)
            .remote_named(name)
            .await
            .map_err(error::from_db)?;
        found.ok_or_else(|| {
            let detail = format!("There is no remote `{name}`.");
            Error::new(ErrorKind::RemoteUnknown, detail.clone()).with_field(
                pointer,
                "remote_unknown",
                detail,
            )
        })
    }
}

/// What the journal says of a transfer: the `data` of its events.
pub(crate) fn transfer_facts(transfer: &Transfer) -> serde_json::Value {
    let counts = transfer.counts;
    serde_json::json!({
        "transfer_id": transfer.id,
        "state": transfer.state.public(),
        "outcome": transfer.outcome.map(TransferOutcome::as_str),
        "error_code": transfer.fault.as_ref().map(|fault| &fault.code),
        "error_message": transfer.fault.as_ref().map(|fault| &fault.message),
        "source": transfer.source.to_string(),
        "destination": transfer.destination.to_string(),
        "bytes_total": counts.map_or(transfer.bytes_total, |counts| Some(counts.bytes_total)),
        "bytes_done": counts.map_or(transfer.bytes_done, |counts| counts.bytes_done),
        "files_total": counts.map_or(1, |counts| counts.files_total),
        "files_done": counts.map(|counts| counts.files_done),
        "files_skipped": counts.map(|counts| counts.files_skipped),
        "files_failed": counts.map(|counts| counts.files_failed),
        "attempt": transfer.attempt,
        "hash": transfer.hash,
        "file_id": transfer.result_file,
        "source_removed": transfer.source_removed,
        "verified_by": transfer.proof.map(CopyProof::as_str),
        "placed_at": transfer.placed_at,
        "started_at": transfer.started_at,
        "decision_id": transfer.decision,
        "label": transfer.label,
        "flow_run_id": transfer.flow_run,
        "links": { "self": format!("/v1/transfers/{}", transfer.id) },
    })
}

/// What a cancelled transfer says of itself.
pub(crate) fn cancelled() -> TransferFault {
    TransferFault {
        code: "cancelled".to_owned(),
        message: "The transfer was cancelled.".to_owned(),
        hint: Some("Submit it again, or retry it.".to_owned()),
    }
}
