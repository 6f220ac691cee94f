//! Listing a folder: page by page what keys have in common up to the next slash.

use super::bucket::Bucket;
use super::{error, limits, xml};
use crate::connector::Listing;
use crate::fault::{FaultKind, Result};
use crate::objects::Gathering;
use crate::path::RemotePath;

/// Up to `limit` entries of the folder `path`.
pub(super) async fn list(bucket: &Bucket, path: &RemotePath, limit: usize) -> Result<Listing> {
    let mut gathering = Gathering::new(bucket.keys.folder(path), limit);
    while turn(bucket, &mut gathering).await? {}
    gathering.done(path)
}

/// Takes the next page; false if it was the last.
async fn turn(bucket: &Bucket, gathering: &mut Gathering) -> Result<bool> {
    let entries = gathering.page_entries(limits::PAGE_ENTRIES_MAX);
    let token = Some(gathering.mark()).filter(|token| !token.is_empty());
    let page = page(bucket, gathering.prefix(), entries, token).await?;
    for (key, entry) in page.objects {
        match key {
            Some(key) => gathering.file(&key, entry),
            None => gathering.nameless(),
        }
    }
    for prefix in page.prefixes {
        match prefix {
            Some(prefix) => gathering.folder(&prefix),
            None => gathering.nameless(),
        }
    }
    Ok(gathering.turn(page.next))
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
