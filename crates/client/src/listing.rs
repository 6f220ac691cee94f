use std::collections::VecDeque;

use bailee_api::List;
use serde::de::DeserializeOwned;

use crate::call::Call;
use crate::{Client, Result};

/// A list over all its pages. Pages are asked for as they are needed.
///
/// ```no_run
/// # async fn example(client: &bailee_client::Client) -> bailee_client::Result<()> {
/// let mut remotes = client.remotes().list();
/// while let Some(remote) = remotes.next().await? {
///     println!("{}", remote.name);
/// }
/// # Ok(()) }
/// ```
pub struct Listing<T> {
    client: Client,
    call: Call,
    held: VecDeque<T>,
    next: Next,
}

enum Next {
    First,
    After(String),
    Nothing,
}

impl<T: DeserializeOwned> Listing<T> {
    pub(crate) fn new(client: &Client, call: Call) -> Self {
        Self {
            client: client.clone(),
            call,
            held: VecDeque::new(),
            next: Next::First,
        }
    }

    /// The next row, `None` after the last.
    pub async fn next(&mut self) -> Result<Option<T>> {
        while self.held.is_empty() {
            match self.page().await? {
                Some(rows) => self.held.extend(rows),
                None => return Ok(None),
            }
        }
        Ok(self.held.pop_front())
    }

    /// The next page, `None` after the last. Rows that [`Self::next`] holds back are not in it.
    pub async fn page(&mut self) -> Result<Option<Vec<T>>> {
        let call = match &self.next {
            Next::First => self.call.clone(),
            Next::After(cursor) => self.call.clone().query("cursor", cursor),
            Next::Nothing => return Ok(None),
        };
        let list: List<T> = self.client.json(call).await?;
        self.next = match list.next_cursor {
            Some(cursor) if list.has_more => Next::After(cursor),
            _ => Next::Nothing,
        };
        Ok(Some(list.data))
    }

    /// The first `most` rows, or all when there are fewer.
    pub async fn take(mut self, most: usize) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        while rows.len() < most {
            match self.next().await? {
                Some(row) => rows.push(row),
                None => break,
            }
        }
        Ok(rows)
    }
}
