//! Sends files: in one request when they are small, by parts, in parallel and resumable, when they are not.
//!
//! The SHA-256 of the whole is computed while reading and checked by the server before the file is visible, and again
//! here against its answer. So a resumed upload whose early parts came from an older run is still proven whole.

use std::collections::BTreeSet;
use std::fs::File as LocalFile;
use std::path::Path;
use std::sync::Arc;

use bailee_api::{File, OpenUpload, UploadSession, UploadState};
use bailee_model::UploadId;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::checkpoint::Stamp;
use crate::digest::Sha256;
use crate::form::{self, Form};
use crate::local_read::{PartReader, ReadPart};
use crate::part_sender::PartSender;
use crate::parts::{self, PartPlan};
use crate::progress::Meter;
use crate::transport::{decode, within};
use crate::{Checkpoint, Checkpoints, Client, Error, OnProgress, Result, limit};

/// How a file is sent.
#[derive(Default)]
pub struct UploadOptions {
    /// Whether a file at the destination is replaced.
    pub overwrite: bool,
    /// Parts under way at once; 0 is the default of 4, 16 the most.
    pub parallel: usize,
    /// Where the upload keeps what it needs to go on later.
    pub checkpoint: Option<Arc<dyn Checkpoints>>,
    /// Told about progress.
    pub on_progress: Option<OnProgress>,
}

/// Folder and name in Bailee.
struct Place {
    folder: String,
    name: String,
}

impl Client {
    /// Sends the file `source` of this machine to the full path `destination` in Bailee.
    pub async fn upload_file(
        &self,
        source: &Path,
        destination: &str,
        options: UploadOptions,
    ) -> Result<File> {
        let client = self.without_deadline();
        within(
            self.deadline,
            client.send_file(source, destination, options),
        )
        .await
    }

    /// Sends everything that `source` yields to the full path `destination` in Bailee. Cannot be resumed.
    pub async fn upload_stream(
        &self,
        source: impl AsyncRead + Send + Unpin,
        destination: &str,
        options: UploadOptions,
    ) -> Result<File> {
        let client = self.without_deadline();
        within(
            self.deadline,
            client.send_stream(source, destination, options),
        )
        .await
    }

    pub(crate) fn without_deadline(&self) -> Self {
        Self {
            deadline: None,
            ..self.clone()
        }
    }

    async fn send_file(
        &self,
        source: &Path,
        destination: &str,
        options: UploadOptions,
    ) -> Result<File> {
        let place = place(destination)?;
        let stamp = Stamp::of(source)?;
        let meter = Arc::new(Meter::new(Some(stamp.size), options.on_progress));
        let local = LocalFile::open(source).map_err(Error::local("open", source))?;
        let reader = PartReader::new(local, source);
        let file = if stamp.size < limit::SINGLE_REQUEST_BYTES && form::can_carry(&place.name) {
            let part = reader.read(stamp.size).await?;
            changed(source, &stamp, part.bytes.len() as u64)?;
            self.send_whole(&place, part, options.overwrite, &meter)
                .await?
        } else {
            let parallel = or_default(options.parallel);
            let job = PartJob {
                client: self,
                source,
                stamp: &stamp,
                place: &place,
                overwrite: options.overwrite,
                checkpoint: options.checkpoint.as_deref(),
                meter: &meter,
            };
            job.run(reader, parallel).await?
        };
        meter.finish()?;
        Ok(file)
    }

    /// Sends up to 8 MiB in one request.
    async fn send_whole(
        &self,
        place: &Place,
        part: ReadPart,
        overwrite: bool,
        meter: &Meter,
    ) -> Result<File> {
        let hash = part.reader.sha.finish().hex();
        let size = part.bytes.len() as u64;
        let form = Form {
            folder: &place.folder,
            name: &place.name,
            overwrite,
            hash: &hash,
        };
        let mut retries = 0;
        let answer = self
            .send_counted(form.call(&part.bytes, &*self.inner.chance)?, &mut retries)
            .await;
        let file: File = match answer {
            Ok(answer) => decode(&answer.body)?,
            // The answer to the first try may have been lost after the file was placed. Same path, same bytes: done.
            Err(error) if retries > 0 && error.code() == "file_exists" => {
                let there = self.files().stat(place.path().as_str()).await?;
                if there.hash != hash {
                    return Err(error);
                }
                there
            }
            Err(error) => return Err(error),
        };
        prove(&file, &hash)?;
        meter.add(size)?;
        Ok(file)
    }

