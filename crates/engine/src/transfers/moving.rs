//! Moving bytes to a remote: to a temporary name beside the destination, with a checkpoint each few megabytes.

use std::sync::Arc;

use aws_lc_rs::digest;
use bailee_connect::{RemotePath, RemoteWriter, Replace, WriteOptions};
use bailee_core::model::{OnConflict, TransferId, TransferState, limit as model_limit};
use bailee_core::{RemoteTarget, RunEnd};
use futures::StreamExt;
use tokio::sync::watch;
use tokio::time::Instant;

use super::attempt::Attempt;
use super::checkpoint::{Confirmed, Phase, resume_plan};
use super::far::Far;
use super::fault::{Halt, Side, bad_path, destination_exists, source_changed};
use super::pace::Pace;
use super::source::{Source, SourceStream, paced};
use crate::limit;
use crate::stop::Stop;

/// Characters of a transfer's id in the name of its temporary file.
const TAG_CHARS: usize = 8;

/// What was written, and is finished or about to be.
#[derive(Debug)]
pub(super) struct Moved {
    /// Size of the file.
    pub(super) total_bytes: u64,
    /// SHA-256 of what was sent, if all of it was sent in this try.
    pub(super) hash: Option<String>,
}

impl Attempt<'_> {
    /// Sends the source to a remote.
    pub(super) async fn send(
        &mut self,
        from: RunEnd,
        to: &RemoteTarget,
        path: &str,
    ) -> Result<(), Halt> {
        let far = Far::open(self.shared, to, Side::Destination, self.stop).await?;
        let result = self.send_to(&far, from, path).await;
        if result.is_ok() && !self.transfer.is_skipped {
            let place = self.checkpoint.target.as_ref();
            self.transfer.placed_at = place.map(|place| format!("{}:{place}", far.name()));
        }
        if let Err(halt) = &result
            && self.is_end(halt).await
        {
            self.clear_up(&far).await;
        }
        far.close().await;
        result
    }

    /// Removes what waits at the remote for a transfer that ends without it.
    async fn clear_up(&self, far: &Far) {
        let place = |text: &Option<String>| {
            text.as_ref()
                .and_then(|text| text.parse::<RemotePath>().ok())
        };
        if let (Some(token), Some(target)) =
            (&self.checkpoint.token, place(&self.checkpoint.target))
        {
            far.abandon(&target, token).await;
        }
        if let Some(temporary) = place(&self.checkpoint.temporary) {
            far.clear_up(&temporary).await;
        }
    }

    async fn send_to(&mut self, far: &Far, from: RunEnd, path: &str) -> Result<(), Halt> {
        if self.checkpoint.phase == Phase::Settling && self.settle_again(far).await? {
            return Ok(());
        }
        let source = Source::open(self, from).await?;
        let result = self.send_source(far, &source, path).await;
        source.close().await;
        result
    }

    async fn send_source(&mut self, far: &Far, source: &Source, path: &str) -> Result<(), Halt> {
        self.checkpoint = std::mem::take(&mut self.checkpoint).for_source(&source.pin());
        self.transfer.bytes_total = source.size_bytes();
        self.transfer.hash = source.hash().map(str::to_owned);
        if self.checkpoint.target.is_none()
            && self
                .is_same_far(far, &target(path, source.name())?, source)
                .await?
        {
            self.transfer.is_skipped = true;
            return Ok(());
        }
        let Some(target) = self.choose_target(far, source.name(), path).await? else {
            self.transfer.is_skipped = true;
            return Ok(());
        };
        // One of many keeps its folders; a single file goes where its submitter made a place for it, unless it says so.
        let makes_folders = self.transfer.parent.is_some() || self.transfer.makes_folders;
        if let Some(folder) = target.parent().filter(|_| makes_folders) {
            far.make_folders(&folder).await?;
        }
        let place = if far.is_written_in_place() {
            target.clone()
        } else {
            let temporary = target
                .temporary(&tag(self.transfer.id))
                .map_err(|error| bad_path(path, error))?;
            self.checkpoint.temporary = Some(temporary.to_string());
            temporary
        };
        let start = self.resume_at(far, source, &place).await?;
        self.checkpoint.confirmed_bytes = start.bytes;
        self.checkpoint.token.clone_from(&start.token);
        self.transfer.bytes_done = start.bytes;
        self.enter(TransferState::Moving).await?;
        let (progress, seen) = watch::channel(start.clone());
        let pump = Pump {
            far,
            source,
            place: &place,
            start,
            replace: self.replace(),
            stop: self.stop.clone(),
            paces: self.paces.clone(),
        };
        let (poured, saved) = tokio::join!(pump.run(progress), self.keep_saving(seen));
        saved?;
        let (writer, moved) = poured?;
        self.arrived(&moved);
        if far.is_written_in_place() {
            self.tell_time_is_lost();
            source.check_unchanged(moved.total_bytes).await?;
            if self.publish_at(far, writer, target, &moved).await? {
                return self.verify_published(far, source, moved).await;
            }
            self.transfer.is_skipped = true;
            return Ok(());
        }
        finish(far, writer, moved.total_bytes).await?;
        source.check_unchanged(moved.total_bytes).await?;
        self.verify(far, source, &place, moved).await?;
        self.keep_time(far, source, &place).await?;
        self.settle(far, &place, target).await
    }

    fn arrived(&mut self, moved: &Moved) {
        self.transfer.bytes_total = Some(moved.total_bytes);
        self.transfer.bytes_done = moved.total_bytes;
        self.checkpoint.confirmed_bytes = moved.total_bytes;
    }

    /// What happens to a file that stands at the destination.
    pub(super) fn replace(&self) -> Replace {
        if self.transfer.on_conflict == OnConflict::Replace {
            Replace::Yes
        } else {
            Replace::No
        }
    }

    /// Where at the remote the file goes; `None` if it need not go anywhere.
    async fn choose_target(
        &mut self,
        far: &Far,
        name: &str,
        path: &str,
    ) -> Result<Option<RemotePath>, Halt> {
        if let Some(kept) = self
            .checkpoint
            .target
            .as_ref()
            .and_then(|kept| kept.parse().ok())
        {
            return Ok(Some(kept));
        }
        let wanted = target(path, name)?;
        self.checkpoint.wanted = Some(wanted.to_string());
        let chosen = match self.transfer.on_conflict {
            OnConflict::Replace => wanted,
            _ if far.stat(&wanted).await?.is_none() => wanted,
            OnConflict::Fail => return Err(destination_exists(wanted)),
            OnConflict::Skip => return Ok(None),
            OnConflict::Rename => free_name(far, &wanted).await?,
        };
        self.checkpoint.target = Some(chosen.to_string());
        Ok(Some(chosen))
    }

    async fn resume_at(
        &self,
        far: &Far,
        source: &Source,
        place: &RemotePath,
    ) -> Result<Confirmed, Halt> {
        let can = far.capabilities();
        let confirmed = self.checkpoint.confirmed_bytes;
        if confirmed == 0 || !source.can_read_at() || !can.can_write_at {
            return Ok(Confirmed::default());
        }
        let token = self.checkpoint.token.clone();
        let bytes = if can.appears_whole {
            token.as_ref().map_or(0, |_| confirmed)
        } else {
            let there = far.size(place, confirmed).await?;
            resume_plan(confirmed, there, can.can_write_at)
        };
        tracing::info!(transfer.id = %self.transfer.id, offset_bytes = bytes, "a transfer goes on");
        Ok(Confirmed {
            bytes,
            token: token.filter(|_| bytes > 0),
        })
    }
}

