use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Bundle, End, Error, ErrorKind, EventType, FileCounts, FileId, KeyId, PrincipalId, RemoteName,
    Result, Transfer, TransferId, TransferState, limit,
};
use bailee_store::Change;

use crate::files::Files;
use crate::flows::mandate_of;
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::{checks, error};

use super::{NewTransfer, Transfers, key_of, run_of, transfer_facts};

/// A transfer that was judged and is not written yet.
pub(crate) struct StagedTransfer {
    pub(crate) permit: Permit,
    pub(crate) transfer: Transfer,
    pub(crate) bundle: Option<Bundle>,
}

/// Which files a retry moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryFiles {
    /// All.
    #[default]
    All,
    /// Those that failed.
    Failed,
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
            return place(path);
        }
        let remote = name
            .parse::<RemoteName>()
            .map_err(|why| Error::new(ErrorKind::InvalidPath, format!("{why}.")))?;
        return Ok(End::Remote {
            remote,
            path: remote_path(path)?,
        });
    }
    place(text)
}

/// A path in Bailee; with a trailing slash it names a folder.
fn place(text: &str) -> Result<End> {
    Ok(if text.ends_with('/') {
        End::Folder {
            path: text.parse()?,
        }
    } else {
        End::Path {
            path: text.parse()?,
        }
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
        self.submit_again(caller, (new, None), None).await
    }

    /// Submits an ended transfer once more, as a new one with `retry_of`. Of one that moved many files, all of them or
    /// only those that failed.
    pub async fn retry(
        &self,
        caller: &Caller,
        id: TransferId,
        which: RetryFiles,
    ) -> Result<Transfer> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let (permit, old) = self
            .find(caller, "transfers.retry", Action::TransferControl, id)
            .await?;
        if old.state != TransferState::Failed {
            return Err(Error::new(
                ErrorKind::StateConflict,
                "Only a failed transfer can be retried.",
            ));
        }
        let bundle = match (old.counts, which) {
            (None, _) => None,
            (Some(_), RetryFiles::Failed) => Some(Bundle {
                failed_of: Some(id),
                ..Bundle::default()
            }),
            (Some(_), RetryFiles::All) => {
                let reader = self.core.store.reader(&permit);
                let found = reader.bundle(id).await.map_err(error::from_db)?;
                found.map(|(bundle, _)| bundle)
            }
        };
        let new = NewTransfer {
            label: old.label,
            priority: old.priority,
            verify: old.verify,
            on_conflict: old.on_conflict,
            retry: old.retry,
            same: old.same,
            delete_source: old.delete_source,
            preserve_time: old.preserve_time,
            bandwidth: old.bandwidth,
            notify_on_completion: old.notify_on_completion,
            metadata: old.metadata,
            ..NewTransfer::new(old.source, old.destination)
        };
        self.submit_again(caller, (new, bundle), Some(id)).await
    }

    async fn submit_again(
        &self,
        caller: &Caller,
        wish: (NewTransfer, Option<Bundle>),
        retry_of: Option<TransferId>,
    ) -> Result<Transfer> {
        let staged = self.stage(caller, wish, retry_of).await?;
        let mut change = self.core.store.change(&staged.permit);
        self.add(&mut change, caller, &staged);
        made(&mut change, &staged.transfer)?;
        change.commit().await.map_err(error::from_db)?;
        Ok(staged.transfer)
    }

    /// Judges a wish and makes the rows of its transfer; nothing is written.
    pub(crate) async fn stage(
        &self,
        caller: &Caller,
        (mut new, mut bundle): (NewTransfer, Option<Bundle>),
        retry_of: Option<TransferId>,
    ) -> Result<StagedTransfer> {
        let permit = self.admit(caller, "transfers.create").await?;
        check(&new)?;
        if bundle.is_none() {
            bundle = self.shape(caller, &mut new).await?;
        }
        self.check_ends(caller, &new, bundle.as_ref()).await?;
        self.check_room(&permit).await?;
        let mut transfer = self.row(caller, new, retry_of);
        transfer.decision = Some(permit.decision());
        transfer.counts = bundle.as_ref().map(|_| FileCounts::default());
        Ok(StagedTransfer {
            permit,
            transfer,
            bundle,
        })
    }

    /// Adds a judged transfer with its job and its entry to a change.
    pub(crate) fn add(&self, change: &mut Change, caller: &Caller, staged: &StagedTransfer) {
        let (permit, transfer) = (&staged.permit, &staged.transfer);
        change.insert_transfer(transfer);
        if let Some(bundle) = &staged.bundle {
            change.insert_bundle(transfer.id, bundle, transfer.created_at);
        }
        change.enqueue(&self.core.transfer_job(permit.tenant(), transfer));
        let note = Note::event("transfers.create", EventType::TransferCreated)
            .of_transfer(transfer.id)
            .with(transfer_facts(transfer));
        change.journal(&self.core.permitted(caller, permit, note));
    }

    /// Judges a wish that is kept for later: all but whether its source is there.
    pub(crate) async fn judge(&self, caller: &Caller, new: &NewTransfer) -> Result<()> {
        self.admit(caller, "transfers.create").await?;
        check(new)?;
        let sources = std::iter::once(&new.source).chain(&new.sources);
        for source in sources.filter(|source| matches!(source, End::Remote { .. })) {
            self.core.check_end(caller, source, "#/source").await?;
        }
        let sources = std::iter::once(&new.source).chain(&new.sources);
        let places = sources.filter(|end| matches!(end, End::Remote { .. } | End::Folder { .. }));
        let places: Vec<End> = places.cloned().collect();
        if !places.is_empty() {
            let places = Bundle {
                sources: places,
                ..Bundle::default()
            };
            self.check_removal(caller, new, Some(&places)).await?;
        }
        self.check_destination(caller, &new.destination).await
    }

    pub(super) async fn admit(&self, caller: &Caller, operation: &'static str) -> Result<Permit> {
        let ask = Ask {
            operation,
            action: Action::TransferCreate,
            resource: &Resource::Tenant,
            what: "transfer",
        };
        self.core.enter(caller, ask).await
    }

    /// Policy on both ends, existence of a source in Bailee. Far ends are checked by the transfer itself, and so is each
    /// file of a list.
    pub(super) async fn check_ends(
        &self,
        caller: &Caller,
        new: &NewTransfer,
        bundle: Option<&Bundle>,
    ) -> Result<()> {
        match bundle {
            None => self.core.check_end(caller, &new.source, "#/source").await?,
            Some(bundle) => self.check_sources(caller, bundle).await?,
        }
        self.check_removal(caller, new, bundle).await?;
        self.check_destination(caller, &new.destination).await
    }

    /// Whether the caller may write where a transfer goes.
    async fn check_destination(&self, caller: &Caller, destination: &End) -> Result<()> {
        let folder = match destination {
            End::File { .. } => {
                return Err(Error::field(
                    "#/destination",
                    "invalid_end",
                    "A file version is immutable; name a path.",
                ));
            }
            End::Path { path } => path.folder(),
            End::Folder { path } => path,
            other @ End::Remote { .. } => {
                return self.core.check_end(caller, other, "#/destination").await;
            }
        };
        let files = Files { core: self.core };
        files
            .admit(caller, "transfers.create", Some(folder))
            .await
            .map(drop)
    }

    pub(super) fn row(
        &self,
        caller: &Caller,
        new: NewTransfer,
        retry_of: Option<TransferId>,
    ) -> Transfer {
        Transfer {
            mandate: run_of(caller).map(|_| mandate_of(caller)),
            flow_run: run_of(caller),
            ..self.row_for((caller.principal(), key_of(caller)), new, retry_of)
        }
    }

    /// The row of a transfer that a principal asks for with a key.
    pub(crate) fn row_for(
        &self,
        (created_by, created_with): (PrincipalId, Option<KeyId>),
        new: NewTransfer,
        retry_of: Option<TransferId>,
    ) -> Transfer {
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
            parent: None,
            counts: None,
            listed_bytes: 0,
            is_skipped: false,
            same: new.same,
            delete_source: new.delete_source,
            preserve_time: new.preserve_time,
            has_arrived: false,
            source_removed: None,
            proof: None,
            placed_at: None,
            notes: Vec::new(),
            ended_entry: None,
            decision: None,
            bandwidth: new.bandwidth,
            cancel_requested: false,
            bytes_total: None,
            bytes_done: 0,
            attempt: 0,
            next_attempt_at: new.start_at,
            waits_for: None,
            result_file: None,
            hash: None,
            checkpoint: None,
            created_by,
            makes_folders: false,
            created_with,
            mandate: None,
            flow_run: None,
            created_at: now,
            started_at: None,
            updated_at: now,
            finished_at: None,
            revision: 1,
        }
    }
}

