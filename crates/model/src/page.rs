use serde::{Deserialize, Serialize};

use crate::limit;

/// Where the next page begins: the sort key and id of the last row seen. Opaque and signed on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The last row's sort key.
    pub key: String,
    /// The last row's id, which breaks ties.
    pub id: String,
}

/// Which rows of a list are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// How many, at most [`limit::PAGE_MAX`].
    pub limit: u32,
    /// After which row; `None` is the beginning.
    pub after: Option<Cursor>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            limit: limit::PAGE_DEFAULT,
            after: None,
        }
    }
}

/// Some rows of a list, and where the next begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where the next page begins; `None` when there is none.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts rows that were asked for with one more than `limit` into a page.
    pub fn cut(mut rows: Vec<T>, limit: u32, cursor: impl Fn(&T) -> Cursor) -> Self {
        let limit = limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(cursor) } else { None };
        Self { data: rows, next }
    }

    /// The same page of other things.
    pub fn map<U>(self, into: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(into).collect(),
            next: self.next,
        }
    }
}
