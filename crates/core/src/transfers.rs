//! Transfers, as clients see them.

use std::collections::BTreeMap;
use std::time::Duration;

use bailee_auth::{Action, Caller, Permit, Resource, Via};
use bailee_model::{
    End, Error, ErrorKind, EventType, FileId, Job, JobId, JobKind, KeyId, OnConflict, Page,
    PageRequest, Remote, RemoteName, Result, RetryRule, Timestamp, Transfer, TransferFault,
    TransferId, TransferOutcome, TransferState, Verify, limit,
};
use bailee_store::{Change, DbError, TransferFilter, conflict};

use crate::files::{FileRef, Files, RACES_MAX, living};
use crate::gate::Ask;
use crate::journal::Note;
use crate::{Core, checks, error};

/// The transfers of the caller's tenant.
pub struct Transfers<'a> {
    pub(crate) core: &'a Core,
}

/// A transfer to be submitted.
#[derive(Clone, Debug)]
pub struct NewTransfer {
    /// From where.
    pub source: End,
    /// To where.
    pub destination: End,
    /// For people.
    pub label: Option<String>,
    /// Lower runs first.
    pub priority: i32,
    /// How the copy is checked.
    pub verify: Verify,
    /// What happens when the destination is occupied.
    pub on_conflict: OnConflict,
    /// When transient faults are tried again.
    pub retry: RetryRule,
    /// After this it ends with outcome `expired`.
    pub deadline: Option<Timestamp>,
    /// Not before this.
    pub start_at: Option<Timestamp>,
    /// Whether the owner wants a notice of its own.
    pub notify_on_completion: bool,
    /// Custom entries.
    pub metadata: BTreeMap<String, String>,
}

/// Reads an end in the short form: a path in Bailee, a `fil_` id, or `name:/path`.
pub fn parse_end(text: &str) -> Result<End> {
    if let Ok(file) = text.parse::<FileId>() {
        return Ok(End::File { file });
    }
    if let Some((name, path)) = text.split_once(':')
        && !name.contains('/')
    {
        if name.is_empty() || name == "bailee" {
            return Ok(End::Path {
                path: path.parse()?,
            });
        }
        let remote = name
            .parse::<RemoteName>()
            .map_err(|why| Error::new(ErrorKind::InvalidPath, format!("{why}.")))?;
        return Ok(End::Remote {
            remote,
            path: remote_path(path)?,
        });
    }
    Ok(End::Path {
        path: text.parse()?,
    })
}

/// A path at a remote: without `..` segments and control characters, which no remote needs. A trailing `/` names a
/// folder, into which the file goes under its own name.
fn remote_path(path: &str) -> Result<String> {
    let is_bad = path.is_empty()
        || path.len() > limit::PATH_BYTES_MAX
        || path.chars().any(|c| c.is_control() || c == '\\')
        || path
            .split('/')
            .any(|segment| segment == ".." || segment == ".");
    if is_bad {
        return Err(Error::new(
            ErrorKind::InvalidPath,
            "A path at a remote has no `.`, `..` or control characters.",
        ));
    }
    Ok(path.to_owned())
}