/// Syntax: what can be judged without looking at anything.
pub(super) fn check(new: &NewTransfer) -> Result<()> {
    new.label
        .as_deref()
        .map_or(Ok(()), |label| checks::text("#/label", label))?;
    checks::metadata(&new.metadata)?;
    if new.retry.max_attempts == 0 || new.retry.max_attempts > limit::TRANSFER_ATTEMPTS_MAX {
        let detail = format!("Must be 1 to {}.", limit::TRANSFER_ATTEMPTS_MAX);
        return Err(Error::field("#/retry/max_attempts", "out_of_range", detail));
    }
    if new.sources.len() > limit::TRANSFER_SOURCES_MAX {
        let detail = format!("At most {} sources.", limit::TRANSFER_SOURCES_MAX);
        return Err(Error::field("#/sources", "too_many", detail));
    }
    for (pointer, globs) in [("#/include", &new.include), ("#/exclude", &new.exclude)] {
        if globs.len() > limit::GLOBS_MAX {
            let detail = format!("At most {} patterns.", limit::GLOBS_MAX);
            return Err(Error::field(pointer, "too_many", detail));
        }
    }
    if new
        .bandwidth
        .is_some_and(|bandwidth| bandwidth < limit::BANDWIDTH_MIN)
    {
        let detail = format!("At least {} bytes per second.", limit::BANDWIDTH_MIN);
        return Err(Error::field("#/bandwidth", "out_of_range", detail));
    }
    Ok(())
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
        assert_eq!(text("reports/"), Ok("/reports/".to_owned()));
        assert_eq!(text("/"), Ok("/".to_owned()));
        assert_eq!(text("bank:/../etc/passwd"), Err(ErrorKind::InvalidPath));
        assert_eq!(text("Bank:/in/a.csv"), Err(ErrorKind::InvalidPath));
        assert_eq!(text("a/../b"), Err(ErrorKind::InvalidPath));
        assert_eq!(
            text("reports/12:30.csv"),
            Ok("/reports/12:30.csv".to_owned())
        );
    }
}
