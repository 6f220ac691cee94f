//! Moving bytes from a remote into Bailee: an upload by parts, each part a checkpoint.

use std::sync::Arc;

use bailee_core::model::{
    CopyProof, ErrorKind, FilePath, OnConflict, Part, TransferState, UploadId, UploadState,
    limit as model_limit,
};
use bailee_core::{ByteStream, NewPart, NewUpload, RemoteTarget, RunEnd};
use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::attempt::Attempt;
use super::checkpoint::{Checkpoint, Phase, part_bytes};
use super::fault::{Halt, Side, from_core, source_changed};
use super::source::{Source, SourceStream, paced};
use crate::stop::Stop;

impl Attempt<'_> {
    /// Takes a file from a remote into Bailee.
    pub(super) async fn receive(
        &mut self,
        from: Box<RemoteTarget>,
        path: String,
        to: &FilePath,
    ) -> Result<(), Halt> {
        if self.checkpoint.phase == Phase::Settling
            && let Some(upload) = self.checkpoint.upload
        {
            match self.publish(upload).await {
                // The upload is gone or lacks something: what it held has to come again.
                Err(Halt::Trouble(trouble)) if trouble.starts_over => {
                    self.checkpoint = Checkpoint::default();
                }
                ended => return ended,
            }
        }
        let source = Source::open(self, RunEnd::Remote(from, path)).await?;
        let result = self.receive_source(&source, to).await;
        source.close().await;
        if let Err(halt) = &result
            && self.is_end(halt).await
            && let Some(upload) = self.checkpoint.upload
        {
            self.give_up(upload).await;
        }
        result
    }

    async fn receive_source(&mut self, source: &Source, to: &FilePath) -> Result<(), Halt> {
        self.checkpoint = std::mem::take(&mut self.checkpoint).for_source(&source.pin());
        self.transfer.bytes_total = source.size_bytes();
        self.tell_time_is_lost();
        if self.checkpoint.target.is_none() && self.is_same_here(to, source).await? {
            self.transfer.is_skipped = true;
            return Ok(());
        }
        let Some(place) = self.choose_place(to).await? else {
            self.transfer.is_skipped = true;
            return Ok(());
        };
        let held = match self.held(&place).await? {
            Some(held) if source.can_read_at() => held,
            _ => self.open_upload(source, place).await?,
        };
        self.advance(held.bytes);
        self.checkpoint.upload = Some(held.upload);
        self.enter(TransferState::Moving).await?;
        let held = self.take_parts(source, held).await?;
        source.check_unchanged(held.bytes).await?;
        self.check_parts(&held).await?;
        self.transfer.state = TransferState::Verifying;
        self.transfer.bytes_total = Some(held.bytes);
        self.checkpoint.phase = Phase::Settling;
        self.enter(TransferState::Settling).await?;
        self.stop.check()?;
        self.publish(held.upload).await
    }

    async fn take_parts(&mut self, source: &Source, mut held: Held) -> Result<Held, Halt> {
        let stream = paced(source.stream(held.bytes).await?, self.paces.clone());
        let reader = PartReader::new(stream, self.stop.clone());
        let part_bytes = part_bytes(source.size_bytes());
        while reader.has_more().await? {
            let new = NewPart {
                upload: held.upload,
                number: held.parts,
                digest: None,
                size_bytes: None,
            };
            let part = reader.part(part_bytes);
            let uploads = self.shared.core.uploads();
            let put = uploads.put_part(&self.caller, new, part);
            let part = self
                .stop
                .or(put)
                .await?
                .map_err(|error| from_core(&error, Side::Destination))?;
            source.count(part.size_bytes);
            held.bytes += part.size_bytes;
            held.parts += 1;
            self.advance(held.bytes);
            if let Some(size) = source.size_bytes().filter(|size| held.bytes > *size) {
                return Err(source_changed(format!("it grew past its {size} bytes")));
            }
            // What came before a fault is kept, so it is stored before the fault is told.
            self.save().await?;
            reader.check().await?;
        }
        Ok(held)
    }

    fn advance(&mut self, bytes: u64) {
        self.checkpoint.confirmed_bytes = bytes;
        self.transfer.bytes_done = bytes;
    }

    /// The upload that an earlier try began, with what it holds without a gap.
    async fn held(&mut self, place: &FilePath) -> Result<Option<Held>, Halt> {
        let Some(upload) = self.checkpoint.upload else {
            return Ok(None);
        };
        match self.shared.core.uploads().get(&self.caller, upload).await {
            Ok(view) if view.upload.state == UploadState::Open && view.upload.path == *place => {
                let (parts, bytes) = contiguous(&view.parts);
                tracing::info!(transfer.id = %self.transfer.id, offset_bytes = bytes, "a transfer goes on");
                Ok(Some(Held {
                    upload,
                    parts,
                    bytes,
                }))
            }
            Ok(_) => Ok(None),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UploadExpired) =>
            {
                Ok(None)
            }
            Err(error) => Err(from_core(&error, Side::Destination)),
        }
    }

    async fn open_upload(&self, source: &Source, path: FilePath) -> Result<Held, Halt> {
        let new = NewUpload {
            path,
            size_bytes: source.size_bytes(),
            part_size: None,
            overwrite: self.transfer.on_conflict == OnConflict::Replace,
            content_type: None,
            hash: None,
            tags: Vec::new(),
            metadata: self.transfer.metadata.clone(),
        };
        let view = self.shared.core.uploads().create(&self.caller, new).await;
        let view = view.map_err(|error| from_core(&error, Side::Destination))?;
        Ok(Held {
            upload: view.upload.id,
            parts: 0,
            bytes: 0,
        })
    }

    /// An old runner that woke up may have put a part of another size in the place of one of ours.
    async fn check_parts(&self, held: &Held) -> Result<(), Halt> {
        if held.parts < 2 {
            return Ok(());
        }
        let view = self
            .shared
            .core
            .uploads()
            .get(&self.caller, held.upload)
            .await;
        let view = view.map_err(|error| from_core(&error, Side::Destination))?;
        if contiguous(&view.parts) == (held.parts, held.bytes) {
            return Ok(());
        }
        Err(source_changed("another runner wrote at the same time"))
    }

    /// Makes a file of the parts. Asked again, it gives the same file.
    async fn publish(&mut self, upload: UploadId) -> Result<(), Halt> {
        match self
            .shared
            .core
            .uploads()
            .complete(&self.caller, upload, None)
            .await
        {
            Ok(placed) => {
                self.transfer.bytes_total = Some(placed.file.size_bytes);
                self.transfer.bytes_done = placed.file.size_bytes;
                self.transfer.result_file = Some(placed.file.id);
                self.transfer.hash = Some(placed.file.hash);
                self.transfer.proof = Some(CopyProof::Sealed);
                self.transfer.placed_at = Some(placed.file.path.to_string());
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::FileExists => {
                match self.transfer.on_conflict {
                    OnConflict::Skip => {
                        self.give_up(upload).await;
                        self.transfer.is_skipped = true;
                        Ok(())
                    }
                    // The free name was taken in the meantime; the next try finds another.
                    OnConflict::Rename => match from_core(&error, Side::Destination) {
                        Halt::Trouble(trouble) => Err(trouble.transient().starting_over().into()),
                        stopped @ Halt::Stopped(_) => Err(stopped),
                    },
                    OnConflict::Fail | OnConflict::Replace => {
                        Err(from_core(&error, Side::Destination))
                    }
                }
            }
            // An upload that cannot be found any more was swept.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(source_changed("its upload is gone"))
            }
            Err(error) => Err(from_core(&error, Side::Destination)),
        }
    }

    async fn give_up(&self, upload: UploadId) {
        if let Err(error) = self.shared.core.uploads().abort(&self.caller, upload).await {
            // It ends by itself after some days.
            tracing::debug!(upload.id = %upload, error = %error, "an upload could not be given up");
        }
    }
}