    async fn send_stream(
        &self,
        source: impl AsyncRead + Send + Unpin,
        destination: &str,
        options: UploadOptions,
    ) -> Result<File> {
        let place = place(destination)?;
        let meter = Arc::new(Meter::new(None, options.on_progress));
        let wanted = open(&place, None, limit::PART_SIZE, options.overwrite);
        let session = self.uploads().create(&wanted).await?.session_id;
        let parallel = or_default(options.parallel);
        let sender = PartSender::new(self, session, parallel, meter.clone());
        let sent = self.send_pieces(source, sender, session).await;
        match sent {
            Ok(file) => {
                meter.finish()?;
                Ok(file)
            }
            Err(error) => {
                // Nobody can go on with a stream: what is held would only wait for its end.
                if let Err(left) = self.uploads().abort(session).await {
                    tracing::info!("the part session stays until it expires: {left}");
                }
                Err(error)
            }
        }
    }

    async fn send_pieces(
        &self,
        mut source: impl AsyncRead + Send + Unpin,
        mut sender: PartSender,
        session: UploadId,
    ) -> Result<File> {
        let mut sha = Sha256::default();
        for number in 0.. {
            let mut part = Vec::new();
            let mut piece = (&mut source).take(parts::stream_part_size(number));
            let read = piece.read_to_end(&mut part).await;
            read.map_err(Error::local("read", Path::new("-")))?;
            if part.is_empty() {
                break;
            }
            sha.update(&part);
            sender.send(number, part.into()).await?;
        }
        sender.finish().await?;
        let hash = sha.finish().hex();
        let file = self.uploads().complete(session, Some(hash.clone())).await?;
        prove(&file, &hash)?;
        Ok(file)
    }
}

/// One upload by parts of one file.
struct PartJob<'a> {
    client: &'a Client,
    source: &'a Path,
    stamp: &'a Stamp,
    place: &'a Place,
    overwrite: bool,
    checkpoint: Option<&'a dyn Checkpoints>,
    meter: &'a Arc<Meter>,
}

