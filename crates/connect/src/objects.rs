//! Folders where there are none: what connectors to object stores share.
//!
//! An object's key is the path without its leading slash. A folder is what keys have in common up to a slash; keys that
//! end with one are marks that other programs leave for folders, and are no files.

use bytes::Bytes;
use futures::{StreamExt, stream as streams};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use reqwest::Response;

use crate::connector::{ByteStream, EntryKind, Listing, RemoteEntry};
use crate::fault::{Fault, FaultKind, Result};
use crate::http::{header, stream};
use crate::limit;
use crate::page::Page;
use crate::path::RemotePath;

/// From paths to keys beneath a base.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    base: RemotePath,
}

impl Keys {
    pub(crate) fn beneath(base: Option<&RemotePath>) -> Self {
        Self {
            base: base.cloned().unwrap_or_default(),
        }
    }

    /// The key of the file `path`.
    pub(crate) fn file(&self, path: &RemotePath) -> Result<String> {
        if path.is_start() {
            let message = format!("`{path}` is a folder, not a file");
            return Err(Fault::new(FaultKind::Unsupported, message));
        }
        Ok(self.base.beneath(path).names().join("/"))
    }

    /// What the keys of everything in the folder `path` begin with.
    pub(crate) fn folder(&self, path: &RemotePath) -> String {
        let place = self.base.beneath(path);
        let mut prefix = place.names().join("/");
        if !prefix.is_empty() {
            prefix.push('/');
        }
        prefix
    }
}

/// The entry of a folder.
pub(crate) fn folder(name: &str) -> RemoteEntry {
    RemoteEntry {
        name: name.to_owned(),
        kind: EntryKind::Folder,
        size_bytes: None,
        modified: None,
        version: None,
    }
}

/// The bytes of an answer to a request for everything from `offset` on. The answer must be about just that, and as long as
/// it says.
pub(crate) fn ranged(answer: Response, offset: u64) -> Result<ByteStream> {
    let length = header(&answer, CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    let range = header(&answer, CONTENT_RANGE).and_then(|text| text.strip_prefix("bytes "));
    let size = range.and_then(|range| range.split_once('/')?.1.parse::<u64>().ok());
    if length == Some(0) && size.is_some_and(|size| size <= offset) {
        return Ok(Box::pin(streams::empty())); // some servers say 206 for a stretch behind the end
    }
    let bytes = if answer.status() == StatusCode::PARTIAL_CONTENT {
        let range = range.and_then(|range| range.split_once('/')?.0.split_once('-'));
        let (first, last) = range.ok_or_else(astray)?;
        let first: u64 = first.parse().map_err(|_| astray())?;
        let last: u64 = last.parse().map_err(|_| astray())?;
        let bytes = last
            .checked_sub(first)
            .ok_or_else(astray)?
            .saturating_add(1);
        if first != offset || length.is_some_and(|length| length != bytes) {
            return Err(astray());
        }
        bytes
    } else if offset == 0 {
        length.ok_or_else(|| Fault::protocol("the far system does not say how long the file is"))?
    } else if length.is_some_and(|length| length <= offset) {
        return Ok(Box::pin(streams::empty())); // the whole file, which ends before the offset
    } else {
        return Err(astray());
    };
    Ok(exactly(answer, bytes))
}

/// Not what was asked for.
pub(crate) fn astray() -> Fault {
    Fault::protocol("the far system sent another stretch of the file than was asked for")
}

/// The body of `answer` as it comes, which must be `bytes` long: a shorter one ends with a fault, and so does a longer one
/// at its first byte too many.
pub(crate) fn exactly(answer: Response, bytes: u64) -> ByteStream {
    let counted = Counted {
        body: stream(answer),
        left_bytes: bytes,
    };
    streams::try_unfold(counted, Counted::next).boxed()
}

struct Counted {
    body: ByteStream,
    left_bytes: u64,
}

impl Counted {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        let Some(piece) = self.body.next().await.transpose()? else {
            return if self.left_bytes == 0 {
                Ok(None)
            } else {
                Err(lied())
            };
        };
        let left = self.left_bytes.checked_sub(piece.len() as u64);
        self.left_bytes = left.ok_or_else(lied)?;
        Ok(Some((piece, self)))
    }
}

fn lied() -> Fault {
    Fault::protocol("the far system sent another number of bytes than it said")
}

/// A listing that is put together page by page.
#[derive(Debug)]
pub(crate) struct Gathering {
    prefix: String,
    limit: usize,
    listing: Listing,
    is_there: bool,
    pages_left: usize,
    mark: String,
    /// There was no end of pages.
    is_endless: bool,
    /// Of a folder of any size: the one page that is wanted.
    page: Option<Page>,
    /// The last key, as long as keys came in their order.
    last_key: Option<String>,
}

impl Gathering {
    /// For up to `limit` entries whose keys begin with `prefix`.
    pub(crate) fn new(prefix: String, limit: usize) -> Self {
        Self {
            prefix,
            limit: limit.min(limit::LIST_ENTRIES_MAX),
            listing: Listing::default(),
            is_there: false,
            pages_left: limit::LIST_PAGES_MAX,
            mark: String::new(),
            is_endless: false,
            page: None,
            last_key: Some(String::new()),
        }
    }