impl Transfers<'_> {
    /// Takes a transfer: durable and queued when this returns.
    pub async fn submit(&self, caller: &Caller, new: NewTransfer) -> Result<Transfer> {
        self.submit_again(caller, new, None).await
    }

    /// Says what would be done, and whether policy allows it. Nothing is stored.
    pub async fn plan(&self, caller: &Caller, new: NewTransfer) -> Result<Transfer> {
        self.admit(caller, "transfers.create").await?;
        self.check(caller, &new).await?;
        Ok(self.row(caller, new, None))
    }

    /// One transfer.
    pub async fn get(&self, caller: &Caller, id: TransferId) -> Result<Transfer> {
        let (_, transfer) = self
            .find(caller, "transfers.get", Action::TransferRead, id)
            .await?;
        Ok(transfer)
    }

    /// Transfers, newest first. A key that is bound to paths sees the transfers that it asked for.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: TransferFilter,
        page: PageRequest,
    ) -> Result<Page<Transfer>> {
        let ask = Ask {
            operation: "transfers.list",
            action: Action::TransferRead,
            resource: &Resource::Tenant,
            what: "transfer",
        };
        let permit = self.core.enter(caller, ask).await?;
        let mut found = self
            .core
            .store
            .reader(&permit)
            .transfers(&filter, &page)
            .await
            .map_err(error::from_db)?;
        found.data.retain(|transfer| is_shown(caller, transfer));
        Ok(found)
    }

    /// Holds the answer until the transfer is past `revision`, it ends, or `wait` is over.
    pub async fn wait(
        &self,
        caller: &Caller,
        id: TransferId,
        revision: u64,
        wait: Duration,
    ) -> Result<Transfer> {
        let mut changes = self.core.changes();
        let deadline = tokio::time::Instant::now() + wait.min(limit::WAIT_MAX);
        loop {
            changes.borrow_and_update();
            let transfer = self.get(caller, id).await?;
            if transfer.revision > revision || transfer.state.is_final() || self.core.is_draining()
            {
                return Ok(transfer);
            }
            if tokio::time::timeout_at(deadline, changes.changed())
                .await
                .is_err()
            {
                return Ok(transfer);
            }
        }
    }

    /// Ends a transfer with outcome `cancelled`: at once when it waits, at its next step when it runs.
    pub async fn cancel(&self, caller: &Caller, id: TransferId) -> Result<Transfer> {
        self.steer(caller, id, "transfers.cancel", |core, change, transfer| {
            if transfer.state.is_final() {
                return Err(ended(transfer));
            }
            transfer.cancel_requested = true;
            if matches!(
                transfer.state,
                TransferState::Queued | TransferState::Paused
            ) {
                core.end_transfer(
                    change,
                    transfer,
                    TransferOutcome::Cancelled,
                    Some(cancelled()),
                );
                change.drop_job(JobKind::RunTransfer, &transfer.id.to_string());
            }
            Ok(())
        })
        .await
    }

    /// Holds a transfer that waits, or one that runs at its next checkpoint.
    pub async fn pause(&self, caller: &Caller, id: TransferId) -> Result<Transfer> {
        self.steer(caller, id, "transfers.pause", |_, change, transfer| {
            if !transfer.state.may_become(TransferState::Paused) {
                return Err(ended(transfer));
            }
            transfer.state = TransferState::Paused;
            transfer.next_attempt_at = None;
            change.drop_job(JobKind::RunTransfer, &transfer.id.to_string());
            Ok(())
        })
        .await
    }

    /// Lets a paused transfer go on.
    pub async fn resume(&self, caller: &Caller, id: TransferId) -> Result<Transfer> {
        self.steer(caller, id, "transfers.resume", |core, change, transfer| {
            if transfer.state != TransferState::Paused {
                return Err(Error::new(
                    ErrorKind::StateConflict,
                    "The transfer is not paused.",
                ));
            }
            transfer.state = TransferState::Queued;
            change.drop_job(JobKind::RunTransfer, &transfer.id.to_string());
            change.enqueue(&core.transfer_job(change.tenant(), transfer));
            Ok(())
        })
        .await
    }

    /// Submits an ended transfer once more, as a new one with `retry_of`.
    pub async fn retry(&self, caller: &Caller, id: TransferId) -> Result<Transfer> {
        let (_, old) = self
            .find(caller, "transfers.retry", Action::TransferControl, id)
            .await?;
        if old.state != TransferState::Failed {
            return Err(Error::new(
                ErrorKind::StateConflict,
                "Only a failed transfer can be retried.",
            ));
        }
        let new = NewTransfer {
            source: old.source,
            destination: old.destination,
            label: old.label,
            priority: old.priority,
            verify: old.verify,
            on_conflict: old.on_conflict,
            retry: old.retry,
            deadline: None,
            start_at: None,
            notify_on_completion: old.notify_on_completion,
            metadata: old.metadata,
        };
        self.submit_again(caller, new, Some(id)).await
    }

    async fn submit_again(
        &self,
        caller: &Caller,
        new: NewTransfer,
        retry_of: Option<TransferId>,
    ) -> Result<Transfer> {
        let permit = self.admit(caller, "transfers.create").await?;
        self.check(caller, &new).await?;
        let transfer = self.row(caller, new, retry_of);
        let mut change = self.core.store.change(&permit);
        change
            .insert_transfer(&transfer)
            .enqueue(&self.core.transfer_job(permit.tenant(), &transfer));
        let note = Note::event("transfers.create", EventType::TransferCreated)
            .of_transfer(transfer.id)
            .with(transfer_facts(&transfer));
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(error::from_db)?;
        Ok(transfer)
    }

    async fn admit(&self, caller: &Caller, operation: &'static str) -> Result<Permit> {
        let ask = Ask {
            operation,
            action: Action::TransferCreate,
            resource: &Resource::Tenant,
            what: "transfer",
        };
        self.core.enter(caller, ask).await
    }

    /// Syntax, policy on both ends, existence of a source in Bailee. Far ends are checked by the transfer itself.
    async fn check(&self, caller: &Caller, new: &NewTransfer) -> Result<()> {
        new.label
            .as_deref()
            .map_or(Ok(()), |label| checks::text("#/label", label))?;
        checks::metadata(&new.metadata)?;
        if new.retry.max_attempts == 0 || new.retry.max_attempts > limit::TRANSFER_ATTEMPTS_MAX {
            let detail = format!("Must be 1 to {}.", limit::TRANSFER_ATTEMPTS_MAX);
            return Err(Error::field("#/retry/max_attempts", "out_of_range", detail));
        }
        self.core.check_end(caller, &new.source, "#/source").await?;
        if let End::File { .. } = new.destination {
            return Err(Error::field(
                "#/destination",
                "invalid_end",
                "A file version is immutable; name a path.",
            ));
        }
        if new.source == new.destination {
            return Err(Error::field(
                "#/destination",
                "same_end",
                "Source and destination are the same.",
            ));
        }
        match &new.destination {
            End::Path { path } => {
                let files = Files { core: self.core };
                files
                    .admit(caller, "transfers.create", Some(path.folder()))
                    .await
                    .map(drop)
            }
            other => self.core.check_end(caller, other, "#/destination").await,
        }
    }

    fn row(&self, caller: &Caller, new: NewTransfer, retry_of: Option<TransferId>) -> Transfer {
        let now = self.core.clock.now();
        Transfer {
            id: TransferId::new(now, &*self.core.chance),
            state: TransferState::Queued,
            outcome: None,
            fault: None,
            source: new.source,
            destination: new.destination,
            label: new.label,
            priority: new.priority,
            verify: new.verify,
            on_conflict: new.on_conflict,
            retry: new.retry,
            deadline: new.deadline,
            start_at: new.start_at,
            notify_on_completion: new.notify_on_completion,
            metadata: new.metadata,
            retry_of,
            cancel_requested: false,
            bytes_total: None,
            bytes_done: 0,
            attempt: 0,
            next_attempt_at: new.start_at,
            result_file: None,
            hash: None,
            checkpoint: None,
            created_by: caller.principal(),
            created_with: key_of(caller),
            created_at: now,
            started_at: None,
            updated_at: now,
            finished_at: None,
            revision: 1,
        }
    }

    async fn find(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
        id: TransferId,
    ) -> Result<(Permit, Transfer)> {
        let facts = self.core.store.facts(caller.tenant());
        let found = facts.transfer(id).await.map_err(error::from_db)?;
        let found = found.filter(|transfer| is_shown(caller, transfer));
        let Some(transfer) = found else {
            self.core
                .refuse_without_scope(caller, operation, action, &Resource::Tenant)
                .await?;
            return Err(Error::not_found("transfer"));
        };
        let resource = Resource::Transfer {
            owner: transfer.created_by,
        };
        let ask = Ask {
            operation,
            action,
            resource: &resource,
            what: "transfer",
        };
        Ok((self.core.enter(caller, ask).await?, transfer))
    }

    /// Changes a transfer from outside, whatever its runner does at the same time.
    async fn steer(
        &self,
        caller: &Caller,
        id: TransferId,
        operation: &'static str,
        act: impl Fn(&Core, &mut Change, &mut Transfer) -> Result<()>,
    ) -> Result<Transfer> {
        for _ in 0..RACES_MAX {
            let (permit, mut transfer) = self
                .find(caller, operation, Action::TransferControl, id)
                .await?;
            let mut change = self.core.store.change(&permit);
            act(self.core, &mut change, &mut transfer)?;
            transfer.revision += 1;
            transfer.updated_at = self.core.clock.now();
            change.put_transfer(&transfer);
            let note = Note::record(operation).of_transfer(id);
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(transfer),
                Err(DbError::Conflict(conflict::TRANSFER_REVISION | "job")) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(Error::new(
            ErrorKind::StateConflict,
            "The transfer changes too fast; try again.",
        )
        .retry_after(1))
    }
}

