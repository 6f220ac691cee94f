//! SFTP over SSH: the protocol of most partners.
//!
//! The host key is pinned: an unknown or changed key ends the connection before any credential is sent. Old algorithms
//! and compression are not offered. Reads and writes keep many requests in flight within a fixed number of bytes, and a
//! server that hangs, floods or lies costs a time-out or a fault, never memory.

mod config;
mod error;
mod host_key;
mod key_pair;
mod reader;
mod session;
mod sign_in;
mod stream;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use bailee_model::Timestamp;
use russh_sftp::protocol::FileAttributes;

pub use self::config::{PrivateKey, SftpConfig, SftpTimes};
pub use self::key_pair::SshKeyPair;
use self::session::Session;
pub(crate) use self::session::{Shaken, SignedIn};
use crate::connector::{
    ByteStream, Capabilities, Connector, EntryKind, Listing, ReadFrom, RemoteEntry, RemoteWriter,
    Replace, WriteOptions,
};
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;
use crate::page::Page;
use crate::path::RemotePath;

/// One SFTP session as far system.
#[derive(Debug)]
pub(crate) struct Sftp {
    session: Arc<Session>,
}

impl Sftp {
    pub(crate) async fn open(config: &SftpConfig, guard: &EgressGuard) -> Result<Self> {
        let (stream, _) = guard
            .dial(&config.host, config.port, config.times.connect)
            .await?;
        let signed_in = Shaken::shake_hands(stream, config)
            .await?
            .sign_in(config)
            .await?;
        Self::start(signed_in, config).await
    }

    pub(crate) async fn start(signed_in: SignedIn, config: &SftpConfig) -> Result<Self> {
        let session = signed_in.start_sftp(config).await?;
        Ok(Self {
            session: Arc::new(session),
        })
    }

    async fn replace(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        let session = &self.session;
        let (from_text, to_text) = (session.far(from), session.far(to));
        if session.offers.has_posix_rename {
            return session.posix_rename(&from_text, &to_text).await;
        }
        let Err(fault) = session
            .timed(session.raw.rename(&from_text, &to_text))
            .await
        else {
            return Ok(());
        };
        let may_be_taken = matches!(fault.kind(), FaultKind::Io | FaultKind::Exists);
        if !may_be_taken || self.stat(from).await?.is_none() || self.stat(to).await?.is_none() {
            return Err(fault);
        }
        // Without the extension there is a moment without a file; `replaces_atomically` says so.
        session.timed(session.raw.remove(&to_text)).await?;
        session
            .timed(session.raw.rename(&from_text, &to_text))
            .await
            .map(|_| ())
    }
}

