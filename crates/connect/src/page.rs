//! One page of a folder of any size: the first entries behind a name, by name, of however many pass by.
//!
//! Far systems list in an order of their own, so all entries are looked at for each page, and only those of the page are
//! kept: memory stays that of two pages, and a page is the same whoever asks for it, and when.

use crate::connector::{Listing, RemoteEntry};
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;

/// A page that fills.
#[derive(Debug)]
pub(crate) struct Page {
    after: String,
    limit: usize,
    entries: Vec<RemoteEntry>,
    /// The last name of a full page: what comes behind it is of no interest.
    last: Option<String>,
    unnameable_count: usize,
    seen: usize,
}

impl Page {
    /// For up to `limit` entries whose names come behind `after`.
    pub(crate) fn behind(after: &str, limit: usize) -> Self {
        Self {
            after: after.to_owned(),
            limit: limit.clamp(1, limit::LIST_ENTRIES_MAX),
            entries: Vec::new(),
            last: None,
            unnameable_count: 0,
            seen: 0,
        }
    }

    /// The name behind which it begins.
    pub(crate) fn after(&self) -> &str {
        &self.after
    }

    /// Whether an entry of this name would be kept for now. Counts it as seen.
    pub(crate) fn wants(&mut self, name: &str) -> Result<bool> {
        self.seen += 1;
        if self.seen > limit::SCAN_ENTRIES_MAX {
            let message = format!(
                "the folder holds more than {} entries",
                limit::SCAN_ENTRIES_MAX
            );
            return Err(Fault::new(FaultKind::Unsupported, message));
        }
        let is_behind = self.last.as_deref().is_some_and(|last| name > last);
        Ok(!is_behind && (self.after.is_empty() || name > self.after.as_str()))
    }

    /// Takes an entry if it belongs here.
    pub(crate) fn take(&mut self, entry: RemoteEntry) -> Result<()> {
        if self.wants(&entry.name)? {
            self.keep(entry);
        }
        Ok(())
    }

    /// Keeps an entry that [`Page::wants`] wanted.
    pub(crate) fn keep(&mut self, entry: RemoteEntry) {
        self.entries.push(entry);
        if self.entries.len() >= 2 * self.limit {
            self.shrink();
        }
    }

    /// Counts an entry that no path can name.
    pub(crate) fn nameless(&mut self) {
        self.unnameable_count += 1;
    }

    /// Whether nothing of this page can follow in a listing by keys that has come to `key`. A folder's key ends with a
    /// slash, so one whose name is the beginning of a file's may come after that.
    pub(crate) fn is_settled_by(&mut self, key: &str) -> bool {
        self.shrink();
        let Some(last) = &self.last else { return false };
        let ends = last.char_indices().map(|(at, _)| at).skip(1);
        ends.chain([last.len()])
            .filter_map(|end| last.get(..end))
            .all(|beginning| key > format!("{beginning}/").as_str())
    }

    /// The page, sorted; it is cut if there is more behind it.
    pub(crate) fn done(mut self) -> Listing {
        self.shrink();
        self.entries.sort_by(|a, b| a.name.cmp(&b.name));
        Listing {
            entries: self.entries,
            is_cut: self.last.is_some(),
            unnameable_count: self.unnameable_count,
        }
    }

    fn shrink(&mut self) {
        if self.entries.len() <= self.limit {
            return;
        }
        self.entries.sort_by(|a, b| a.name.cmp(&b.name));
        self.entries.dedup_by(|a, b| a.name == b.name);
        if self.entries.len() > self.limit {
            self.entries.truncate(self.limit);
            self.last = self.entries.last().map(|entry| entry.name.clone());
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;
    use crate::objects::folder;

    fn names(listing: &Listing) -> Vec<&str> {
        let names = listing.entries.iter().map(|entry| entry.name.as_str());
        names.collect()
    }

    #[test]
    fn pages_follow_each_other_whatever_the_order() {
        let all: Vec<String> = (0..97).map(|number| format!("{number:02}")).collect();
        let (mut after, mut found) = (String::new(), Vec::new());
        loop {
            let mut page = Page::behind(&after, 10);
            for at in 0..all.len() {
                let name = all.get(at * 31 % all.len()).unwrap();
                page.take(folder(name)).unwrap();
            }
            let listing = page.done();
            found.extend(names(&listing).iter().map(|name| (*name).to_owned()));
            if !listing.is_cut {
                break;
            }
            after = listing.entries.last().unwrap().name.clone();
        }
        assert_eq!(found, all);
    }

    #[test]
    fn a_page_ends_early_only_behind_all_that_belongs_to_it() {
        let mut page = Page::behind("", 2);
        for name in ["a-1", "a-b", "c"] {
            page.take(folder(name)).unwrap();
        }
        // The folder `a` has the key `a/`, which comes behind `a-b`.
        assert!(!page.is_settled_by("a-c"));
        assert!(!page.is_settled_by("a-z"));
        assert!(page.is_settled_by("a0"));
        page.take(folder("a")).unwrap();
        assert_eq!(names(&page.done()), ["a", "a-1"]);
    }
}
