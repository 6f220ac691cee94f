//! Plans: what a transfer would do, by the listing that it would make and by looks at the destination.
//!
//! Nothing is read, written or stored. Time and the number of files that are looked at are bounded; what lies beyond is
//! said to be unknown.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use bailee_connect::{EntryKind, RemotePath};
use bailee_core::model::{
    Bundle, End, Error, ErrorKind, FilePath, FileState, OnConflict, Result, Same, Scope, Timestamp,
    Transfer, limit as model_limit,
};
use bailee_core::{
    FileRef, FoundFile, PlanRequest, PlannedFate, PlannedFile, RunEnd, TransferPlan,
    TransferPlanner,
};
use tokio::time::Instant;

use super::far::Far;
use super::fault::{Halt, Side, bad_path, from_core};
use super::listing::Walk;
use super::moving::target;
use super::same::may_be_same;
use super::sight::Sight;
use super::source::look;
use crate::stop::Stop;
use crate::{Shared, limit};

/// The core's means to plan. The core holds it, so it must not hold the core.
pub(crate) struct Planner(pub(crate) Weak<Shared>);

#[async_trait]
impl TransferPlanner for Planner {
    async fn plan(&self, wish: PlanRequest) -> Result<TransferPlan> {
        let shared = self.0.upgrade().ok_or_else(|| {
            Error::new(ErrorKind::Draining, "The server is stopping.").retry_after(5)
        })?;
        let mut plan = TransferPlan::default();
        let planned = plan_within(&shared, &wish, &mut plan);
        match tokio::time::timeout(limit::PLAN_TIME_MAX, planned).await {
            Ok(Ok(())) => Ok(plan),
            // What was found before the fault is worth telling.
            Ok(Err(halt)) if plan.files_total > 0 => {
                plan.is_cut_by = Some(message(halt));
                Ok(plan)
            }
            Ok(Err(halt)) => Err(refusal(halt)),
            Err(_) => {
                let waited = limit::PLAN_TIME_MAX.as_secs();
                plan.is_cut_by = Some(format!("It was looked at for {waited} s and no longer."));
                Ok(plan)
            }
        }
    }
}

async fn plan_within(
    shared: &Arc<Shared>,
    wish: &PlanRequest,
    plan: &mut TransferPlan,
) -> std::result::Result<(), Halt> {
    let stop = Stop::default();
    stop.hold_until(Instant::now() + limit::PLAN_TIME_MAX);
    let look = Looker {
        sight: Sight {
            shared,
            caller: &wish.caller,
            stop: &stop,
            source: &wish.transfer.source,
            lease: None,
        },
        transfer: &wish.transfer,
        destination: destination(shared, wish, &stop).await?,
    };
    let planned = match &wish.bundle {
        Some(bundle) => look.at_many(bundle, plan).await,
        None => look.at_one(plan).await,
    };
    if let Some(far) = &look.destination {
        far.close().await;
    }
    planned
}

async fn destination(
    shared: &Arc<Shared>,
    wish: &PlanRequest,
    stop: &Stop,
) -> std::result::Result<Option<Far>, Halt> {
    let runs = shared.core.runs();
    let end = runs
        .open_end(&wish.caller, &wish.transfer.destination)
        .await
        .map_err(|error| from_core(&error, Side::Destination))?;
    match end {
        RunEnd::Bailee(_) => Ok(None),
        RunEnd::Remote(target, _) => Far::open(shared, &target, Side::Destination, stop)
            .await
            .map(Some),
    }
}

/// What is known of a file without reading it.
#[derive(Clone, Copy, Default)]
struct Facts<'a> {
    size_bytes: Option<u64>,
    modified: Option<Timestamp>,
    hash: Option<&'a str>,
}

struct Looker<'a> {
    sight: Sight<'a>,
    transfer: &'a Transfer,
    /// The far end, where there is one.
    destination: Option<Far>,
}

