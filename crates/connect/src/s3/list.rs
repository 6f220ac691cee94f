//! Listing a folder: page by page what keys have in common up to the next slash.

use super::bucket::Bucket;
use super::{error, limits, xml};
use crate::connector::{EntryKind, Listing, RemoteEntry};
use crate::fault::{FaultKind, Result};
use crate::limit;
use crate::path::RemotePath;

/// The entry of a folder.
pub(super) fn folder(name: &str) -> RemoteEntry {
    RemoteEntry {
        name: name.to_owned(),
        kind: EntryKind::Folder,
        size_bytes: None,
        modified: None,
        version: None,
    }
}

/// Up to `limit` entries of the keys that begin with `prefix`; `None` if no key does.
pub(super) async fn list(bucket: &Bucket, prefix: &str, limit: usize) -> Result<Option<Listing>> {
    let mut gathered = Gathered::new(prefix, limit.min(limit::LIST_ENTRIES_MAX));
    let mut token: Option<String> = None;
    for _ in 0..limits::LIST_PAGES_MAX {
        let page = page(bucket, prefix, gathered.wanted(), token.as_deref()).await?;
        let next = page.next.clone();
        gathered.take(page);
        match next {
            None => return Ok(gathered.done()),
            // A page that leads to itself has no end.
            next if gathered.is_enough() || next == token => break,
            next => token = next,
        }
    }
    gathered.listing.is_cut = true;
    Ok(gathered.done())
}

/// One page of at most `entries` entries.
pub(super) async fn page(
    bucket: &Bucket,
    prefix: &str,
    entries: usize,
    token: Option<&str>,
) -> Result<xml::Page> {
    let mut ask = bucket
        .ask(http::Method::GET)
        .query("list-type", "2")
        .query("delimiter", "/")
        .query("encoding-type", "url")
        .query("max-keys", entries.to_string());
    if !prefix.is_empty() {
        ask = ask.query("prefix", prefix);
    }
    if let Some(token) = token {
        ask = ask.query("continuation-token", token);
    }
    let answer = error::expect(bucket.send(ask).await?, "listing", &FaultKind::Changed).await?;
    xml::page(&error::document(answer, "listing", &FaultKind::Changed).await?)
}

struct Gathered<'a> {
    prefix: &'a str,
    limit: usize,
    listing: Listing,
    is_there: bool,
}

impl<'a> Gathered<'a> {
    fn new(prefix: &'a str, limit: usize) -> Self {
        Self {
            prefix,
            limit,
            listing: Listing::default(),
            is_there: false,
        }
    }

    /// How many entries the next page should have. One more than needed tells whether there are more, and the folder's
    /// own mark takes a place too.
    fn wanted(&self) -> usize {
        let lacking = self.limit.saturating_sub(self.listing.entries.len());
        (lacking + 2).min(limits::PAGE_ENTRIES_MAX)
    }

    fn is_enough(&self) -> bool {
        let unnameable = self.listing.unnameable_count;
        self.listing.entries.len() >= self.limit || unnameable > limit::LIST_ENTRIES_MAX
    }

    fn take(&mut self, page: xml::Page) {
        for (key, entry) in page.objects {
            self.is_there = true;
            match key.as_deref().map(|key| key.strip_prefix(self.prefix)) {
                Some(Some("")) => {} // the folder's own mark
                // Marks are folders, also where a store does not put them among the prefixes.
                Some(Some(name)) => match name.strip_suffix('/') {
                    Some(name) => self.entry(name, folder("")),
                    None => self.entry(name, entry),
                },
                _ => self.listing.unnameable_count += 1,
            }
        }
        for prefix in page.prefixes {
            self.is_there = true;
            let name = prefix.as_deref().and_then(|key| {
                let rest = key.strip_prefix(self.prefix)?;
                rest.strip_suffix('/')
            });
            match name {
                Some(name) => self.entry(name, folder("")),
                None => self.listing.unnameable_count += 1,
            }
        }
    }

    fn entry(&mut self, name: &str, entry: RemoteEntry) {
        if RemotePath::default().child(name).is_err() {
            self.listing.unnameable_count += 1;
        } else if self.listing.entries.len() < self.limit {
            let name = name.to_owned();
            self.listing.entries.push(RemoteEntry { name, ..entry });
        } else {
            self.listing.is_cut = true;
        }
    }

    fn done(mut self) -> Option<Listing> {
        self.listing.entries.sort_by(|a, b| a.name.cmp(&b.name));
        self.is_there.then_some(self.listing)
    }
}
