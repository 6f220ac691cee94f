//! Finding the files of a transfer of many: folder by folder, the files of each before the folders in it, both by name.
//!
//! This order is what makes a place in it small: the folder, and the last file of it. After a crash the folders on the
//! way there are listed once more, and nothing else. What is kept in memory is one page of a folder, however large it is,
//! and the names of the folders that wait. Links and devices are passed over.

mod paths;
mod root;

use std::time::Duration;

use bailee_core::model::{Bundle, Cursor, End, PageRequest, limit as model_limit};
use bailee_core::{FileRef, FoundFile, FoundFiles};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::fault::{Halt, Side, from_core};
use super::sight::Sight;
use paths::{bailee_file, below, path_of, remote_file, says_folder, too_much, unusable};
use root::{Root, Seen, files_in, folders_in, open};

/// What was found is queued at least this often, so that moving begins while a slow far side still lists.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Where a listing goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    /// Which source.
    source: usize,
    /// The folder below it, name by name.
    folder: Vec<String>,
    /// The last file of the folder that was found; of a repeated transfer, the last file's id.
    after: String,
    /// Files found so far.
    found: u64,
}

/// A walk through the sources of a transfer.
pub(super) struct Walk<'a> {
    bundle: &'a Bundle,
    destination: End,
    place: Place,
    /// The folders that wait, the next one last.
    waiting: Vec<Vec<String>>,
    root: Option<Root>,
}

impl<'a> Walk<'a> {
    /// A walk from `place` on, or from the beginning.
    pub(super) fn new(
        bundle: &'a Bundle,
        destination: &End,
        place: Option<serde_json::Value>,
    ) -> Self {
        let place = place.and_then(|place| serde_json::from_value(place).ok());
        Self {
            bundle,
            destination: destination.clone(),
            place: place.unwrap_or_default(),
            waiting: Vec::new(),
            root: None,
        }
    }

    /// The next files, some at once.
    pub(super) async fn next(&mut self, sight: Sight<'_>) -> Result<FoundFiles, Halt> {
        let mut found = FoundFiles::default();
        let began = Instant::now();
        while found.files.len() < model_limit::TRANSFER_FILES_AT_ONCE
            && (found.files.is_empty() || began.elapsed() < TELL_EVERY)
        {
            sight.stop.check()?;
            let had = found.files.len();
            let is_more = self.step(sight, &mut found.files).await?;
            self.place.found += (found.files.len() - had) as u64;
            if self.place.found > model_limit::TRANSFER_FILES_MAX {
                return Err(too_much(
                    sight.source,
                    "files",
                    model_limit::TRANSFER_FILES_MAX,
                ));
            }
            if !is_more {
                found.is_last = true;
                break;
            }
        }
        found.place = serde_json::to_value(&self.place).unwrap_or_default();
        Ok(found)
    }

    /// One page of files, or one step to the next folder or source. False at the end.
    async fn step(&mut self, sight: Sight<'_>, found: &mut Vec<FoundFile>) -> Result<bool, Halt> {
        if let Some(old) = self.bundle.failed_of {
            return self.step_failed(sight, (old, found)).await;
        }
        let Some(source) = self.bundle.sources.get(self.place.source) else {
            return Ok(false);
        };
        if !says_folder(source) {
            found.push(self.single(sight, source).await);
            self.next_source().await;
            return Ok(true);
        }
        if self.root.is_none() {
            self.enter(sight, source).await?;
        }
        let Some(folder) = self.waiting.last().cloned() else {
            self.next_source().await;
            return Ok(true);
        };
        let room = model_limit::TRANSFER_FILES_AT_ONCE.saturating_sub(found.len());
        let (files, is_more) = self.files(sight, &folder, room.max(1)).await?;
        for seen in &files {
            let below = path_of(&folder, &seen.name);
            if self.bundle.holds(&below) {
                found.push(self.found(source, &folder, seen));
            }
        }
        self.place.folder.clone_from(&folder);
        if let Some(last) = files.last() {
            self.place.after.clone_from(&last.name);
        }
        if !is_more {
            self.waiting.pop();
            self.descend(sight, &folder, found).await?;
            match self.waiting.last() {
                Some(next) => {
                    self.place.folder.clone_from(next);
                    self.place.after.clear();
                }
                None => self.next_source().await,
            }
        }
        Ok(true)
    }

