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

/// Up to `limit` entries of the folder `path` behind `after`.
pub(super) async fn list_after(
    bucket: &Bucket,
    path: &RemotePath,
    (after, limit): (&str, usize),
) -> Result<Listing> {
    let mut gathering = Gathering::behind(bucket.keys.folder(path), after, limit);
    while turn(bucket, &mut gathering).await? {}
    gathering.done_behind(path)
}

/// Takes the next page; false if it was the last.
async fn turn(bucket: &Bucket, gathering: &mut Gathering) -> Result<bool> {
    let entries = gathering.page_entries(limits::PAGE_ENTRIES_MAX);
    let token = Some(gathering.mark()).filter(|token| !token.is_empty());
    let start_after = gathering.start_after().filter(|_| token.is_none());
    let from = match (token, &start_after) {
        (Some(token), _) => Some(("continuation-token", token)),
        (None, Some(after)) => Some(("start-after", after.as_str())),
        (None, None) => None,
    };
    let page = page(bucket, gathering.prefix(), entries, from).await?;
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
    from: Option<(&'static str, &str)>,
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
    if let Some((name, place)) = from {
        ask = ask.query(name, place);
    }
    let answer = error::expect(bucket.send(ask).await?, "listing", &FaultKind::Changed).await?;
    xml::page(&error::document(answer, "listing", &FaultKind::Changed).await?)
}
