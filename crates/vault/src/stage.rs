//! A pipeline stage that works on the blocking pool only while it has something to do.
//!
//! Items are worked on in the order they came, one at a time. A stage whose queue is empty holds no thread, so a thousand
//! slow streams need no thousand threads; and since no work waits for another stage, a full pool cannot lock up.
//! The queue is not bounded here: an item carries a batch, and batches are bounded by whoever makes them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

/// What a stage does with each item. May block on the disk, never on another stage.
pub(crate) trait Work: Send + 'static {
    /// What it works on.
    type Item: Send + 'static;

    /// Works on one item.
    fn take(&mut self, item: Self::Item);
}

/// A stage. Clones are handles of the same stage.
pub(crate) struct Stage<W: Work> {
    shared: Arc<Shared<W>>,
}

struct Shared<W: Work> {
    pool: Handle,
    inner: Mutex<Inner<W>>,
}

struct Inner<W: Work> {
    items: VecDeque<W::Item>,
    /// None while a thread of the pool has it. Should work ever panic, it is dropped there and stays away.
    idle: Option<W>,
}

impl<W: Work> Clone for Stage<W> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<W: Work> Stage<W> {
    /// A stage on the blocking pool of `pool`.
    pub(crate) fn new(pool: Handle, work: W) -> Self {
        let inner = Mutex::new(Inner {
            items: VecDeque::new(),
            idle: Some(work),
        });
        Self {
            shared: Arc::new(Shared { pool, inner }),
        }
    }

    /// Hands an item over and returns at once.
    pub(crate) fn push(&self, item: W::Item) {
        let mut inner = self.shared.lock();
        inner.items.push_back(item);
        if let Some(work) = inner.idle.take() {
            drop(inner);
            let shared = Arc::clone(&self.shared);
            drop(self.shared.pool.spawn_blocking(move || shared.run(work)));
        }
    }
}

impl<W: Work> Shared<W> {
    fn lock(&self) -> MutexGuard<'_, Inner<W>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, mut work: W) {
        loop {
            let mut inner = self.lock();
            let Some(item) = inner.items.pop_front() else {
                inner.idle = Some(work);
                return;
            };
            drop(inner);
            work.take(item);
        }
    }
}