    async fn next_source(&mut self) {
        if let Some(Root::Far(root)) = self.root.take() {
            root.close().await;
        }
        self.waiting.clear();
        self.place.source += 1;
        self.place.folder.clear();
        self.place.after.clear();
    }

    /// Opens a source, and lists the folders on the way to where it goes on.
    async fn enter(&mut self, sight: Sight<'_>, source: &End) -> Result<(), Halt> {
        self.root = Some(open(sight, source).await?);
        self.waiting.clear();
        let goal = self.place.folder.clone();
        for depth in 0..goal.len() {
            let (above, next) = goal.split_at(depth);
            let next = next.first().map(String::as_str).unwrap_or_default();
            let mut beyond = self.folders(sight, above).await?;
            beyond.retain(|name| name.as_str() > next);
            self.wait_for(sight, above, beyond)?;
        }
        self.waiting.push(goal);
        Ok(())
    }

    /// Has the folders in `folder` wait their turn.
    async fn descend(
        &mut self,
        sight: Sight<'_>,
        folder: &[String],
        found: &mut Vec<FoundFile>,
    ) -> Result<(), Halt> {
        let folders = self.folders(sight, folder).await?;
        if let Some(unnameable) = self.unnameable(folder) {
            found.push(self.hopeless(folder, &unnameable));
        }
        if folder.len() >= model_limit::TRANSFER_DEPTH_MAX && !folders.is_empty() {
            let why = format!(
                "it lies {} folders deep, and what is below it is not moved",
                folder.len()
            );
            found.push(self.hopeless(folder, &why));
            return Ok(());
        }
        self.wait_for(sight, folder, folders)
    }

    fn wait_for(
        &mut self,
        sight: Sight<'_>,
        above: &[String],
        folders: Vec<String>,
    ) -> Result<(), Halt> {
        if self.waiting.len() + folders.len() > model_limit::TRANSFER_FOLDERS_WAITING_MAX {
            return Err(too_much(
                sight.source,
                "folders side by side",
                model_limit::TRANSFER_FOLDERS_WAITING_MAX as u64,
            ));
        }
        self.waiting.extend(folders.into_iter().rev().map(|name| {
            let mut path = above.to_vec();
            path.push(name);
            path
        }));
        Ok(())
    }

    /// The folders in a folder, by name.
    async fn folders(&mut self, sight: Sight<'_>, folder: &[String]) -> Result<Vec<String>, Halt> {
        match self.root.as_mut() {
            Some(Root::Far(root)) => root.folders(folder).await,
            Some(Root::Bailee(root)) => folders_in(sight, below(root, folder)?).await,
            None => Ok(Vec::new()),
        }
    }

    /// The next files of a folder, by name, and whether there may be more.
    async fn files(
        &mut self,
        sight: Sight<'_>,
        folder: &[String],
        most: usize,
    ) -> Result<(Vec<Seen>, bool), Halt> {
        let after = self.place.after.clone();
        match self.root.as_mut() {
            Some(Root::Far(root)) => root.files(folder, (&after, most)).await,
            Some(Root::Bailee(root)) => files_in(sight, below(root, folder)?, (&after, most)).await,
            None => Ok((Vec::new(), false)),
        }
    }

    fn unnameable(&self, folder: &[String]) -> Option<String> {
        let Some(Root::Far(root)) = &self.root else {
            return None;
        };
        let count = root.unnameable_count(folder);
        (count > 0).then(|| format!("{count} entries in it have names that no path can hold"))
    }