impl Looker<'_> {
    async fn at_many(
        &self,
        bundle: &Bundle,
        plan: &mut TransferPlan,
    ) -> std::result::Result<(), Halt> {
        let destination = as_folder(&self.transfer.destination)?;
        let mut walk = Walk::new(bundle, &destination, None);
        loop {
            let found = walk.next(self.sight).await?;
            for file in found.files {
                let planned = self.at_file(file).await?;
                add(plan, planned);
            }
            if let Some(fault) = found.fault {
                plan.is_cut_by = Some(fault.message);
            }
            if found.is_last {
                return Ok(());
            }
            if plan.files_total >= model_limit::PLAN_LOOKS_MAX {
                let most = model_limit::PLAN_LOOKS_MAX;
                plan.is_cut_by = Some(format!("No more than {most} files are looked at."));
                return Ok(());
            }
        }
    }

    /// One file; or many, where the source turns out to be a folder.
    async fn at_one(&self, plan: &mut TransferPlan) -> std::result::Result<(), Halt> {
        let transfer = self.transfer;
        let file = FoundFile {
            source: transfer.source.clone(),
            destination: transfer.destination.clone(),
            size_bytes: None,
            fault: None,
        };
        match self.at_file(file).await {
            Ok(planned) => {
                add(plan, planned);
                Ok(())
            }
            Err(Halt::Trouble(trouble)) if trouble.names_folder => {
                let bundle = Bundle {
                    sources: vec![as_folder(&transfer.source)?],
                    ..Bundle::default()
                };
                Box::pin(self.at_many(&bundle, plan)).await
            }
            Err(halt) => Err(halt),
        }
    }

    async fn at_file(&self, file: FoundFile) -> std::result::Result<PlannedFile, Halt> {
        let mut planned = PlannedFile {
            source: file.source,
            destination: file.destination,
            size_bytes: file.size_bytes,
            fate: PlannedFate::Send,
            reason: None,
        };
        if let Some(fault) = file.fault {
            planned.fate = PlannedFate::Fail;
            planned.reason = Some(fault.message);
            return Ok(planned);
        }
        let is_single = self.transfer.source == planned.source;
        let hash;
        let mut source = Facts {
            size_bytes: planned.size_bytes,
            ..Facts::default()
        };
        if is_single || matches!(self.transfer.same, Some(Same::Mtime | Same::Hash)) {
            (source, hash) = self.source_facts(&planned.source).await?;
            source.hash = hash.as_deref();
            planned.size_bytes = source.size_bytes.or(planned.size_bytes);
        }
        if let Some((there, there_hash)) = self.there(&planned).await? {
            let there = Facts {
                hash: there_hash.as_deref(),
                ..there
            };
            (planned.fate, planned.reason) = self.judge(source, there);
        }
        Ok(planned)
    }

    async fn source_facts(
        &self,
        source: &End,
    ) -> std::result::Result<(Facts<'static>, Option<String>), Halt> {
        let Sight { shared, caller, .. } = self.sight;
        let file = match source {
            End::Remote { .. } => {
                let opened = shared.core.runs().open_end(caller, source).await;
                let opened = opened.map_err(|error| from_core(&error, Side::Source))?;
                let RunEnd::Remote(target, path) = opened else {
                    return Ok((Facts::default(), None));
                };
                let far = Far::open(shared, &target, Side::Source, self.sight.stop).await?;
                let path: RemotePath = path.parse().map_err(|error| bad_path(&path, error))?;
                let entry = look(&far, &path).await;
                far.close().await;
                let entry = entry?;
                let facts = Facts {
                    size_bytes: entry.size_bytes,
                    modified: entry.modified,
                    hash: None,
                };
                return Ok((facts, None));
            }
            End::Path { path } => FileRef::Path(path.clone()),
            End::File { file } => FileRef::Id(*file),
            End::Folder { path } => return Err(bad_path(&path.to_string(), "it is a folder")),
        };
        let found = shared.core.files().stat(caller, file).await;
        let found = found.map_err(|error| from_core(&error, Side::Source))?;
        let facts = Facts {
            size_bytes: Some(found.size_bytes),
            modified: Some(found.created_at),
            hash: None,
        };
        Ok((facts, Some(found.hash)))
    }

    /// What stands at the destination, as far as the caller may know.
    async fn there(
        &self,
        planned: &PlannedFile,
    ) -> std::result::Result<Option<(Facts<'static>, Option<String>)>, Halt> {
        match (&self.destination, &planned.destination) {
            (Some(far), End::Remote { path, .. }) => {
                let path = target(path, name_of(&planned.source))?;
                let found = far.stat(&path).await?;
                Ok(found
                    .filter(|found| found.kind == EntryKind::File)
                    .map(|found| {
                        let facts = Facts {
                            size_bytes: found.size_bytes,
                            modified: found.modified,
                            hash: None,
                        };
                        (facts, None)
                    }))
            }
            (_, End::Path { path }) => self.here(path).await,
            _ => Ok(None),
        }
    }

    async fn here(
        &self,
        path: &FilePath,
    ) -> std::result::Result<Option<(Facts<'static>, Option<String>)>, Halt> {
        let Sight { shared, caller, .. } = self.sight;
        if !caller.scopes().hold(Scope::FilesRead) {
            return Ok(None);
        }
        let found = shared
            .core
            .files()
            .stat(caller, FileRef::Path(path.clone()))
            .await;
        match found {
            Ok(found) if found.state == FileState::Available => {
                let facts = Facts {
                    size_bytes: Some(found.size_bytes),
                    modified: Some(found.created_at),
                    hash: None,
                };
                Ok(Some((facts, Some(found.hash))))
            }
            Ok(_) => Ok(None),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::FolderNotFound | ErrorKind::PolicyDenied => {
                    Ok(None)
                }
                _ => Err(from_core(&error, Side::Destination)),
            },
        }
    }

    /// What becomes of a file whose place is taken.
    fn judge(&self, source: Facts<'_>, there: Facts<'_>) -> (PlannedFate, Option<String>) {
        use PlannedFate::{Fail, Send, Skip};
        let told = |fate, reason: &str| (fate, Some(reason.to_owned()));
        if let Some(same) = self.transfer.same
            && may_be_same(
                same,
                (source.size_bytes, source.modified),
                (there.size_bytes, there.modified),
            )
        {
            match (same, source.hash.zip(there.hash)) {
                (Same::Exists, _) => return told(Skip, "It is there already."),
                (Same::Size | Same::Mtime, _) => {
                    return told(Skip, "The same is there already, by `sync`.");
                }
                (Same::Hash, Some((here, there))) if here == there => {
                    return told(Skip, "The same is there already, by its hash.");
                }
                (Same::Hash, Some(_)) => {}
                (Same::Hash, None) => {
                    return told(Send, "Of equal size: both are hashed when it runs.");
                }
            }
        }
        match self.transfer.on_conflict {
            OnConflict::Fail => told(Fail, "The destination is occupied."),
            OnConflict::Replace => told(Send, "It replaces what is there."),
            OnConflict::Rename => told(Send, "It takes a free name beside what is there."),
            OnConflict::Skip => told(Skip, "The destination is occupied."),
        }
    }
}

