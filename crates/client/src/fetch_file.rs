//! Fetches files: resumable, proven, and never half there.
//!
//! A `file_id` names the same bytes for ever, so a cut download goes on where it stopped, today or tomorrow: `If-Range`
//! with the hash as `ETag` makes sure of it. The target appears by one rename, after the SHA-256 fits.

use std::fs::{self, File as LocalFile, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bailee_api::File;
use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::task::spawn_blocking;

use crate::call::Call;
use crate::digest::Sha256;
use crate::local_read::hash_up_to;
use crate::progress::Meter;
use crate::retry::{Failure, next_delay};
use crate::transport::{Opened, within};
use crate::{Client, Error, FileRef, OnProgress, Result, limit};

/// How a file is fetched.
#[derive(Default)]
pub struct DownloadOptions {
    /// Whether a file at the target is replaced.
    pub overwrite: bool,
    /// Told about progress.
    pub on_progress: Option<OnProgress>,
}

impl Client {
    /// Fetches a file to `target` on this machine. What is fetched rests in a private file beside the target until it is
    /// whole and proven; a later call goes on with it.
    pub async fn download_file(
        &self,
        source: impl Into<FileRef>,
        target: &Path,
        options: DownloadOptions,
    ) -> Result<File> {
        let client = self.without_deadline();
        let source = source.into();
        let work = async {
            if !options.overwrite && target.exists() {
                return Err(occupied(target));
            }
            let file = client.files().stat(source).await?;
            client.fetch_to_file(file, target, options).await
        };
        within(self.deadline, work).await
    }

    /// Fetches a file into `sink`. The SHA-256 is checked at the end: on [`Error::Integrity`] the sink holds bytes that
    /// are not the file's.
    pub async fn download_to(
        &self,
        source: impl Into<FileRef>,
        sink: &mut (impl AsyncWrite + Send + Unpin),
        options: DownloadOptions,
    ) -> Result<File> {
        let client = self.without_deadline();
        let source = source.into();
        let work = async {
            let file = client.files().stat(source).await?;
            let meter = Meter::new(Some(file.size), options.on_progress);
            let mut fetch = Fetch::new(&client, &file, Sha256::default(), 0);
            while let Some(bytes) = fetch.next().await? {
                sink.write_all(&bytes)
                    .await
                    .map_err(Error::local("write", Path::new("-")))?;
                meter.add(bytes.len() as u64)?;
            }
            sink.flush()
                .await
                .map_err(Error::local("write", Path::new("-")))?;
            fetch.prove()?;
            meter.finish()?;
            Ok(file)
        };
        within(self.deadline, work).await
    }

    async fn fetch_to_file(
        &self,
        file: File,
        target: &Path,
        options: DownloadOptions,
    ) -> Result<File> {
        let meter = Meter::new(Some(file.size), options.on_progress);
        let partial = partial_path(target, &file)?;
        let begun = begin(&partial, file.size).await?;
        meter.skip(begun.held);
        let mut fetch = Fetch::new(self, &file, begun.sha, begun.held);
        let local = write_all(&mut fetch, begun.file, &partial, &meter).await?;
        if let Err(error) = fetch.prove() {
            // Bytes that are proven wrong must not be resumed.
            fs::remove_file(&partial).map_err(Error::local("remove", &partial))?;
            return Err(error);
        }
        settle(local, partial, target.to_owned(), options.overwrite).await?;
        meter.finish()?;
        Ok(file)
    }
}

/// One download under way: the bytes of a file from an offset on, over as many requests as it takes.
struct Fetch<'a> {
    client: &'a Client,
    file: &'a File,
    sha: Sha256,
    offset: u64,
    body: Option<Opened>,
    tries: u32,
}

impl<'a> Fetch<'a> {
    fn new(client: &'a Client, file: &'a File, sha: Sha256, offset: u64) -> Self {
        Self {
            client,
            file,
            sha,
            offset,
            body: None,
            tries: 0,
        }
    }