impl PartJob<'_> {
    async fn run(&self, reader: PartReader, parallel: usize) -> Result<File> {
        let (session, plan) = self.session(parallel).await?;
        match self.send(reader, &session, &plan).await {
            Ok(file) => {
                self.forget();
                Ok(file)
            }
            Err(error) => {
                // Only a session that can never succeed is given up: everything else is worth another run.
                if matches!(error, Error::SourceChanged { .. } | Error::Integrity { .. })
                    || matches!(
                        error.code(),
                        "digest_mismatch" | "size_mismatch" | "upload_expired"
                    )
                {
                    self.forget();
                }
                Err(error)
            }
        }
    }

    fn forget(&self) {
        if let Some(store) = self.checkpoint {
            store.clear();
        }
    }

    /// The session of an earlier run if it fits and lives, else a new one.
    async fn session(&self, parallel: usize) -> Result<(UploadSession, PartPlan)> {
        if let Some(found) = self.earlier().await? {
            let plan = parts::of_size(self.stamp.size, found.part_size, parallel);
            return Ok((found, plan));
        }
        let plan = parts::plan(self.stamp.size, parallel);
        let wanted = open(
            self.place,
            Some(self.stamp.size),
            plan.part_size,
            self.overwrite,
        );
        let session = self.client.uploads().create(&wanted).await?;
        if let Some(store) = self.checkpoint {
            store.save(&Checkpoint {
                session_id: session.session_id.to_string(),
                size: self.stamp.size,
                modified: self.stamp.modified.clone(),
                part_size: plan.part_size,
            });
        }
        Ok((session, plan))
    }

    async fn earlier(&self) -> Result<Option<UploadSession>> {
        let Some(kept) = self.checkpoint.and_then(Checkpoints::load) else {
            return Ok(None);
        };
        let Ok(id) = kept.session_id.parse::<UploadId>() else {
            return Ok(None);
        };
        if !self.stamp.fits(&kept) {
            return Ok(None);
        }
        match self.client.uploads().status(id).await {
            Ok(session) if session.state == UploadState::Open => Ok(Some(UploadSession {
                part_size: kept.part_size,
                ..session
            })),
            Ok(_)
            | Err(Error::Api {
                status: 404 | 410, ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn send(
        &self,
        mut reader: PartReader,
        session: &UploadSession,
        plan: &PartPlan,
    ) -> Result<File> {
        let held: BTreeSet<u32> = session.received.iter().copied().collect();
        let mut sender = PartSender::new(
            self.client,
            session.session_id,
            plan.parallel,
            self.meter.clone(),
        );
        for index in 0..plan.count {
            let wanted = plan.len(index, self.stamp.size);
            let part = reader.read(wanted).await?;
            reader = part.reader;
            changed_length(self.source, wanted, part.bytes.len() as u64)?;
            let number = index as u32;
            if held.contains(&number) {
                self.meter.skip(wanted);
            } else {
                sender.send(number, part.bytes).await?;
            }
        }
        sender.finish().await?;
        changed(self.source, self.stamp, self.stamp.size)?;
        let hash = reader.sha.finish().hex();
        let file = self
            .client
            .uploads()
            .complete(session.session_id, Some(hash.clone()))
            .await?;
        prove(&file, &hash)?;
        Ok(file)
    }
}

impl Place {
    fn path(&self) -> String {
        format!("{}/{}", self.folder.trim_end_matches('/'), self.name)
    }
}

fn place(destination: &str) -> Result<Place> {
    let (folder, name) = destination.rsplit_once('/').unwrap_or(("", destination));
    if name.is_empty() {
        return Err(Error::usage_hint(
            format!("`{destination}` names a folder"),
            "Give the full path of the file: /inbox/report.csv",
        ));
    }
    Ok(Place {
        folder: if folder.is_empty() { "/" } else { folder }.to_owned(),
        name: name.to_owned(),
    })
}

fn open(place: &Place, size: Option<u64>, part_size: u64, overwrite: bool) -> OpenUpload {
    OpenUpload {
        destination: place.folder.clone(),
        filename: place.name.clone(),
        size,
        part_size: Some(part_size),
        overwrite,
        ..OpenUpload::default()
    }
}

fn or_default(parallel: usize) -> usize {
    if parallel == 0 {
        limit::PARALLEL_PARTS
    } else {
        parallel
    }
}

fn prove(file: &File, hash: &str) -> Result<()> {
    if file.hash == hash {
        return Ok(());
    }
    Err(Error::Integrity {
        what: file.path.clone(),
        expected: hash.to_owned(),
        actual: file.hash.clone(),
    })
}

/// Whether the source is still what it was when the upload began.
fn changed(source: &Path, stamp: &Stamp, read: u64) -> Result<()> {
    changed_length(source, stamp.size, read)?;
    if Stamp::of(source)? == *stamp {
        return Ok(());
    }
    Err(Error::SourceChanged {
        path: source.to_owned(),
    })
}

fn changed_length(source: &Path, wanted: u64, read: u64) -> Result<()> {
    if wanted == read {
        return Ok(());
    }
    Err(Error::SourceChanged {
        path: source.to_owned(),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_folder_and_a_name() {
        for (text, folder, name) in [
            ("/inbox/a.csv", "/inbox", "a.csv"),
            ("/a.csv", "/", "a.csv"),
            ("a.csv", "/", "a.csv"),
            ("/x/y/z", "/x/y", "z"),
        ] {
            let place = place(text).unwrap();
            assert_eq!(
                (place.folder.as_str(), place.name.as_str()),
                (folder, name),
                "{text}"
            );
        }
        assert_eq!(place("/a.csv").unwrap().path(), "/a.csv");
        assert_eq!(place("/in/a.csv").unwrap().path(), "/in/a.csv");
        assert!(place("/inbox/").is_err());
    }
}