/// An upload and what it holds.
#[derive(Debug)]
struct Held {
    upload: UploadId,
    parts: u32,
    bytes: u64,
}

/// How many parts there are without a gap, and their bytes.
fn contiguous(parts: &[Part]) -> (u32, u64) {
    let held = (0_u32..)
        .zip(parts)
        .take_while(|(number, part)| part.number == *number);
    held.fold((0, 0), |(count, bytes), (_, part)| {
        (count + 1, bytes + part.size_bytes)
    })
}

/// Cuts a source into parts. A part ends after so many bytes, after some time, or where the source failed: what came
/// until then is whole, and worth keeping.
#[derive(Clone)]
struct PartReader {
    inner: Arc<Mutex<Reading>>,
    stop: Stop,
}

struct Reading {
    stream: SourceStream,
    next: Option<Bytes>,
    halt: Option<Halt>,
    is_over: bool,
}

impl PartReader {
    fn new(stream: SourceStream, stop: Stop) -> Self {
        let reading = Reading {
            stream,
            next: None,
            halt: None,
            is_over: false,
        };
        Self {
            inner: Arc::new(Mutex::new(reading)),
            stop,
        }
    }

    /// Whether the source has another byte; waits for it.
    async fn has_more(&self) -> Result<bool, Halt> {
        let mut reading = self.inner.lock().await;
        while reading.next.is_none() && !reading.is_over {
            match self.stop.or(reading.stream.next()).await? {
                Some(chunk) => reading.next = Some(chunk?).filter(|chunk| !chunk.is_empty()),
                None => reading.is_over = true,
            }
        }
        Ok(reading.next.is_some())
    }

