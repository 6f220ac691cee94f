//! S3, and stores that speak its protocol.
//!
//! Requests are signed (Signature Version 4) in their headers, so no address holds a signature. A file of up to 8 MiB
//! goes in one request, which states the SHA-256 of its bytes; a larger one in parts, of which nothing is seen before one
//! request puts them together. To go on after a cut, the store is asked which parts it holds; it must hold exactly those
//! that were confirmed, and later ones are written over. Parts that nobody puts together stay at the store, and cost,
//! until [`Connector::abandon`] or a lifecycle rule of the bucket.
//!
//! With [`Replace::No`] the store itself is told to refuse (`If-None-Match`), and the key is looked at before. Stores that
//! do not know the condition when copying leave a short time in which another writer can come between; stores that ignore
//! it always do.
//!
//! A folder is what keys have in common up to a slash. Keys that end with a slash are the marks that other programs leave
//! for folders; here too making a folder leaves one. Keys with empty, `.` or `..` segments are counted and not named.
//!
//! Renaming is a copy at the store and a removal, tied to the content that was seen before: not one step. Parts are
//! checked by CRC-64/NVME where the store tells it; those that are streamed are not in the signature, TLS guards them.

mod bucket;
mod config;
mod copy;
mod error;
mod limits;
mod list;
mod reader;
mod sign;
mod upload;
mod writer;
mod xml;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, StatusCode};

use self::bucket::{Bucket, Whole};
pub use self::config::{S3Config, S3Encryption};
pub(crate) use self::sign::{Ask, Payload, Signer};
use self::upload::Target;
use self::writer::Writer;
use crate::connector::{
    ByteStream, Capabilities, Connector, Listing, ReadFrom, RemoteEntry, RemoteWriter, Replace,
    WriteOptions,
};
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::objects::folder;
use crate::path::RemotePath;

/// One bucket.
pub(crate) struct S3 {
    bucket: Arc<Bucket>,
}

impl S3 {
    /// Asks for one entry of the bucket, which needs the credential.
    pub(crate) async fn open(config: &S3Config, guard: &EgressGuard) -> Result<Self> {
        let bucket = Arc::new(Bucket::new(config, guard)?);
        let prefix = bucket.keys.folder(&RemotePath::default());
        match list::page(&bucket, &prefix, 1, None).await {
            // The signature was right: the credential may be for writing only.
            Err(fault) if fault.kind() == &FaultKind::PermissionDenied => {}
            other => drop(other?),
        }
        Ok(Self { bucket })
    }

    fn target(&self, path: &RemotePath, replace: Replace) -> Result<Target> {
        Ok(Target {
            bucket: Arc::clone(&self.bucket),
            key: self.bucket.keys.file(path)?,
            shown: path.to_string(),
            replace,
        })
    }

    /// Removes the object `key`, if it is still this version where the store can tell.
    async fn delete(&self, key: &str, version: Option<String>, what: String) -> Result<()> {
        let request = Whole {
            ask: self.bucket.about(Method::DELETE, key),
            body: Bytes::new(),
            condition: version.map(|version| ("if-match", version)),
            what,
            refused: FaultKind::Changed,
            time_max: limits::PART_ANSWER_TIME_MAX,
        };
        request.send(&self.bucket).await.map(drop)
    }