#[async_trait]
impl Connector for Sftp {
    fn capabilities(&self) -> Capabilities {
        let offers = self.session.offers;
        Capabilities {
            replaces_atomically: offers.has_posix_rename,
            syncs: offers.has_fsync,
            can_set_time: true,
            ..Capabilities::FOLDERS
        }
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>> {
        match self
            .session
            .timed(self.session.raw.stat(self.session.far(path)))
            .await
        {
            Ok(found) => Ok(Some(entry(path.name().unwrap_or_default(), &found.attrs))),
            Err(fault) if fault.kind() == &FaultKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn list(&self, path: &RemotePath, limit: usize) -> Result<Listing> {
        let raw = &self.session.raw;
        let handle = self
            .session
            .timed(raw.opendir(self.session.far(path)))
            .await?
            .handle;
        let handle = session::OpenHandle::new(&self.session, handle)?;
        let limit = limit.min(limit::LIST_ENTRIES_MAX);
        let mut listing = Listing::default();
        let mut seen = 0;
        while let Some(names) = self.session.read_folder(handle.text()).await? {
            for file in names {
                seen += 1;
                if matches!(file.filename.as_str(), "." | "..") {
                    continue;
                }
                if RemotePath::default().child(&file.filename).is_err() {
                    listing.unnameable_count += 1;
                } else if listing.entries.len() < limit {
                    listing.entries.push(entry(&file.filename, &file.attrs));
                } else {
                    listing.is_cut = true;
                }
            }
            if listing.is_cut || seen > limit::LIST_ENTRIES_MAX * 2 {
                listing.is_cut = true;
                break;
            }
        }
        handle.close().await?;
        listing.entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listing)
    }

    async fn list_after(&self, path: &RemotePath, after: &str, limit: usize) -> Result<Listing> {
        let opening = self.session.raw.opendir(self.session.far(path));
        let handle = self.session.timed(opening).await?.handle;
        let handle = session::OpenHandle::new(&self.session, handle)?;
        let mut page = Page::behind(after, limit);
        while let Some(names) = self.session.read_folder(handle.text()).await? {
            for file in names {
                if matches!(file.filename.as_str(), "." | "..") {
                    continue;
                }
                if RemotePath::default().child(&file.filename).is_err() {
                    page.nameless();
                } else {
                    page.take(entry(&file.filename, &file.attrs))?;
                }
            }
        }
        handle.close().await?;
        Ok(page.done())
    }

    async fn read(&self, path: &RemotePath, from: ReadFrom) -> Result<ByteStream> {
        reader::stream(&self.session, &self.session.far(path), from.offset).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        options: WriteOptions,
    ) -> Result<Box<dyn RemoteWriter>> {
        let writer =
            writer::Writer::open(&self.session, &self.session.far(path), options.offset).await?;
        Ok(Box::new(writer))
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        if replace == Replace::Yes {
            return self.replace(from, to).await;
        }
        // The plain rename refuses a taken name on most servers, but some replace: so look first, too.
        if self.stat(to).await?.is_some() {
            return Err(exists(to));
        }
        match self
            .session
            .timed(
                self.session
                    .raw
                    .rename(self.session.far(from), self.session.far(to)),
            )
            .await
        {
            Ok(_) => Ok(()),
            Err(fault) if fault.kind() == &FaultKind::Io && self.stat(to).await?.is_some() => {
                Err(exists(to))
            }
            Err(fault) => Err(fault),
        }
    }

    async fn remove(&self, path: &RemotePath) -> Result<()> {
        self.session
            .timed(self.session.raw.remove(self.session.far(path)))
            .await
            .map(|_| ())
    }

    async fn mkdir(&self, path: &RemotePath) -> Result<()> {
        match self
            .session
            .timed(
                self.session
                    .raw
                    .mkdir(self.session.far(path), FileAttributes::empty()),
            )
            .await
        {
            Ok(_) => Ok(()),
            // The protocol has no code of its own for a taken name.
            Err(fault) if fault.kind() == &FaultKind::Io && self.stat(path).await?.is_some() => {
                Err(exists(path))
            }
            Err(fault) => Err(fault),
        }
    }

    async fn set_modified(&self, path: &RemotePath, modified: Timestamp) -> Result<()> {
        // Version 3 of the protocol counts seconds in 32 bits, and takes both times or none.
        let seconds = u32::try_from(modified.seconds()).map_err(|_| {
            let message = format!("SFTP cannot write the time {modified}");
            Fault::new(FaultKind::Unsupported, message)
        })?;
        let attributes = FileAttributes {
            atime: Some(seconds),
            mtime: Some(seconds),
            ..FileAttributes::empty()
        };
        let far = self.session.far(path);
        self.session
            .timed(self.session.raw.setstat(far, attributes))
            .await
            .map(|_| ())
    }

    async fn close(&self) {
        self.session.close().await;
    }
}

fn exists(path: &RemotePath) -> Fault {
    Fault::new(FaultKind::Exists, format!("`{path}` is there already"))
}

fn entry(name: &str, attributes: &FileAttributes) -> RemoteEntry {
    let kind = match attributes.permissions.map(|mode| mode & 0o170_000) {
        Some(0o100_000) => EntryKind::File,
        Some(0o040_000) => EntryKind::Folder,
        Some(0o120_000) => EntryKind::Link,
        _ => EntryKind::Other,
    };
    RemoteEntry {
        name: name.to_owned(),
        kind,
        size_bytes: attributes.size.filter(|_| kind != EntryKind::Folder),
        modified: attributes
            .mtime
            .map(|seconds| Timestamp::from_ms(i64::from(seconds) * 1000)),
        version: None,
    }
}