/// Makes what was written a file, whole or not at all.
async fn finish(far: &Far, writer: Box<dyn RemoteWriter>, total_bytes: u64) -> Result<(), Halt> {
    let finished = far.finish(writer).await.map_err(|fault| far.halt(&fault))?;
    if finished != total_bytes {
        return Err(source_changed(format!(
            "{total_bytes} bytes were sent and {finished} arrived"
        )));
    }
    Ok(())
}

/// Bytes on their way to a remote.
struct Pump<'a> {
    far: &'a Far,
    source: &'a Source,
    place: &'a RemotePath,
    start: Confirmed,
    replace: Replace,
    stop: Stop,
    paces: Vec<Arc<Pace>>,
}

impl Pump<'_> {
    /// Writes the source from the offset on; the writer that comes back is to be finished. What is confirmed is told to
    /// `progress`, at the latest when it fails.
    async fn run(
        self,
        progress: watch::Sender<Confirmed>,
    ) -> Result<(Box<dyn RemoteWriter>, Moved), Halt> {
        let options = WriteOptions {
            offset: self.start.bytes,
            token: self.start.token.clone(),
            size_hint: self.source.size_bytes(),
            replace: self.replace,
        };
        let mut writer = self.far.write(self.place, options).await?;
        let stream = self.source.stream(self.start.bytes).await?;
        let stream = paced(stream, self.paces.clone());
        let mut hasher = (self.start.bytes == 0).then(|| digest::Context::new(&digest::SHA256));
        let poured = self
            .pour(stream, writer.as_mut(), &mut hasher, &progress)
            .await;
        let sent = writer.confirmed_bytes().saturating_sub(self.start.bytes);
        let total_bytes = match poured {
            Ok(total_bytes) => total_bytes,
            Err(halt) => {
                self.count(sent);
                progress.send_if_modified(|told| {
                    let is_more = writer.confirmed_bytes() > told.bytes;
                    if is_more {
                        *told = confirmed(writer.as_ref());
                    }
                    is_more
                });
                return Err(halt);
            }
        };
        self.count(total_bytes - self.start.bytes);
        let moved = Moved {
            total_bytes,
            hash: hasher.map(|hasher| hex::encode(hasher.finish())),
        };
        Ok((writer, moved))
    }

    async fn pour(
        &self,
        mut stream: SourceStream,
        writer: &mut dyn RemoteWriter,
        hasher: &mut Option<digest::Context>,
        progress: &watch::Sender<Confirmed>,
    ) -> Result<u64, Halt> {
        let mut taken = self.start.bytes;
        let (mut marked, mut marked_at) = (taken, Instant::now());
        while let Some(chunk) = self.stop.or(stream.next()).await? {
            let chunk = chunk?;
            taken += chunk.len() as u64;
            if let Some(size) = self.source.size_bytes().filter(|size| taken > *size) {
                return Err(source_changed(format!("it grew past its {size} bytes")));
            }
            if let Some(hasher) = hasher {
                hasher.update(&chunk);
            }
            self.stop
                .or(writer.write(chunk))
                .await?
                .map_err(|fault| self.far.halt(&fault))?;
            if taken - marked >= model_limit::CHECKPOINT_BYTES
                || marked_at.elapsed() >= limit::PROGRESS_EVERY
            {
                let known = progress.borrow().bytes;
                self.confirm(writer, known).await?;
                progress.send_replace(confirmed(writer));
                (marked, marked_at) = (taken, Instant::now());
            }
        }
        Ok(taken)
    }

    /// Waits for a confirmation if there is none that was not known.
    async fn confirm(&self, writer: &mut dyn RemoteWriter, known: u64) -> Result<(), Halt> {
        if writer.confirmed_bytes() > known {
            return Ok(());
        }
        let flushed = self.stop.or(writer.flush()).await?;
        flushed.map(|_| ()).map_err(|fault| self.far.halt(&fault))
    }

    fn count(&self, bytes: u64) {
        self.far.count(bytes);
        self.source.count(bytes);
    }
}

