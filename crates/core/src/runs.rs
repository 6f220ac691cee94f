//! Transfers, as the engine runs them: every write holds the lease, or is refused.

use bailee_auth::{Caller, Door, Facts, Via};
use bailee_model::{
    Allowance, End, Error, ErrorKind, EventType, Lease, Outcome, RequestId, Result, TenantId,
    Timestamp, Transfer, TransferFault, TransferId, TransferOutcome, TransferState, WaitReason,
};
use bailee_store::{Change, DbError, conflict};

use crate::jobs::fenced;
use crate::journal::Note;
use crate::ports::{RemoteSecret, RemoteTarget};
use crate::remotes::opened;
use crate::transfers::{cancelled, is_late, transfer_facts};
use crate::{Core, error};

/// Transfers under way.
pub struct Runs<'a> {
    pub(crate) core: &'a Core,
}

/// A transfer with all that its runner needs.
pub struct Run {
    /// The transfer, in state `opening` or in the step where the last runner stopped.
    pub transfer: Transfer,
    /// On whose behalf.
    pub caller: Caller,
    /// From where.
    pub source: RunEnd,
    /// To where.
    pub destination: RunEnd,
}

/// One end of a run.
#[derive(Clone)]
pub enum RunEnd {
    /// A path or file in Bailee.
    Bailee(End),
    /// A path at a remote.
    Remote(Box<RemoteTarget>, String),
}

/// What a try to begin came to.
pub enum Begun {
    /// It runs.
    Run(Box<Run>),
    /// It moves many files: they are to be listed, or waited for.
    Many(Box<Transfer>, Caller),
    /// Its files are to be ended, and it with them.
    Ending(Box<Transfer>, TransferOutcome, TransferFault),
    /// There is nothing to run: it ended, is paused, or was ended now; the job is gone.
    Over,
}