fn add(plan: &mut TransferPlan, file: PlannedFile) {
    plan.files_total += 1;
    match file.fate {
        PlannedFate::Send => {
            plan.files_sent += 1;
            plan.bytes_total += file.size_bytes.unwrap_or(0);
        }
        PlannedFate::Skip => plan.files_skipped += 1,
        PlannedFate::Fail => plan.files_failed += 1,
    }
    if plan.files.len() < model_limit::PLAN_FILES_MAX {
        plan.files.push(file);
    }
}

/// The end as the folder that files come from or go into.
fn as_folder(end: &End) -> std::result::Result<End, Halt> {
    Ok(match end {
        End::Remote { remote, path } if !path.ends_with('/') => End::Remote {
            remote: remote.clone(),
            path: format!("{path}/"),
        },
        End::Path { path } => {
            let folder = path.folder().child(path.name().clone());
            End::Folder {
                path: folder.map_err(|error| bad_path(&path.to_string(), error))?,
            }
        }
        other => other.clone(),
    })
}

/// The name that a file keeps in a folder.
fn name_of(source: &End) -> &str {
    match source {
        End::Path { path } => path.name().as_str(),
        End::Remote { path, .. } => path.rsplit('/').next().unwrap_or_default(),
        End::Folder { .. } | End::File { .. } => "",
    }
}

fn message(halt: Halt) -> String {
    match halt {
        Halt::Trouble(trouble) => trouble.fault.message,
        Halt::Stopped(_) => "The look was broken off.".to_owned(),
    }
}

/// Why there is no plan: a transfer would fail for the same reason.
fn refusal(halt: Halt) -> Error {
    let Halt::Trouble(trouble) = halt else {
        return Error::new(ErrorKind::Unavailable, "The look was broken off.").retry_after(5);
    };
    let fault = trouble.fault;
    let kind = match fault.code.as_str() {
        "source_not_found" => ErrorKind::NotFound,
        "policy_denied" => ErrorKind::PolicyDenied,
        "invalid_path" => ErrorKind::InvalidPath,
        "remote_timeout" => ErrorKind::RemoteTimeout,
        _ => ErrorKind::RemoteFailed,
    };
    Error::new(kind, fault.message).with("error_code", fault.code)
}
