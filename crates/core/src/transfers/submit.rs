use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    End, Error, ErrorKind, EventType, FileId, RemoteName, Result, Transfer, TransferId,
    TransferState, limit,
};

use crate::files::Files;
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::{checks, error};

use super::{NewTransfer, Transfers, key_of, transfer_facts};

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
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        self.submit_again(caller, new, None).await
    }

    /// Says what would be done, and whether policy allows it. Nothing is stored.
    pub async fn plan(&self, caller: &Caller, new: NewTransfer) -> Result<Transfer> {
        self.admit(caller, "transfers.create").await?;
        self.check(caller, &new).await?;
        Ok(self.row(caller, new, None))
    }

    /// Submits an ended transfer once more, as a new one with `retry_of`.
    pub async fn retry(&self, caller: &Caller, id: TransferId) -> Result<Transfer> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
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
        made(&mut change, &transfer)?;
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