impl Runs<'_> {
    /// Begins a try: asks policy again with the rights that the creator has now, and opens what is needed. A refusal
    /// ends the transfer as `rejected`, a passed deadline as `expired`.
    pub async fn begin(&self, lease: &Lease) -> Result<Begun> {
        let tenant = lease.job.tenant;
        let id: TransferId = lease.job.subject.parse().map_err(Error::internal)?;
        let found = self
            .core
            .store
            .queue()
            .reader(tenant)
            .transfer(id)
            .await
            .map_err(error::from_db)?;
        let Some(mut transfer) =
            found.filter(|found| !found.state.is_final() && found.state != TransferState::Paused)
        else {
            self.core.jobs().finish(lease).await?;
            return Ok(Begun::Over);
        };
        if let Some(begun) = self.follow_parent(lease, &mut transfer).await? {
            return Ok(begun);
        }
        let is_late = is_late(&transfer, self.core.clock.now());
        if transfer.cancel_requested {
            let why = (TransferOutcome::Cancelled, cancelled());
            return self.end_now(lease, transfer, why).await;
        }
        if is_late {
            let why = (TransferOutcome::Expired, expired());
            return self.end_now(lease, transfer, why).await;
        }
        match self.open(lease, &mut transfer).await {
            Ok(begun) => Ok(begun),
            Err(error) if is_refusal(error.kind()) => {
                self.end_now(lease, transfer, refusal(&error)).await
            }
            Err(error) => Err(error),
        }
    }

    /// A file of many obeys its parent: it ends or waits with it.
    async fn follow_parent(&self, lease: &Lease, file: &mut Transfer) -> Result<Option<Begun>> {
        let Some(parent) = self.parent(lease.job.tenant, file).await? else {
            return Ok(None);
        };
        if parent.state == TransferState::Paused {
            self.put_aside(lease, &parent).await?;
            return Ok(Some(Begun::Over));
        }
        file.cancel_requested |= parent.cancel_requested;
        file.deadline = parent.deadline;
        Ok(None)
    }

    async fn parent(&self, tenant: TenantId, file: &Transfer) -> Result<Option<Transfer>> {
        let Some(id) = file.parent else {
            return Ok(None);
        };
        let reader = self.core.store.queue().reader(tenant);
        reader.transfer(id).await.map_err(error::from_db)
    }

    async fn end_now(
        &self,
        lease: &Lease,
        mut transfer: Transfer,
        (outcome, fault): (TransferOutcome, TransferFault),
    ) -> Result<Begun> {
        if transfer.counts.is_some() {
            return Ok(Begun::Ending(Box::new(transfer), outcome, fault));
        }
        self.fail(lease, &mut transfer, outcome, fault).await?;
        Ok(Begun::Over)
    }

    /// Stores state, checkpoint and progress. `state_conflict`: the lease is lost, or somebody cancelled, paused or
    /// changed the transfer; [`Runs::reload`] tells which.
    pub async fn save(&self, lease: &Lease, transfer: &mut Transfer) -> Result<()> {
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.hold(lease);
        self.write(&mut change, transfer);
        settle(change.commit().await)
    }

    /// The transfer as it is stored now.
    pub async fn reload(&self, tenant: TenantId, id: TransferId) -> Result<Transfer> {
        Ok(self.look(tenant, id).await?.0)
    }

    /// The transfer and the one that it belongs to, as they are stored now.
    async fn look(&self, tenant: TenantId, id: TransferId) -> Result<(Transfer, Option<Transfer>)> {
        let found = self
            .core
            .store
            .queue()
            .reader(tenant)
            .transfer(id)
            .await
            .map_err(error::from_db)?;
        let mut found = found.ok_or_else(|| Error::not_found("transfer"))?;
        let parent = self.parent(tenant, &found).await?;
        if let Some(parent) = &parent {
            found.cancel_requested |= parent.cancel_requested;
        }
        Ok((found, parent))
    }

    /// Ends a transfer well.
    pub async fn complete(&self, lease: &Lease, transfer: &mut Transfer) -> Result<()> {
        self.end(lease, transfer, TransferOutcome::Succeeded, None)
            .await
    }

    /// Ends a transfer otherwise.
    pub async fn fail(
        &self,
        lease: &Lease,
        transfer: &mut Transfer,
        outcome: TransferOutcome,
        fault: TransferFault,
    ) -> Result<()> {
        self.end(lease, transfer, outcome, Some(fault)).await
    }

    /// Gives a transfer back after a transient fault, due at `at`. The try and its cause are journalled.
    pub async fn retry_later(
        &self,
        lease: &Lease,
        transfer: &mut Transfer,
        fault: TransferFault,
        at: Timestamp,
    ) -> Result<()> {
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.run_again(lease, at);
        let note = Note::record("transfers.attempt").of_transfer(transfer.id).ended(Outcome::Error).with(
            serde_json::json!({
                "attempt": transfer.attempt, "error_code": fault.code, "error_message": fault.message,
                "next_attempt_at": at.to_string(),
            }),
        );
        change.journal(&self.core.own_entry(note));
        transfer.state = TransferState::Queued;
        transfer.fault = Some(fault);
        transfer.next_attempt_at = Some(at);
        transfer.waits_for = None;
        self.write(&mut change, transfer);
        settle(change.commit().await)
    }

    /// Gives a transfer back that can do nothing before `until`. It has not been a try.
    pub async fn wait(
        &self,
        lease: &Lease,
        transfer: &mut Transfer,
        (reason, until): (WaitReason, Timestamp),
    ) -> Result<()> {
        // A deadline is told when it passes.
        let at = transfer.deadline.map_or(until, |end| until.min(end));
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.run_again(lease, at);
        transfer.state = TransferState::Queued;
        transfer.waits_for = Some(reason);
        transfer.next_attempt_at = Some(at);
        self.write(&mut change, transfer);
        settle(change.commit().await)
    }

    /// Hands a transfer back as it is, due at once: this node stops.
    pub async fn hand_back(&self, lease: &Lease) -> Result<()> {
        self.core
            .jobs()
            .postpone(lease, self.core.clock.now())
            .await
    }

    /// Whether somebody asked for the transfer to end or to pause.
    pub async fn is_stopped(&self, tenant: TenantId, id: TransferId) -> Result<bool> {
        let (transfer, parent) = self.look(tenant, id).await?;
        let is_held = |transfer: &Transfer| transfer.state == TransferState::Paused;
        Ok(transfer.cancel_requested
            || is_held(&transfer)
            || transfer.state.is_final()
            || parent.as_ref().is_some_and(is_held))
    }

    async fn start(&self, lease: &Lease, transfer: &mut Transfer) -> Result<()> {
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.hold(lease);
        transfer.state = TransferState::Opening;
        transfer.attempt += 1;
        transfer.next_attempt_at = None;
        transfer.waits_for = None;
        let is_new = transfer.started_at.is_none();
        if is_new {
            transfer.started_at = Some(self.core.clock.now());
        }
        if is_new && transfer.parent.is_none() {
            let note = Note::event("transfers.start", EventType::TransferStarted)
                .of_transfer(transfer.id)
                .with(transfer_facts(transfer));
            change.journal(&self.core.own_entry(note));
        }
        self.write(&mut change, transfer);
        settle(change.commit().await)
    }

    pub(crate) async fn end(
        &self,
        lease: &Lease,
        transfer: &mut Transfer,
        outcome: TransferOutcome,
        fault: Option<TransferFault>,
    ) -> Result<()> {
        let mut change = self.core.store.queue().change(lease.job.tenant);
        let mut ended = transfer.clone();
        self.core
            .end_transfer(&mut change, &mut ended, outcome, fault);
        self.write(&mut change, &mut ended);
        change.finish_job(lease);
        settle(change.commit().await)?;
        *transfer = ended;
        Ok(())
    }

    pub(crate) fn write(&self, change: &mut Change, transfer: &mut Transfer) {
        transfer.revision += 1;
        transfer.updated_at = self.core.clock.now();
        change.put_transfer(transfer);
    }

    async fn open(&self, lease: &Lease, transfer: &mut Transfer) -> Result<Begun> {
        let now = self.core.clock.now();
        let facts = Facts {
            address: None,
            request: RequestId::new(now, &*self.core.chance),
            now,
            door: Door::Job,
        };
        let (tenant, id) = (lease.job.tenant, transfer.id);
        let caller = if let Some(mandate) = &transfer.mandate {
            let via = Via::Transfer(id);
            self.core.by_mandate(tenant, mandate, facts, via).await?
        } else {
            let key = transfer.created_with;
            self.core
                .on_behalf(tenant, key, facts, |_| Via::Transfer(id))
                .await?
        };
        if let Some(counts) = transfer.counts {
            let source = [&transfer.source];
            if !counts.is_listed
                && let Some(wait) = self.must_wait(&caller, source).await?
            {
                self.wait(lease, transfer, wait).await?;
                return Ok(Begun::Over);
            }
            if transfer.state == TransferState::Queued {
                self.start(lease, transfer).await?;
            }
            return Ok(Begun::Many(Box::new(transfer.clone()), caller));
        }
        let ends = [&transfer.source, &transfer.destination];
        if let Some(wait) = self.must_wait(&caller, ends).await? {
            self.wait(lease, transfer, wait).await?;
            return Ok(Begun::Over);
        }
        let source = self.open_end(&caller, &transfer.source).await?;
        let destination = self.open_end(&caller, &transfer.destination).await?;
        if transfer.state == TransferState::Queued {
            self.start(lease, transfer).await?;
        }
        Ok(Begun::Run(Box::new(Run {
            transfer: transfer.clone(),
            caller,
            source,
            destination,
        })))
    }

    /// Whether a transfer has to wait for the remote at one of its ends, and until when.
    async fn must_wait<const N: usize>(
        &self,
        caller: &Caller,
        ends: [&End; N],
    ) -> Result<Option<(WaitReason, Timestamp)>> {
        for end in ends {
            let End::Remote { remote, .. } = end else {
                continue;
            };
            let remote = self.core.usable_remote(caller, remote, "#/remote").await?;
            if let Allowance::Closed(until) = remote.times.allowance(self.core.clock.now()) {
                return Ok(Some((WaitReason::Window, until)));
            }
            let until = self.core.waits_for(caller.tenant(), &remote).await?;
            if let Some(until) = until {
                return Ok(Some((WaitReason::Remote, until)));
            }
        }
        Ok(None)
    }

    /// An end with what it takes to reach it.
    pub async fn open_end(&self, caller: &Caller, end: &End) -> Result<RunEnd> {
        let End::Remote { remote, path } = end else {
            return Ok(RunEnd::Bailee(end.clone()));
        };
        let remote = self.core.usable_remote(caller, remote, "#/remote").await?;
        let target = self.core.target(caller.tenant(), remote).await?;
        Ok(RunEnd::Remote(Box::new(target), path.clone()))
    }
}