impl Core {
    /// The job that runs a transfer. Jobs with the same remote share its limit.
    pub(crate) fn transfer_job(&self, tenant: bailee_model::TenantId, transfer: &Transfer) -> Job {
        let now = self.clock.now();
        let lane = match (&transfer.destination, &transfer.source) {
            (End::Remote { remote, .. }, _) | (_, End::Remote { remote, .. }) => {
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
        change.journal(&entry);
    }

    /// Whether the caller may use an end, and whether a source in Bailee is there.
    pub(crate) async fn check_end(&self, caller: &Caller, end: &End, pointer: &str) -> Result<()> {
        let file = match end {
            End::Path { path } => FileRef::Path(path.clone()),
            End::File { file } => FileRef::Id(*file),
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
    serde_json::json!({
        "transfer_id": transfer.id,
        "state": transfer.state.public(),
        "outcome": transfer.outcome.map(TransferOutcome::as_str),
        "error_code": transfer.fault.as_ref().map(|fault| &fault.code),
        "error_message": transfer.fault.as_ref().map(|fault| &fault.message),
        "source": transfer.source.to_string(),
        "destination": transfer.destination.to_string(),
        "bytes_total": transfer.bytes_total,
        "bytes_done": transfer.bytes_done,
        "files_total": 1,
        "attempt": transfer.attempt,
        "hash": transfer.hash,
        "file_id": transfer.result_file,
        "label": transfer.label,
        "links": { "self": format!("/v1/transfers/{}", transfer.id) },
    })
}

/// The key by which a caller came, whose limits bind what it asks for.
fn key_of(caller: &Caller) -> Option<KeyId> {
    match *caller.via() {
        Via::ApiKey(key) => Some(key),
        Via::Job(_) => None,
    }
}

/// A key that is bound to paths sees only what it asked for itself: a transfer's ends may lie outside its paths.
fn is_shown(caller: &Caller, transfer: &Transfer) -> bool {
    caller.path_prefixes().is_empty()
        || (key_of(caller).is_some() && transfer.created_with == key_of(caller))
}

fn ended(transfer: &Transfer) -> Error {
    Error::new(
        ErrorKind::StateConflict,
        format!("The transfer is {}.", transfer.state.public()),
    )
}

/// What a cancelled transfer says of itself.
pub(crate) fn cancelled() -> TransferFault {
    TransferFault {
        code: "cancelled".to_owned(),
        message: "The transfer was cancelled.".to_owned(),
        hint: Some("Submit it again, or retry it.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_read_as_people_write_them() {
        let text = |end: &str| {
            parse_end(end)
                .map(|end| end.to_string())
                .map_err(|error| error.kind())
        };
        assert_eq!(text("reports/a.csv"), Ok("/reports/a.csv".to_owned()));
        assert_eq!(text(":/reports/a.csv"), Ok("/reports/a.csv".to_owned()));
        assert_eq!(text("bank:/in/a.csv"), Ok("bank:/in/a.csv".to_owned()));
        assert_eq!(text("bank:/in/"), Ok("bank:/in/".to_owned()));
        assert_eq!(text("bank:/../etc/passwd"), Err(ErrorKind::InvalidPath));
        assert_eq!(text("Bank:/in/a.csv"), Err(ErrorKind::InvalidPath));
        assert_eq!(text("a/../b"), Err(ErrorKind::InvalidPath));
        assert_eq!(
            text("reports/12:30.csv"),
            Ok("/reports/12:30.csv".to_owned())
        );
    }
}