    /// For the entries behind `after`, however many there are.
    pub(crate) fn behind(prefix: String, after: &str, limit: usize) -> Self {
        Self {
            page: Some(Page::behind(after, limit)),
            pages_left: limit::SCAN_PAGES_MAX,
            ..Self::new(prefix, limit)
        }
    }

    /// Keys up to this one are of no interest.
    pub(crate) fn start_after(&self) -> Option<String> {
        let after = self.page.as_ref()?.after();
        (!after.is_empty()).then(|| format!("{}{after}", self.prefix))
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// How many entries the next page should have, at most `most`. One more than needed tells whether there are more, and
    /// the folder's own mark takes a place too.
    pub(crate) fn page_entries(&self, most: usize) -> usize {
        if self.page.is_some() {
            return most;
        }
        (self.limit - self.listing.entries.len() + 2).min(most)
    }

    /// Where the next page begins; empty for the first.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// Takes the object `key`; `entry` lacks only its name.
    pub(crate) fn file(&mut self, key: &str, entry: RemoteEntry) {
        self.is_there = true;
        self.follow(key);
        match key.strip_prefix(self.prefix.as_str()) {
            Some("") => {} // the folder's own mark
            // Marks are folders, also where a store does not put them among the prefixes.
            Some(name) => match name.strip_suffix('/') {
                Some(name) => self.entry(name, folder("")),
                None => self.entry(name, entry),
            },
            None => self.listing.unnameable_count += 1,
        }
    }

    /// Takes something whose key cannot be read.
    pub(crate) fn nameless(&mut self) {
        self.is_there = true;
        self.listing.unnameable_count += 1;
    }

    /// Takes the folder whose keys begin with `key`, up to its slash.
    pub(crate) fn folder(&mut self, key: &str) {
        self.is_there = true;
        let name = key
            .strip_prefix(self.prefix.as_str())
            .and_then(|rest| rest.strip_suffix('/'));
        match name {
            Some(name) => self.entry(name, folder("")),
            None => self.listing.unnameable_count += 1,
        }
    }

    /// Files come in the order of their keys, or nothing can be said of what is still to come.
    fn follow(&mut self, key: &str) {
        let is_next = self.last_key.as_deref().is_some_and(|last| last < key);
        self.last_key = is_next.then(|| key.to_owned());
    }

    /// Whether the page that is wanted is whole. What came last may have been a folder, so only files count.
    fn is_settled(&mut self) -> bool {
        let (Some(page), Some(last)) = (&mut self.page, &self.last_key) else {
            return false;
        };
        last.strip_prefix(self.prefix.as_str())
            .is_some_and(|key| page.is_settled_by(key))
    }

    fn entry(&mut self, name: &str, entry: RemoteEntry) {
        if let Some(page) = &mut self.page {
            if RemotePath::default().child(name).is_err() {
                page.nameless();
            } else {
                let name = name.to_owned();
                // Too many entries are found by their pages, too.
                if page.take(RemoteEntry { name, ..entry }).is_err() {
                    self.pages_left = 0;
                }
            }
            return;
        }
        if RemotePath::default().child(name).is_err() {
            self.listing.unnameable_count += 1;
        } else if self.listing.entries.len() < self.limit {
            let name = name.to_owned();
            self.listing.entries.push(RemoteEntry { name, ..entry });
        } else {
            self.listing.is_cut = true;
        }
    }

    /// Ends a page whose successor begins at `mark`, and says whether to ask for that one. Pages without end, or that
    /// lead to themselves, are cut.
    pub(crate) fn turn(&mut self, mark: Option<String>) -> bool {
        let Some(mark) = mark.filter(|mark| !mark.is_empty()) else {
            return false;
        };
        self.pages_left = self.pages_left.saturating_sub(1);
        if self.page.is_some() {
            if self.is_settled() {
                return false;
            }
            // No page at all is better than one that lacks what was not seen.
            self.is_endless = self.pages_left == 0 || mark == self.mark;
            let goes_on = !self.is_endless;
            self.mark = mark;
            return goes_on;
        }
        let is_enough = self.listing.is_cut
            || self.listing.entries.len() >= self.limit
            || self.listing.unnameable_count > limit::LIST_ENTRIES_MAX;
        if is_enough || self.pages_left == 0 || mark == self.mark {
            self.listing.is_cut = true;
            return false;
        }
        self.mark = mark;
        true
    }

    /// The page of `path` that was wanted. Behind a name there may be nothing in a folder that is there.
    pub(crate) fn done_behind(mut self, path: &RemotePath) -> Result<Listing> {
        self.is_there |= self.start_after().is_some();
        self.done(path)
    }

    /// The listing of `path`, sorted; a folder that nothing is in is not there.
    pub(crate) fn done(mut self, path: &RemotePath) -> Result<Listing> {
        if !self.is_there && !path.is_start() {
            return Err(Fault::new(
                FaultKind::NotFound,
                format!("there is no folder `{path}`"),
            ));
        }
        if self.is_endless {
            let message = format!("the listing of the folder `{path}` does not end");
            return Err(Fault::new(FaultKind::Unsupported, message));
        }
        if let Some(page) = self.page {
            let mut listing = page.done();
            listing.unnameable_count += self.listing.unnameable_count;
            return Ok(listing);
        }
        self.listing.entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(self.listing)
    }
}
