//! File calls that cannot leave a root folder. Blocking.

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bailee_model::Timestamp;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::LocalConfig;
use super::error::{fault, io_fault};
use crate::connector::{EntryKind, Listing, RemoteEntry, Replace};
use crate::fault::{Fault, FaultKind, Result};
use crate::page::Page;
use crate::path::RemotePath;

const BENEATH: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS);
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR).union(Mode::RGRP);
const FOLDER_MODE: Mode = Mode::RWXU.union(Mode::RGRP).union(Mode::XGRP);

/// An open root folder.
#[derive(Debug)]
pub(super) struct Root(OwnedFd);

impl Root {
    /// Opens the configured folder if it is an allowed root or lies beneath one.
    pub(super) fn open(config: &LocalConfig) -> Result<Self> {
        let refused = || {
            Fault::new(
                FaultKind::PermissionDenied,
                "the folder is not among those that the operator allows",
            )
        };
        // The longest allowed root wins; what follows it must be a plain path.
        let within = config
            .allowed_roots
            .iter()
            .filter(|root| root.is_absolute());
        let found = within.filter_map(|root| Some((root, config.folder.strip_prefix(root).ok()?)));
        let (root, rest) = found
            .max_by_key(|(root, _)| root.as_os_str().len())
            .ok_or_else(refused)?;
        let rest: RemotePath = rest
            .to_str()
            .ok_or_else(refused)?
            .parse()
            .map_err(|_| refused())?;
        Self(open_root(root)?)
            .folder(&rest)
            .map(Self)
            .map_err(|error| fault(error, &rest))
    }

