//! Another Bailee, by its public API.
//!
//! Files are found by path and read by `file_id`, which names the same bytes for ever: a read never mixes two versions.
//! A file is written by a part session and appears whole, with its old version in the trash. The token names the session;
//! a part that did not arrive whole is sent anew, at most one part of 8 MiB (or a ten-thousandth of the file). Every part
//! is streamed, none is held here. A digest is not declared, since it is known only at the end: `sha256` tells what the
//! far side computed. Making a folder asks for its parent first, as other far systems do; Bailee would make it.

mod api;
mod config;
mod error;
mod parts;
mod writer;

use async_trait::async_trait;
use bailee_model::RemoteKind;

use self::api::{Api, Entry, File, Folder};
pub use self::config::BaileeConfig;
use crate::connector::{
    ByteStream, Capabilities, Connector, EntryKind, Listing, ReadFrom, RemoteEntry, RemoteWriter,
    Replace, WriteOptions,
};
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::http::{HttpAuth, Site, fetch};
use crate::limit;
use crate::page::Page;
use crate::path::RemotePath;

/// One Bailee as far system.
#[derive(Clone, Debug)]
pub(crate) struct Bailee {
    api: Api,
    base: RemotePath,
}

impl Bailee {
    pub(crate) async fn open(config: &BaileeConfig, guard: &EgressGuard) -> Result<Self> {
        let auth = HttpAuth::Bearer(config.api_key.clone());
        let site = Site::open(
            guard,
            (&config.base_url, &auth),
            &config.tls,
            config.proxy.as_ref(),
        )?;
        let far = Self {
            api: Api { site },
            base: config.base_path.clone().unwrap_or_default(),
        };
        far.api.validate().await?;
        Ok(far)
    }

    /// `path` as Bailee writes it.
    fn far(&self, path: &RemotePath) -> String {
        format!("/{}", self.base.beneath(path).names().join("/"))
    }

    async fn file(&self, path: &RemotePath) -> Result<File> {
        let found = self.api.file(&self.far(path)).await?;
        found.ok_or_else(|| missing(path))
    }

    /// Fails unless the folder that is to hold `path` is there.
    async fn need_folder_of(&self, path: &RemotePath) -> Result<()> {
        let far = self.base.beneath(path);
        match far.parent() {
            Some(folder) if !folder.is_start() => {
                let folder = format!("/{}", folder.names().join("/"));
                let found = self.api.folder(&folder).await?;
                found.map(|_| ()).ok_or_else(|| {
                    let message = format!("there is no folder to hold `{path}`");
                    Fault::new(FaultKind::NotFound, message)
                })
            }
            _ => Ok(()),
        }
    }

    async fn rename_file(
        &self,
        file: &File,
        (from, to): (&str, &str),
        replace: Replace,
    ) -> Result<()> {
        match self.api.move_file(&file.id, to).await {
            Err(fault) if fault.kind() == &FaultKind::Exists && replace == Replace::Yes => {
                // A move never replaces. A copy does, in one step, and costs no bytes.
                self.api.copy(&file.id, to, Replace::Yes).await?;
                self.api.remove(&file.id, from).await
            }
            other => other,
        }
    }
}

fn missing(path: &RemotePath) -> Fault {
    Fault::new(FaultKind::NotFound, format!("there is no `{path}`"))
}

fn file_entry(file: File) -> RemoteEntry {
    RemoteEntry {
        name: file.name,
        kind: EntryKind::File,
        size_bytes: Some(file.size),
        modified: api::moment(&file.created_at),
        version: Some(file.id),
    }
}

fn folder_entry(folder: Folder) -> RemoteEntry {
    RemoteEntry {
        name: folder.name,
        kind: EntryKind::Folder,
        size_bytes: None,
        modified: api::moment(&folder.created_at),
        version: None,
    }
}

/// Adds `entry` if there is room and its name is one.
fn add(listing: &mut Listing, entry: Entry, limit: usize) {
    let entry = match entry {
        Entry::File(file) => file_entry(file),
        Entry::Folder(folder) => folder_entry(folder),
        Entry::Other => return,
    };
    if RemotePath::default().child(&entry.name).is_err() {
        listing.unnameable_count += 1;
    } else if listing.entries.len() < limit {
        listing.entries.push(entry);
    } else {
        listing.is_cut = true;
    }
}

fn take(page: &mut Page, entry: Entry) -> Result<()> {
    let entry = match entry {
        Entry::File(file) => file_entry(file),
        Entry::Folder(folder) => folder_entry(folder),
        Entry::Other => return Ok(()),
    };
    if RemotePath::default().child(&entry.name).is_err() {
        page.nameless();
        return Ok(());
    }
    page.take(entry)
}

