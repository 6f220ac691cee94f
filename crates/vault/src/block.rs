//! Memory for content on its way: a bounded number of full-size buffers for all uploads together, and small ones beyond.
//!
//! A buffer belongs to an upload only while it holds that upload's bytes, so an upload that stands still keeps one at most.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::format::SEGMENT_BYTES;
use crate::limit::{BATCH_BYTES, BATCHES_ALL_MAX, BATCHES_KEPT};

/// The full-size buffers of a vault.
#[derive(Default)]
pub(crate) struct Blocks(Mutex<Stock>);

#[derive(Default)]
struct Stock {
    idle: Vec<Vec<u8>>,
    lent: usize,
}

/// A buffer that is filled up to [`Block::room`] and goes back where it came from.
pub(crate) struct Block {
    bytes: Vec<u8>,
    bytes_max: usize,
    /// Of a full-size buffer.
    home: Option<Arc<Blocks>>,
}

impl Blocks {
    /// A full-size buffer, unless all are lent.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Block> {
        let mut stock = self.lock();
        if stock.lent >= BATCHES_ALL_MAX {
            return None;
        }
        stock.lent += 1;
        let idle = stock.idle.pop();
        drop(stock);
        Some(Block {
            bytes: idle.unwrap_or_else(|| Vec::with_capacity(BATCH_BYTES)),
            bytes_max: BATCH_BYTES,
            home: Some(Arc::clone(self)),
        })
    }

    fn put_back(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        let mut stock = self.lock();
        stock.lent = stock.lent.saturating_sub(1);
        stock.idle.push(bytes);
        if stock.lent == 0 {
            stock.idle.truncate(BATCHES_KEPT);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Block {
    /// A buffer of one segment, which is allocated as it fills.
    pub(crate) fn small() -> Self {
        Self::holding(SEGMENT_BYTES)
    }

    /// A buffer of as many whole segments as hold `content_bytes`, which is allocated as it fills.
    pub(crate) fn holding(content_bytes: usize) -> Self {
        Self {
            bytes: Vec::new(),
            bytes_max: content_bytes
                .next_multiple_of(SEGMENT_BYTES)
                .max(SEGMENT_BYTES),
            home: None,
        }
    }

    /// Takes the beginning of `received`, as much as there is room for. A small buffer that is filled at once becomes what
    /// was received, without a copy when nobody else has it.
    pub(crate) fn fill(&mut self, received: &mut Bytes) {
        let taken = received.split_to(received.len().min(self.room()));
        if self.home.is_none() && taken.len() == self.bytes_max && received.is_empty() {
            self.bytes = taken.into();
        } else {
            self.extend(&taken);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes that it still takes.
    pub(crate) fn room(&self) -> usize {
        self.bytes_max - self.bytes.len()
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            // All at once when it is not small content: growing in steps would leave holes behind.
            if self.bytes.len() + bytes.len() > self.bytes_max / 8 {
                self.bytes.reserve_exact(self.room());
            }
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.put_back(mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn full_size_buffers_run_out_and_come_back() {
        let blocks = Arc::new(Blocks::default());
        let lent: Vec<_> = (0..BATCHES_ALL_MAX)
            .map(|_| blocks.take().unwrap())
            .collect();
        assert!(blocks.take().is_none());
        drop(lent);
        assert_eq!(blocks.lock().idle.len(), BATCHES_KEPT);
        let mut again = blocks.take().unwrap();
        again.extend(&[1; 5]);
        assert_eq!((again.len(), again.room()), (5, BATCH_BYTES - 5));
        drop(again);
        assert_eq!(blocks.take().unwrap().len(), 0);
    }

    #[test]
    fn a_small_one_never_has_more_than_its_segment() {
        let mut block = Block::small();
        block.extend(&vec![1; 40_000]);
        block.extend(&vec![1; SEGMENT_BYTES - 40_000]);
        assert_eq!(block.room(), 0);
        assert_eq!(block.bytes.capacity(), SEGMENT_BYTES);
    }
}
