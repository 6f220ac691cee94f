//! A pipeline stage that has a thread only while it has something to do.
//!
//! Items are worked on in the order they came, one at a time. A stage whose queue is empty holds no thread, so a thousand
//! slow streams need no thousand threads; and since no work waits for another stage, a full crew cannot lock up.
//! The queue is not bounded here: an item carries a batch, and batches are bounded by whoever makes them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use crate::crew::{Crew, Turn};

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
    crew: Arc<Crew>,
    pool: Handle,
    inner: Mutex<Inner<W>>,
}

struct Inner<W: Work> {
    items: VecDeque<W::Item>,
    /// None while it is in the crew's line or at work. Should work ever panic, it is dropped there and stays away.
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
    /// A stage that is worked on by `crew`, whose threads come from the blocking pool of `pool`.
    pub(crate) fn new(crew: Arc<Crew>, pool: Handle, work: W) -> Self {
        let inner = Mutex::new(Inner {
            items: VecDeque::new(),
            idle: Some(work),
        });
        Self {
            shared: Arc::new(Shared { crew, pool, inner }),
        }
    }

    /// Hands an item over and returns at once.
    pub(crate) fn push(&self, item: W::Item) {
        let mut inner = self.shared.lock();
        inner.items.push_back(item);
        if let Some(work) = inner.idle.take() {
            drop(inner);
            let busy = Busy {
                shared: Arc::clone(&self.shared),
                work,
            };
            self.shared.crew.enter(Box::new(busy), &self.shared.pool);
        }
    }
}

impl<W: Work> Shared<W> {
    fn lock(&self) -> MutexGuard<'_, Inner<W>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stage that has something to do.
struct Busy<W: Work> {
    shared: Arc<Shared<W>>,
    work: W,
}

impl<W: Work> Turn for Busy<W> {
    fn take(mut self: Box<Self>) -> Option<Box<dyn Turn>> {
        let item = self.shared.lock().items.pop_front();
        if let Some(item) = item {
            self.work.take(item);
        }
        let Self { shared, work } = *self;
        let mut inner = shared.lock();
        if inner.items.is_empty() {
            inner.idle = Some(work);
            return None;
        }
        drop(inner);
        Some(Box::new(Self { shared, work }))
    }
}