#[async_trait]
impl Connector for Bailee {
    fn capabilities(&self) -> Capabilities {
        Capabilities::most(RemoteKind::Bailee)
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>> {
        let far = self.far(path);
        let name = path.name().unwrap_or_default();
        if far != "/"
            && let Some(file) = self.api.file(&far).await?
        {
            let name = name.to_owned();
            return Ok(Some(RemoteEntry {
                name,
                ..file_entry(file)
            }));
        }
        let folder = self.api.folder(&far).await?;
        Ok(folder.map(|folder| RemoteEntry {
            name: name.to_owned(),
            ..folder_entry(folder)
        }))
    }

    async fn list(&self, path: &RemotePath, limit: usize) -> Result<Listing> {
        let far = self.far(path);
        let limit = limit.min(limit::LIST_ENTRIES_MAX);
        let mut listing = Listing::default();
        let mut cursor: Option<String> = None;
        for _ in 0..limit::BAILEE_PAGES_MAX {
            let page = self.api.children(&far, cursor.as_deref()).await?;
            let page = page.ok_or_else(|| missing(path))?;
            for entry in page.data {
                add(&mut listing, entry, limit);
            }
            cursor = page.next_cursor;
            if cursor.is_none() || listing.is_cut {
                break;
            }
        }
        listing.is_cut |= cursor.is_some();
        listing.entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listing)
    }

    async fn list_after(&self, path: &RemotePath, after: &str, limit: usize) -> Result<Listing> {
        let far = self.far(path);
        let mut page = Page::behind(after, limit);
        let mut cursor: Option<String> = None;
        for _ in 0..limit::SCAN_PAGES_MAX {
            let found = self.api.children(&far, cursor.as_deref()).await?;
            let found = found.ok_or_else(|| missing(path))?;
            for entry in found.data {
                take(&mut page, entry)?;
            }
            cursor = found.next_cursor;
            if cursor.is_none() {
                return Ok(page.done());
            }
        }
        let message = format!("the listing of the folder `{path}` does not end");
        Err(Fault::new(FaultKind::Unsupported, message))
    }

    async fn read(&self, path: &RemotePath, from: ReadFrom) -> Result<ByteStream> {
        let file = self.file(path).await?;
        if from.version.is_some_and(|version| version != file.id) {
            return Err(Fault::new(
                FaultKind::Changed,
                format!("`{path}` has a newer version than the one that was meant"),
            ));
        }
        let request = self.api.download(&file.id);
        let from = ReadFrom::offset(from.offset);
        fetch(&self.api.site.client, request, path, &from).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        options: WriteOptions,
    ) -> Result<Box<dyn RemoteWriter>> {
        if options.offset > 0 {
            return Ok(Box::new(writer::Writer::go_on(&self.api, &options).await?));
        }
        let (Some(name), Some(folder)) = (path.name(), path.parent()) else {
            return Err(Fault::new(FaultKind::Invalid, "the base folder is no file"));
        };
        self.need_folder_of(path).await?;
        let folder = self.far(&folder);
        let writer = writer::Writer::begin(&self.api, (&folder, name), &options).await?;
        Ok(Box::new(writer))
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        let (from_far, to_far) = (self.far(from), self.far(to));
        let file = self.api.file(&from_far).await?;
        if file.is_none() && self.api.folder(&from_far).await?.is_none() {
            return Err(missing(from));
        }
        self.need_folder_of(to).await?;
        match file {
            Some(file) => self.rename_file(&file, (&from_far, &to_far), replace).await,
            None => self.api.move_folder(&from_far, &to_far).await,
        }
    }

    async fn remove(&self, path: &RemotePath) -> Result<()> {
        let file = self.file(path).await?;
        self.api.remove(&file.id, &self.far(path)).await
    }

    async fn mkdir(&self, path: &RemotePath) -> Result<()> {
        self.need_folder_of(path).await?;
        if self.api.make_folder(&self.far(path)).await? {
            return Ok(());
        }
        let message = format!("`{path}` is there already");
        Err(Fault::new(FaultKind::Exists, message))
    }

    async fn copy(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        let file = self.file(from).await?;
        self.need_folder_of(to).await?;
        self.api.copy(&file.id, &self.far(to), replace).await
    }

    async fn sha256(&self, path: &RemotePath) -> Result<Option<[u8; 32]>> {
        let file = self.file(path).await?;
        let mut digest = [0; 32];
        if file.hash_algorithm != "sha256" {
            return Ok(None);
        }
        hex::decode_to_slice(&file.hash, &mut digest)
            .map_err(|_| Fault::protocol("Bailee's digest cannot be read"))?;
        Ok(Some(digest))
    }

    async fn abandon(&self, _: &RemotePath, token: &str) -> Result<()> {
        self.api.abandon(&writer::read(token)?.session).await
    }

    async fn close(&self) {}
}