    /// A file in a folder, with where it goes.
    fn found(&self, source: &End, folder: &[String], seen: &Seen) -> FoundFile {
        let path = path_of(folder, &seen.name);
        let (from, is_named) = match source {
            End::Folder { path: root } => match bailee_file(root, folder, &seen.name) {
                Some(end) => (end, true),
                None => (source.clone(), false),
            },
            other => (remote_file(other, &path), true),
        };
        let to = if is_named {
            self.place_for(folder, &seen.name)
        } else {
            None
        };
        let fault = to
            .is_none()
            .then(|| unusable(&path, "its name is not allowed at the destination"));
        FoundFile {
            source: from,
            destination: to.unwrap_or_else(|| self.destination.clone()),
            size_bytes: seen.size_bytes,
            fault,
        }
    }

    fn place_for(&self, folder: &[String], name: &str) -> Option<End> {
        match &self.destination {
            End::Folder { path } => bailee_file(path, folder, name),
            other => Some(remote_file(other, &path_of(folder, name))),
        }
    }

    /// Something that cannot be moved, told as a file that failed.
    fn hopeless(&self, folder: &[String], why: &str) -> FoundFile {
        let source = self.bundle.sources.get(self.place.source);
        let source = source.unwrap_or(&self.destination);
        let path = folder.join("/");
        FoundFile {
            source: match source {
                End::Remote { .. } => remote_file(source, &path),
                other => other.clone(),
            },
            destination: self.destination.clone(),
            size_bytes: None,
            fault: Some(unusable(&format!("/{path}"), why)),
        }
    }

    /// A source that is a file.
    async fn single(&self, sight: Sight<'_>, source: &End) -> FoundFile {
        let named = match source {
            End::Path { path } => Ok(path.name().to_string()),
            End::Remote { path, .. } => Ok(path.rsplit('/').next().unwrap_or_default().to_owned()),
            End::File { file } => {
                let files = sight.shared.core.files();
                let found = files.stat(sight.caller, FileRef::Id(*file)).await;
                found.map(|found| found.path.name().to_string())
            }
            End::Folder { path } => Ok(path.to_string()),
        };
        let place = |name: &String| self.place_for(&[], name);
        let destination = named.as_ref().ok().and_then(place);
        let fault = match (&named, &destination) {
            (Err(error), _) => match from_core(error, Side::Source) {
                Halt::Trouble(trouble) => Some(trouble.fault),
                Halt::Stopped(_) => None,
            },
            (Ok(name), None) => Some(unusable(name, "its name is not allowed at the destination")),
            (Ok(_), Some(_)) => None,
        };
        FoundFile {
            source: source.clone(),
            destination: destination.unwrap_or_else(|| self.destination.clone()),
            size_bytes: None,
            fault,
        }
    }

    /// Files that an earlier transfer could not move.
    async fn step_failed(
        &mut self,
        sight: Sight<'_>,
        (old, found): (bailee_core::model::TransferId, &mut Vec<FoundFile>),
    ) -> Result<bool, Halt> {
        let after = (!self.place.after.is_empty()).then(|| Cursor {
            key: String::new(),
            id: self.place.after.clone(),
        });
        let page = PageRequest {
            limit: model_limit::PAGE_MAX,
            after,
        };
        let transfers = sight.shared.core.transfers();
        let failed = transfers.files(sight.caller, old, Some("failed"), page);
        let failed = failed
            .await
            .map_err(|error| from_core(&error, Side::Source))?;
        found.extend(failed.data.into_iter().map(|file| FoundFile {
            source: file.source,
            destination: file.destination,
            size_bytes: Some(file.listed_bytes).filter(|bytes| *bytes > 0),
            fault: None,
        }));
        match failed.next {
            Some(next) => self.place.after = next.id,
            None => return Ok(false),
        }
        Ok(true)
    }
}