    /// The next bytes, `None` when all are there.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while self.offset < self.file.size {
            let mut body = match self.body.take() {
                Some(body) => body,
                None => self.request().await?,
            };
            let cut = match body.chunk().await {
                Ok(Some(bytes)) => {
                    self.body = Some(body);
                    self.take_in(&bytes)?;
                    return Ok(Some(bytes));
                }
                Ok(None) => Error::Integrity {
                    what: self.file.path.clone(),
                    expected: format!("{} bytes", self.file.size),
                    actual: format!("{} bytes", self.offset),
                },
                Err(error) => error,
            };
            let client = self.client;
            let delay = next_delay(
                &client.retry,
                self.tries,
                Failure::Connection,
                &*client.inner.chance,
            );
            let Some(delay) = delay else {
                return Err(cut);
            };
            self.tries += 1;
            tracing::info!(
                offset = self.offset,
                "the download was cut, going on: {cut}"
            );
            if let Some(tell) = &client.inner.on_retry {
                tell(&cut, delay);
            }
            tokio::time::sleep(delay).await;
        }
        Ok(None)
    }

    fn take_in(&mut self, bytes: &[u8]) -> Result<()> {
        self.offset += bytes.len() as u64;
        if self.offset > self.file.size {
            return Err(Error::Integrity {
                what: self.file.path.clone(),
                expected: format!("{} bytes", self.file.size),
                actual: format!("more than {} bytes", self.file.size),
            });
        }
        self.sha.update(bytes);
        self.tries = 0;
        Ok(())
    }

    /// Asks for the rest. An answer that does not continue exactly here, with exactly this file, is refused.
    async fn request(&self) -> Result<Opened> {
        let etag = format!("\"{}\"", self.file.hash);
        let mut call = Call::get(format!("/files/{}/download", self.file.file_id));
        if self.offset > 0 {
            call = call
                .header(RANGE, &format!("bytes={}-", self.offset))?
                .header(IF_RANGE, &etag)?;
        }
        let opened = self.client.open(call).await?;
        let header = |name| {
            opened
                .response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        if header(ETAG) != Some(etag.as_str()) {
            return Err(self.other_bytes(header(ETAG).unwrap_or("no ETag")));
        }
        let begins = match opened.response.status().as_u16() {
            206 => header(CONTENT_RANGE).and_then(range_start),
            200 => Some(0),
            _ => None,
        };
        if begins != Some(self.offset) {
            return Err(self.other_bytes("another range"));
        }
        Ok(opened)
    }

    fn other_bytes(&self, actual: &str) -> Error {
        Error::Integrity {
            what: self.file.path.clone(),
            expected: self.file.hash.clone(),
            actual: actual.to_owned(),
        }
    }

    fn prove(self) -> Result<()> {
        let actual = self.sha.finish().hex();
        if actual == self.file.hash {
            return Ok(());
        }
        Err(Error::Integrity {
            what: self.file.path.clone(),
            expected: self.file.hash.clone(),
            actual,
        })
    }
}

/// The first byte that a `Content-Range: bytes 20-25/26` names.
fn range_start(value: &str) -> Option<u64> {
    value
        .strip_prefix("bytes ")?
        .split('-')
        .next()?
        .parse()
        .ok()
}

fn occupied(target: &Path) -> Error {
    Error::Local {
        action: "write",
        path: target.to_owned(),
        source: std::io::ErrorKind::AlreadyExists.into(),
    }
}

/// Beside the target, and of this version only: other bytes have another name.
fn partial_path(target: &Path, file: &File) -> Result<PathBuf> {
    let name = target
        .file_name()
        .ok_or_else(|| Error::usage(format!("{} names no file", target.display())))?;
    Ok(target.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), file.file_id)))
}

/// What an earlier run left, hashed.
struct Begun {
    file: LocalFile,
    sha: Sha256,
    held: u64,
}

async fn begin(partial: &Path, size: u64) -> Result<Begun> {
    let path = partial.to_owned();
    blocking(move || {
        let failed = |action| Error::local(action, &path);
        let mut file = private(&path).map_err(failed("open"))?;
        let (sha, held) = hash_up_to(&mut file, size).map_err(failed("read"))?;
        file.set_len(held).map_err(failed("write"))?;
        Ok(Begun { file, sha, held })
    })
    .await
}

/// Opens for reading and writing; made readable for its owner alone.
fn private(path: &Path) -> std::io::Result<LocalFile> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Writes the rest of a file. What came before a failure is written too, so that a later run goes on after it.
async fn write_all(
    fetch: &mut Fetch<'_>,
    mut file: LocalFile,
    path: &Path,
    meter: &Meter,
) -> Result<LocalFile> {
    loop {
        let mut gathered = BytesMut::new();
        let end = loop {
            match fetch.next().await {
                Ok(Some(bytes)) => gathered.extend_from_slice(&bytes),
                end => break Some(end),
            }
            if gathered.len() >= limit::WRITE_BLOCK {
                break None;
            }
        };
        let length = gathered.len() as u64;
        file = write(file, gathered.freeze(), path).await?;
        if let Some(end) = end {
            end?;
            meter.add(length)?;
            return Ok(file);
        }
        meter.add(length)?;
    }
}

async fn write(mut file: LocalFile, bytes: Bytes, path: &Path) -> Result<LocalFile> {
    let path = path.to_owned();
    blocking(move || {
        file.write_all(&bytes)
            .map_err(Error::local("write", &path))?;
        Ok(file)
    })
    .await
}

/// Makes the bytes durable, then visible. A target that is replaced keeps its permissions.
async fn settle(file: LocalFile, partial: PathBuf, target: PathBuf, overwrite: bool) -> Result<()> {
    blocking(move || {
        match fs::metadata(&target) {
            Ok(_) if !overwrite => return Err(occupied(&target)),
            Ok(old) => file
                .set_permissions(old.permissions())
                .map_err(Error::local("write", &partial))?,
            Err(_) => {}
        }
        file.sync_all().map_err(Error::local("write", &partial))?;
        fs::rename(&partial, &target).map_err(Error::local("write", &target))
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(stopped) => Err(Error::usage(format!("writing ended: {stopped}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_a_range_is_read() {
        assert_eq!(range_start("bytes 20-25/26"), Some(20));
        assert_eq!(range_start("bytes */26"), None);
        assert_eq!(range_start("20-25/26"), None);
    }
}