fn confirmed(writer: &dyn RemoteWriter) -> Confirmed {
    Confirmed {
        bytes: writer.confirmed_bytes(),
        token: writer.token(),
    }
}

/// A free name beside the taken one.
pub(super) async fn free_name(far: &Far, wanted: &RemotePath) -> Result<RemotePath, Halt> {
    let folder = wanted.parent().unwrap_or_default();
    for number in 2..=limit::NAMES_TRIED_MAX {
        let name = numbered(wanted.name().unwrap_or_default(), number);
        let path = folder
            .child(&name)
            .map_err(|error| bad_path(&name, error))?;
        if far.stat(&path).await?.is_none() {
            return Ok(path);
        }
    }
    Err(destination_exists(wanted))
}

/// Where a file called `name` goes when `path` was asked for: a trailing `/` names the folder only.
pub(super) fn target(path: &str, name: &str) -> Result<RemotePath, Halt> {
    let parsed: RemotePath = path.parse().map_err(|error| bad_path(path, error))?;
    if path.ends_with('/') || parsed.is_start() {
        return parsed.child(name).map_err(|error| bad_path(name, error));
    }
    Ok(parsed)
}

/// The name with a number before its extension. Names at remotes are kept as they are, without normalisation.
fn numbered(name: &str, number: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} ({number}).{extension}"),
        _ => format!("{name} ({number})"),
    }
}

/// Marks the temporary file of one transfer.
fn tag(id: TransferId) -> String {
    let text = id.to_string();
    let start = text.len().saturating_sub(TAG_CHARS);
    format!("bailee-{}", text.get(start..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_names_the_folder_only() {
        let text = |path| target(path, "a.csv").map(|path| path.to_string()).ok();
        assert_eq!(text("/in/b.csv").as_deref(), Some("/in/b.csv"));
        assert_eq!(text("/in/").as_deref(), Some("/in/a.csv"));
        assert_eq!(text("/").as_deref(), Some("/a.csv"));
        assert_eq!(text("in/").as_deref(), Some("in/a.csv"));
        assert_eq!(text("/../a"), None);
    }

    #[test]
    fn names_are_numbered_before_the_extension() {
        assert_eq!(numbered("a.csv", 2), "a (2).csv");
        assert_eq!(numbered(".profile", 3), ".profile (3)");
        assert_eq!(numbered("README", 2), "README (2)");
    }

    #[test]
    fn the_temporary_name_tells_the_transfer() {
        let id = TransferId::from_bits(u128::from(u64::MAX));
        let tag = tag(id);
        assert_eq!(tag.len(), "bailee-".len() + TAG_CHARS);
        assert!(id.to_string().ends_with(tag.trim_start_matches("bailee-")));
    }
}
