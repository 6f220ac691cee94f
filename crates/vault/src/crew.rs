//! A bounded number of threads of the blocking pool that take turns among the stages that have something to do.
//!
//! Without a bound a thousand uploads run hundreds of threads at once, each with its stack, and those few that serve the
//! connections hardly come to run.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

/// Something to do piece by piece.
pub(crate) trait Turn: Send {
    /// Does one piece; itself again if there is more.
    fn take(self: Box<Self>) -> Option<Box<dyn Turn>>;
}

/// Who works, and who waits for a worker.
pub(crate) struct Crew {
    workers_max: usize,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    workers: usize,
    waiting: VecDeque<Box<dyn Turn>>,
}

impl Crew {
    pub(crate) fn new(workers_max: usize) -> Arc<Self> {
        Arc::new(Self {
            workers_max,
            line: Mutex::default(),
        })
    }

    /// Puts a turn at the end of the line. A worker that is needed for it is a thread of `pool`.
    pub(crate) fn enter(self: &Arc<Self>, turn: Box<dyn Turn>, pool: &Handle) {
        self.lock().waiting.push_back(turn);
        self.staff(pool);
    }

    /// Starts a worker if somebody waits and the bound allows.
    fn staff(self: &Arc<Self>, pool: &Handle) {
        let mut line = self.lock();
        if line.workers >= self.workers_max {
            return;
        }
        let Some(turn) = line.waiting.pop_front() else {
            return;
        };
        line.workers += 1;
        drop(line);
        let worker = Worker {
            crew: Arc::clone(self),
            pool: pool.clone(),
        };
        drop(pool.spawn_blocking(move || worker.work(turn)));
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the crew; given up also by a panic, and by a runtime that ends before the thread has started.
struct Worker {
    crew: Arc<Crew>,
    pool: Handle,
}

impl Worker {
    fn work(self, mut turn: Box<dyn Turn>) {
        loop {
            let again = turn.take();
            let mut line = self.crew.lock();
            line.waiting.extend(again);
            match line.waiting.pop_front() {
                Some(next) => turn = next,
                None => return,
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.crew.lock().workers -= 1;
        // Whoever came meanwhile found no place free.
        self.crew.staff(&self.pool);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

    use std::sync::mpsc;

    use super::*;

    struct Count {
        name: u8,
        pieces: u8,
        done: mpsc::SyncSender<u8>,
    }

    impl Turn for Count {
        fn take(mut self: Box<Self>) -> Option<Box<dyn Turn>> {
            self.done.send(self.name).unwrap();
            self.pieces -= 1;
            (self.pieces > 0).then_some(self as Box<dyn Turn>)
        }
    }

    struct Panic;

    impl Turn for Panic {
        fn take(self: Box<Self>) -> Option<Box<dyn Turn>> {
            panic!("as a test")
        }
    }

    #[tokio::test]
    async fn one_worker_serves_all_in_turn_and_a_panic_does_not_cost_it() {
        let (done, heard) = mpsc::sync_channel(0);
        let (crew, pool) = (Crew::new(1), Handle::current());
        crew.enter(Box::new(Panic), &pool);
        for name in 0..3 {
            let done = done.clone();
            crew.enter(
                Box::new(Count {
                    name,
                    pieces: 10,
                    done,
                }),
                &pool,
            );
        }
        drop(done);
        let heard = tokio::task::spawn_blocking(move || heard.iter().collect::<Vec<u8>>());
        let heard = heard.await.unwrap();
        assert_eq!(heard.len(), 30);
        // Nobody is through before everybody has come far.
        let first_end = heard
            .iter()
            .enumerate()
            .filter(|(_, name)| **name == 0)
            .map(|(at, _)| at)
            .max();
        assert!(first_end.unwrap() >= 25, "{heard:?}");
    }
}