    async fn copied(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<String> {
        let target = self.target(to, replace)?;
        let copied = copy::copy(&self.bucket, &self.bucket.keys.file(from)?, target).await?;
        copied.ok_or_else(|| missing(from))
    }
}

#[async_trait]
impl Connector for S3 {
    fn capabilities(&self) -> Capabilities {
        Capabilities::OBJECTS
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>> {
        let Some(name) = path.name() else {
            return Ok(Some(folder("")));
        };
        let key = self.bucket.keys.file(path)?;
        if let Some(head) = self
            .bucket
            .head(&key, &format!("looking at `{path}`"))
            .await?
        {
            return Ok(Some(bucket::entry(name, &head)));
        }
        let page = list::page(&self.bucket, &self.bucket.keys.folder(path), 1, None).await?;
        let is_folder = !page.objects.is_empty() || !page.prefixes.is_empty();
        Ok(is_folder.then(|| folder(name)))
    }

    async fn list(&self, path: &RemotePath, limit: usize) -> Result<Listing> {
        list::list(&self.bucket, path, limit).await
    }

    async fn list_after(&self, path: &RemotePath, after: &str, limit: usize) -> Result<Listing> {
        list::list_after(&self.bucket, path, (after, limit)).await
    }

    async fn read(&self, path: &RemotePath, from: ReadFrom) -> Result<ByteStream> {
        let mut ask = self
            .bucket
            .about(Method::GET, &self.bucket.keys.file(path)?);
        if from.offset > 0 {
            ask = ask.header("range", format!("bytes={}-", from.offset));
        }
        if let Some(version) = from.version {
            ask = ask.header("if-match", version);
        }
        let answer = self.bucket.send(ask).await?;
        if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(Box::pin(futures::stream::empty()));
        }
        let answer =
            error::expect(answer, &format!("reading `{path}`"), &FaultKind::Changed).await?;
        reader::stream(answer, from.offset)
    }

    async fn write(
        &self,
        path: &RemotePath,
        options: WriteOptions,
    ) -> Result<Box<dyn RemoteWriter>> {
        let target = self.target(path, options.replace)?;
        let (offset, declared) = (options.offset, options.size_hint);
        let writer = match options.token.filter(|_| offset > 0) {
            Some(token) => Writer::resume(target, declared, &token, offset).await?,
            None if offset > 0 => {
                let message = "a write can go on only with the token of the one before";
                return Err(Fault::new(FaultKind::OffsetBeyondEnd, message));
            }
            None => Writer::begin(target, declared).await?,
        };
        Ok(Box::new(writer))
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        let key = self.bucket.keys.file(from)?;
        if key == self.bucket.keys.file(to)? {
            let head = self
                .bucket
                .head(&key, &format!("looking at `{from}`"))
                .await?;
            return head.map(drop).ok_or_else(|| missing(from));
        }
        let version = self.copied(from, to, replace).await?;
        let what = format!("removing `{from}` after its copy");
        self.delete(&key, Some(version), what).await
    }

    /// The store says the same whether there was such an object or not, so it is asked before.
    async fn remove(&self, path: &RemotePath) -> Result<()> {
        let (key, what) = (self.bucket.keys.file(path)?, format!("removing `{path}`"));
        if self.bucket.head(&key, &what).await?.is_none() {
            return Err(missing(path));
        }
        self.delete(&key, None, what).await
    }

    async fn mkdir(&self, path: &RemotePath) -> Result<()> {
        if self.stat(path).await?.is_some() {
            let message = format!("`{path}` is there already");
            return Err(Fault::new(FaultKind::Exists, message));
        }
        let mark = Target {
            key: self.bucket.keys.folder(path),
            ..self.target(path, Replace::No)?
        };
        let writer = Writer::begin(mark, Some(0)).await?;
        Box::new(writer).finish().await.map(drop)
    }

    async fn copy(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        if replace == Replace::Yes && self.bucket.keys.file(from)? == self.bucket.keys.file(to)? {
            return self.rename(from, to, replace).await; // the protocol refuses it, but nothing is to be done
        }
        self.copied(from, to, replace).await.map(drop)
    }

    /// Only for files that were written by one request, here or by a program that asks for it likewise.
    async fn sha256(&self, path: &RemotePath) -> Result<Option<[u8; 32]>> {
        let (key, what) = (self.bucket.keys.file(path)?, format!("looking at `{path}`"));
        let head = self.bucket.head(&key, &what).await?;
        let head = head.ok_or_else(|| missing(path))?;
        // A checksum of checksums has the number of parts behind it, and is not base64.
        let digest = STANDARD
            .decode(error::header(&head, "x-amz-checksum-sha256"))
            .ok();
        Ok(digest.and_then(|digest| digest.try_into().ok()))
    }

    async fn abandon(&self, path: &RemotePath, token: &str) -> Result<()> {
        writer::abandon(self.target(path, Replace::Yes)?, token).await
    }

    async fn close(&self) {}
}

impl fmt::Debug for S3 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("S3").finish_non_exhaustive()
    }
}

fn missing(path: &RemotePath) -> Fault {
    Fault::new(FaultKind::NotFound, format!("there is no `{path}`"))
}
