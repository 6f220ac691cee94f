//! Looking what files are at a place of a remote, for those who only want to know.

use bailee_connect::{EntryKind, RemoteEntry, RemotePath};
use bailee_core::model::flow::RemotePattern;
use bailee_core::model::{Lease, StepFault, limit as model_limit};
use bailee_core::{RemoteTarget, SeenFile};

use super::far::Far;
use super::fault::{Halt, Side, Trouble, bad_path};
use super::finding::{found_by, tell};
use crate::stop::Stop;
use crate::{Shared, limit};

/// Why nothing can be said of what is there.
pub(crate) enum Unseen {
    /// This node stops.
    Stopped,
    /// Something is wrong at the remote, or on the way.
    Fault(StepFault),
}

impl From<Halt> for Unseen {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Stopped(_) => Self::Stopped,
            Halt::Trouble(trouble) => Self::Fault(StepFault {
                code: trouble.fault.code,
                detail: trouble.fault.message,
                retryable: trouble.is_transient,
            }),
        }
    }
}

/// The files that a pattern means, all of them. Of a folder one page is in memory, and what is meant of those before.
pub(crate) async fn see(
    shared: &Shared,
    (lease, target): (&Lease, &RemoteTarget),
    pattern: &RemotePattern,
    stop: &Stop,
) -> Result<Vec<SeenFile>, Unseen> {
    let looked = tokio::time::timeout(limit::WATCH_TIME_MAX, look(shared, target, pattern, stop));
    let name = &target.remote.name;
    let seen = looked.await.unwrap_or_else(|_| {
        let waited = limit::WATCH_TIME_MAX.as_secs();
        let message = format!("Remote `{name}` did not list the folder within {waited} s.");
        let hint = "Name a folder with fewer files, or check the line and the partner's load.";
        Err(Trouble::new("remote_timeout", message, hint).into())
    });
    for (remote, finding) in found_by(&seen, [name]) {
        tell(shared, lease, &remote, finding).await;
    }
    Ok(seen?)
}

async fn look(
    shared: &Shared,
    target: &RemoteTarget,
    pattern: &RemotePattern,
    stop: &Stop,
) -> Result<Vec<SeenFile>, Halt> {
    let far = Far::open(shared, target, Side::Source, stop).await?;
    let seen = match pattern.file() {
        Some(name) => one(&far, &pattern.path_of(name), name).await,
        None => all(&far, pattern).await,
    };
    far.close().await;
    seen
}

async fn one(far: &Far, path: &str, name: &str) -> Result<Vec<SeenFile>, Halt> {
    let entry = far.stat(&path_at(path)?).await?;
    let entry = entry.filter(|entry| entry.kind == EntryKind::File);
    Ok(entry.map(|entry| seen(name, entry)).into_iter().collect())
}

async fn all(far: &Far, pattern: &RemotePattern) -> Result<Vec<SeenFile>, Halt> {
    let folder = path_at(pattern.folder())?;
    let (mut found, mut behind) = (Vec::new(), String::new());
    loop {
        let page = far.list_after(&folder, &behind).await?;
        let next = page.entries.last().filter(|_| page.is_cut);
        let next = next.map(|last| last.name.clone());
        let meant = page
            .entries
            .into_iter()
            .filter(|entry| entry.kind == EntryKind::File && pattern.matches(&entry.name));
        found.extend(meant.map(|entry| seen(&entry.name.clone(), entry)));
        if found.len() > model_limit::FLOW_WATCH_FILES_MAX {
            let most = model_limit::FLOW_WATCH_FILES_MAX;
            let message = format!("`{pattern}` means more than {most} files.");
            let hint = "Have those that are done removed or moved, or narrow the path.";
            return Err(Trouble::new("too_many_files", message, hint).into());
        }
        match next {
            Some(next) => behind = next,
            None => return Ok(found),
        }
    }
}

fn path_at(text: &str) -> Result<RemotePath, Halt> {
    text.parse().map_err(|error| bad_path(text, error))
}

fn seen(name: &str, entry: RemoteEntry) -> SeenFile {
    SeenFile {
        name: name.to_owned(),
        size_bytes: entry.size_bytes,
        modified: entry.modified,
        version: entry.version,
    }
}