    pub(super) fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>> {
        match self
            .at(path, OFlags::PATH | OFlags::NOFOLLOW)
            .and_then(|file| rustix::fs::fstat(&file))
        {
            Ok(stat) => Ok(Some(entry(path.name().unwrap_or_default(), &stat))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(fault(error, path)),
        }
    }

    pub(super) fn list(&self, path: &RemotePath, limit: usize) -> Result<Listing> {
        let failed = |error| fault(error, path);
        let folder = self
            .at(path, OFlags::RDONLY | OFlags::DIRECTORY)
            .map_err(failed)?;
        let mut listing = Listing::default();
        for item in Dir::read_from(&folder).map_err(failed)? {
            let item = item.map_err(failed)?;
            let Some(name) = nameable(item.file_name()) else {
                let is_dots = matches!(item.file_name().to_bytes(), b"." | b"..");
                listing.unnameable_count += usize::from(!is_dots);
                continue;
            };
            if listing.entries.len() >= limit {
                listing.is_cut = true;
                break;
            }
            match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => listing.entries.push(entry(name, &stat)),
                Err(Errno::NOENT) => {} // removed while we looked
                Err(error) => return Err(failed(error)),
            }
        }
        listing.entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listing)
    }

    pub(super) fn page(&self, path: &RemotePath, mut page: Page) -> Result<Listing> {
        let failed = |error| fault(error, path);
        let folder = self
            .at(path, OFlags::RDONLY | OFlags::DIRECTORY)
            .map_err(failed)?;
        for item in Dir::read_from(&folder).map_err(failed)? {
            let item = item.map_err(failed)?;
            match nameable(item.file_name()) {
                Some(name) if page.wants(name)? => {
                    match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                        Ok(stat) => page.keep(entry(name, &stat)),
                        Err(Errno::NOENT) => {} // removed while we looked
                        Err(error) => return Err(failed(error)),
                    }
                }
                Some(_) => {}
                None if matches!(item.file_name().to_bytes(), b"." | b"..") => {}
                None => page.nameless(),
            }
        }
        Ok(page.done())
    }

    pub(super) fn open_to_read(&self, path: &RemotePath) -> Result<File> {
        // A FIFO would block for ever on open without this flag; `regular` refuses it.
        let file = self
            .at(path, OFlags::RDONLY | OFlags::NONBLOCK)
            .map_err(|error| fault(error, path))?;
        regular(File::from(file), path)
    }

    /// The file, cut to `offset`, and its folder, which is to be synced once the file is complete.
    pub(super) fn open_to_write(&self, path: &RemotePath, offset: u64) -> Result<(File, File)> {
        let failed = |error| fault(error, path);
        let (folder, _) = self
            .parent(path, OFlags::RDONLY | OFlags::DIRECTORY)
            .map_err(failed)?;
        let create = if offset == 0 {
            OFlags::CREATE
        } else {
            OFlags::empty()
        };
        let file = self
            .at(path, OFlags::WRONLY | OFlags::NONBLOCK | create)
            .map_err(failed)?;
        let file = regular(File::from(file), path)?;
        let size = file
            .metadata()
            .map_err(|error| io_fault(&error, path))?
            .len();
        if size < offset {
            let message =
                format!("`{path}` holds {size} bytes, fewer than the {offset} to go on from");
            return Err(Fault::new(FaultKind::OffsetBeyondEnd, message));
        }
        file.set_len(offset)
            .map_err(|error| io_fault(&error, path))?;
        Ok((file, File::from(folder)))
    }

    pub(super) fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
        replace: Replace,
    ) -> Result<()> {
        let folder = OFlags::RDONLY | OFlags::DIRECTORY;
        let (from_folder, from_name) = self
            .parent(from, folder)
            .map_err(|error| fault(error, from))?;
        let (to_folder, to_name) = self.parent(to, folder).map_err(|error| fault(error, to))?;
        let flags = match replace {
            Replace::Yes => RenameFlags::empty(),
            Replace::No => RenameFlags::NOREPLACE,
        };
        rustix::fs::renameat_with(&from_folder, from_name, &to_folder, to_name, flags)
            .map_err(|error| fault(error, if error == Errno::EXIST { to } else { from }))?;
        rustix::fs::fsync(&to_folder)
            .and_then(|()| rustix::fs::fsync(&from_folder))
            .map_err(|error| fault(error, to))
    }

    pub(super) fn remove(&self, path: &RemotePath) -> Result<()> {
        let (folder, name) = self
            .parent(path, FOLDER)
            .map_err(|error| fault(error, path))?;
        rustix::fs::unlinkat(&folder, name, AtFlags::empty()).map_err(|error| fault(error, path))
    }

    pub(super) fn set_modified(&self, path: &RemotePath, modified: Timestamp) -> Result<()> {
        let file = self
            .at(path, OFlags::WRONLY | OFlags::NONBLOCK)
            .map_err(|error| fault(error, path))?;
        let file = regular(File::from(file), path)?;
        let since_1970 = Duration::from_millis(u64::try_from(modified.ms()).unwrap_or(0));
        file.set_modified(SystemTime::UNIX_EPOCH + since_1970)
            .and_then(|()| file.sync_all())
            .map_err(|error| io_fault(&error, path))
    }

    pub(super) fn mkdir(&self, path: &RemotePath) -> Result<()> {
        let (folder, name) = self
            .parent(path, FOLDER)
            .map_err(|error| fault(error, path))?;
        rustix::fs::mkdirat(&folder, name, FOLDER_MODE).map_err(|error| fault(error, path))
    }

    fn folder(&self, path: &RemotePath) -> rustix::io::Result<OwnedFd> {
        self.at(path, FOLDER)
    }

    /// Opens the folder that holds `path` and names the last segment.
    fn parent<'p>(
        &self,
        path: &'p RemotePath,
        flags: OFlags,
    ) -> rustix::io::Result<(OwnedFd, &'p str)> {
        let (Some(folder), Some(name)) = (path.parent(), path.name()) else {
            return Err(Errno::ISDIR);
        };
        Ok((self.at(&folder, flags)?, name))
    }

    /// Both spellings, `/a` and `a`, are beneath the root.
    fn at(&self, path: &RemotePath, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let text = path.names().join("/");
        let text = if text.is_empty() { "." } else { &text };
        let mode = if flags.contains(OFlags::CREATE) {
            FILE_MODE
        } else {
            Mode::empty()
        };
        rustix::fs::openat2(&self.0, text, flags | OFlags::CLOEXEC, mode, BENEATH)
    }
}

/// A name that a path can hold.
fn nameable(name: &CStr) -> Option<&str> {
    let name = name.to_str().ok()?;
    RemotePath::default().child(name).ok().map(|_| name)
}

/// The operator's own path is trusted and may lead through links.
fn open_root(path: &Path) -> Result<OwnedFd> {
    rustix::fs::openat(CWD, path, FOLDER, Mode::empty()).map_err(|error| {
        let message = format!("the allowed folder {} cannot be opened", path.display());
        Fault::new(FaultKind::NotFound, message).because(std::io::Error::from(error))
    })
}

fn regular(file: File, path: &RemotePath) -> Result<File> {
    let kind = file
        .metadata()
        .map_err(|error| io_fault(&error, path))?
        .file_type();
    if kind.is_file() {
        return Ok(file);
    }
    Err(Fault::new(
        FaultKind::Unsupported,
        format!("`{path}` is not a regular file"),
    ))
}

fn entry(name: &str, stat: &Stat) -> RemoteEntry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Folder,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    };
    let ms = stat
        .st_mtime
        .saturating_mul(1000)
        .saturating_add((stat.st_mtime_nsec / 1_000_000) as i64);
    RemoteEntry {
        name: name.to_owned(),
        kind,
        size_bytes: (kind == EntryKind::File).then_some(stat.st_size as u64),
        modified: Some(Timestamp::from_ms(ms)),
        version: None,
    }
}