    /// The next part, of at least one byte after [`PartReader::has_more`].
    fn part(&self, bytes_max: u64) -> ByteStream {
        let until = Instant::now() + model_limit::CHECKPOINT_EVERY;
        let inner = Arc::clone(&self.inner);
        let chunks = stream::unfold((inner, bytes_max), move |(inner, left)| async move {
            let mut reading = inner.lock().await;
            let mut chunk = reading.more(left, until).await?;
            let kept = chunk.split_to(usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len()));
            if !chunk.is_empty() {
                reading.next = Some(chunk);
            }
            drop(reading);
            let left = left - kept.len() as u64;
            Some((Ok(kept), (inner, left)))
        });
        chunks.boxed()
    }

    /// Fails if the source did.
    async fn check(&self) -> Result<(), Halt> {
        self.inner.lock().await.halt.take().map_or(Ok(()), Err)
    }
}

impl Reading {
    /// The next bytes of a part; `None` ends it.
    async fn more(&mut self, left: u64, until: Instant) -> Option<Bytes> {
        if left == 0 {
            return None;
        }
        if let Some(chunk) = self.next.take() {
            return Some(chunk);
        }
        if self.is_over || self.halt.is_some() {
            return None;
        }
        match tokio::time::timeout_at(until, self.stream.next()).await {
            Ok(Some(Ok(chunk))) => Some(chunk),
            Ok(Some(Err(halt))) => {
                self.halt = Some(halt);
                None
            }
            Ok(None) => {
                self.is_over = true;
                None
            }
            Err(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use bailee_core::model::BlobId;

    use super::*;
    use crate::stop::StopReason;

    async fn parts(chunks: Vec<Result<Bytes, Halt>>, bytes_max: u64) -> (Vec<Vec<u8>>, bool) {
        let reader = PartReader::new(stream::iter(chunks).boxed(), Stop::default());
        let mut parts = Vec::new();
        loop {
            match reader.has_more().await {
                Ok(true) => {}
                Ok(false) => return (parts, true),
                Err(_) => return (parts, false),
            }
            let chunks: Vec<_> = reader.part(bytes_max).collect().await;
            parts.push(chunks.into_iter().flat_map(Result::unwrap).collect());
            if reader.check().await.is_err() {
                return (parts, false);
            }
        }
    }

    #[tokio::test]
    async fn parts_are_cut_by_size() {
        let chunks = [&b"abc"[..], b"", b"defgh", b"i"].map(|chunk| Ok(Bytes::from_static(chunk)));
        let (found, is_whole) = parts(chunks.into(), 4).await;
        assert_eq!(found, [&b"abcd"[..], b"efgh", b"i"]);
        assert!(is_whole);
        assert_eq!(parts(Vec::new(), 4).await, (Vec::new(), true));
    }

    #[tokio::test]
    async fn what_came_before_a_fault_is_a_part() {
        let cut = || Err(Halt::Stopped(StopReason::Lost));
        let chunks = vec![Ok(Bytes::from_static(b"abc")), cut()];
        assert_eq!(parts(chunks, 10).await, (vec![b"abc".to_vec()], false));
        assert_eq!(parts(vec![cut()], 10).await, (Vec::new(), false));
    }

    #[test]
    fn only_parts_without_a_gap_count() {
        let part = |number, size_bytes| Part {
            number,
            blob: BlobId::from_bits(1),
            size_bytes,
            hash: String::new(),
        };
        assert_eq!(contiguous(&[part(0, 5), part(1, 6), part(3, 7)]), (2, 11));
        assert_eq!(contiguous(&[part(1, 6)]), (0, 0));
        assert_eq!(contiguous(&[]), (0, 0));
    }
}