impl Core {
    /// A remote with its credential opened.
    pub(crate) async fn target(
        &self,
        tenant: TenantId,
        remote: bailee_model::Remote,
    ) -> Result<RemoteTarget> {
        let mut secret = match &remote.sealed_secret {
            Some(_) => Some(opened(&remote, self.tenant(tenant).await?.as_ref())?),
            None => None,
        };
        for (field, id) in secret
            .as_ref()
            .map(RemoteSecret::references)
            .unwrap_or_default()
        {
            let text = self.resolve(tenant, id).await?;
            secret = secret.map(|secret| secret.with(field, text));
        }
        Ok(RemoteTarget { remote, secret })
    }
}

/// A write that came too late: the runner has to look again.
pub(crate) fn settle(result: std::result::Result<(), DbError>) -> Result<()> {
    result.map_err(|error| match error {
        DbError::Conflict(conflict::TRANSFER_REVISION) => Error::new(
            ErrorKind::StateConflict,
            "The transfer was changed in the meantime.",
        ),
        other => fenced(other),
    })
}

pub(crate) fn is_refusal(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::InternalError
            | ErrorKind::Unavailable
            | ErrorKind::SecretUnavailable
            | ErrorKind::StorageFull
            | ErrorKind::StateConflict
    )
}

fn refusal(error: &Error) -> (TransferOutcome, TransferFault) {
    let fault = |code: &str, hint: &str| TransferFault {
        code: code.to_owned(),
        message: error.detail().to_owned(),
        hint: Some(hint.to_owned()),
    };
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::FolderNotFound => (
            TransferOutcome::Error,
            fault(
                "source_not_found",
                "Check the source; it may have been deleted.",
            ),
        ),
        ErrorKind::RemoteUnknown => (
            TransferOutcome::Error,
            fault(
                "remote_unreachable",
                "The remote was deleted; make it again.",
            ),
        ),
        ErrorKind::SecretUnreadable => (
            TransferOutcome::Error,
            fault(
                "secret_unreadable",
                "Correct the secret, or what it refers to, and submit it again.",
            ),
        ),
        _ => (
            TransferOutcome::Rejected,
            fault(
                "policy_denied",
                "The rights of whoever asked for this transfer have changed.",
            ),
        ),
    }
}

fn expired() -> TransferFault {
    TransferFault {
        code: "deadline_exceeded".to_owned(),
        message: "The transfer's deadline passed.".to_owned(),
        hint: Some("Submit it again with a later deadline.".to_owned()),
    }
}
