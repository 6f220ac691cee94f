//! Places for streams that come in: how many are read at a time, and who is next.
//!
//! A stream that is being read costs buffers at every floor; one that is not costs what the kernel holds for it. So a
//! thousand that come at once are read some at a time, and the tenants take turns at the places that get free.
//!
//! A place is for who brings bytes. A stream that lets us wait loses it, keeps what it brought, and asks again when it
//! goes on. So those that stand still hold up nobody, however many they are.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bailee_model::{Result, TenantId, limit};
use bytes::Bytes;
use futures::{FutureExt as _, Stream, StreamExt as _};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};

use crate::Core;
use crate::bytes::ByteStream;

/// Streams that are read at a time. More would not be faster on any disk that was measured.
const PLACES: usize = 96;

/// So long a stream may let us wait in its place, for each [`PATIENCE_BYTES`] that it brings.
const PATIENCE: Duration = Duration::from_millis(250);
/// See [`PATIENCE`].
const PATIENCE_BYTES: usize = 64 * 1024;

/// The places of a node.
pub(crate) struct Places(Mutex<State>);

struct State {
    free: usize,
    /// One line a tenant, the one whose turn it is first. Nobody waits while a place is free.
    lines: VecDeque<Line>,
}

struct Line {
    tenant: TenantId,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

/// The right to read a stream; given on when dropped.
struct Place(Option<Arc<Places>>);

enum Answer {
    Granted(Place),
    InLine(oneshot::Receiver<Place>),
}

impl Places {
    fn ask(self: &Arc<Self>, tenant: TenantId) -> Answer {
        let mut state = self.lock();
        if state.free > 0 {
            state.free -= 1;
            return Answer::Granted(Place(Some(Arc::clone(self))));
        }
        let (caller, called) = oneshot::channel();
        match state.lines.iter_mut().find(|line| line.tenant == tenant) {
            Some(line) => line.waiting.push_back(caller),
            None => state.lines.push_back(Line {
                tenant,
                waiting: VecDeque::from([caller]),
            }),
        }
        Answer::InLine(called)
    }

    fn give_on(self: Arc<Self>) {
        loop {
            let Some(caller) = self.lock().next_or_free() else {
                return;
            };
            match caller.send(Place(Some(Arc::clone(&self)))) {
                Ok(()) => return,
                // Who asked is gone: the place must not come back here a second time.
                Err(mut place) => place.0 = None,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Places {
    fn default() -> Self {
        Self(Mutex::new(State {
            free: PLACES,
            lines: VecDeque::new(),
        }))
    }
}

impl State {
    /// Whoever is next; without anybody, the place is free.
    fn next_or_free(&mut self) -> Option<oneshot::Sender<Place>> {
        while let Some(mut line) = self.lines.pop_front() {
            if let Some(next) = line.waiting.pop_front() {
                if !line.waiting.is_empty() {
                    self.lines.push_back(line);
                }
                return Some(next);
            }
        }
        self.free += 1;
        None
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(home) = self.0.take() {
            home.give_on();
        }
    }
}

/// A stream that is read while it has a place. The place is kept past the stream's end, until this is dropped: what
/// was read still takes memory then.
struct InPlace {
    stream: ByteStream,
    places: Arc<Places>,
    tenant: TenantId,
    right: Right,
    /// Since the timer was set.
    moved_bytes: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

enum Right {
    Unasked,
    InLine(oneshot::Receiver<Place>),
    Held(#[expect(dead_code, reason = "held until dropped")] Place),
    /// The stream stands still, and what comes next is taken without a place.
    Listening,
}

impl InPlace {
    fn new(stream: ByteStream, places: &Arc<Places>, tenant: TenantId) -> Self {
        Self {
            stream,
            places: Arc::clone(places),
            tenant,
            right: Right::Unasked,
            moved_bytes: 0,
            timer: None,
        }
    }

    /// Whether the stream has let us wait for too long. Otherwise its task is woken in time.
    fn poll_stands_still(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let timer = match &mut self.timer {
            None => {
                self.moved_bytes = 0;
                self.timer.insert(Box::pin(sleep(PATIENCE)))
            }
            Some(timer) => {
                if self.moved_bytes >= PATIENCE_BYTES {
                    self.moved_bytes = 0;
                    timer.as_mut().reset(Instant::now() + PATIENCE);
                }
                timer
            }
        };
        timer.as_mut().poll(context)
    }
}

impl Stream for InPlace {
    type Item = Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes>>> {
        let this = &mut *self;
        loop {
            match &mut this.right {
                Right::Unasked => {
                    this.right = match this.places.ask(this.tenant) {
                        Answer::Granted(place) => Right::Held(place),
                        Answer::InLine(called) => Right::InLine(called),
                    };
                }
                Right::InLine(called) => match ready!(called.poll_unpin(context)) {
                    Ok(place) => {
                        this.timer = None;
                        this.right = Right::Held(place);
                    }
                    Err(_) => this.right = Right::Unasked,
                },
                Right::Held(_) => {
                    let next = this.stream.poll_next_unpin(context);
                    if next.is_pending() {
                        ready!(this.poll_stands_still(context));
                        this.timer = None;
                        this.right = Right::Listening;
                        return Poll::Pending;
                    }
                    if let Poll::Ready(Some(Ok(bytes))) = &next {
                        this.moved_bytes += bytes.len();
                    }
                    return next;
                }
                Right::Listening => {
                    let next = ready!(this.stream.poll_next_unpin(context));
                    this.right = Right::Unasked;
                    return Poll::Ready(next);
                }
            }
        }
    }
}

impl Core {
    /// Has a stream read only while it has a place. One whose declared size is small costs little more than its head
    /// and need not wait.
    pub(crate) fn in_place(
        &self,
        tenant: TenantId,
        declared_bytes: Option<u64>,
        stream: ByteStream,
    ) -> ByteStream {
        if declared_bytes.is_some_and(|bytes| bytes <= limit::INLINE_BYTES_MAX as u64) {
            return stream;
        }
        InPlace::new(stream, &self.staging.places, tenant).boxed()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use futures::{channel::mpsc, poll, stream};

    use super::*;

    const ONE: TenantId = TenantId::from_bits(1);
    const OTHER: TenantId = TenantId::from_bits(2);

    fn held(places: &Arc<Places>) -> Place {
        match places.ask(ONE) {
            Answer::Granted(place) => place,
            Answer::InLine(_) => Place(None),
        }
    }

    fn in_line(places: &Arc<Places>, tenant: TenantId) -> oneshot::Receiver<Place> {
        match places.ask(tenant) {
            Answer::InLine(called) => called,
            Answer::Granted(_) => oneshot::channel().1,
        }
    }

    fn endless(places: &Arc<Places>, tenant: TenantId) -> InPlace {
        let bytes = stream::repeat_with(|| Ok(Bytes::from_static(&[1; 1024])));
        InPlace::new(bytes.boxed(), places, tenant)
    }

    #[test]
    fn tenants_take_turns_and_who_left_is_passed_over() {
        let places = Arc::<Places>::default();
        let mut taken: Vec<_> = (0..PLACES).map(|_| held(&places)).collect();
        let mut first = in_line(&places, ONE);
        let gone = in_line(&places, ONE);
        let mut third = in_line(&places, ONE);
        let mut other = in_line(&places, OTHER);
        drop(gone);
        drop(taken.pop());
        let first = first.try_recv().unwrap();
        assert!(third.try_recv().is_err() && other.try_recv().is_err());
        drop(first);
        let other = other.try_recv().unwrap();
        assert!(third.try_recv().is_err());
        drop(other);
        drop(third.try_recv().unwrap());
        drop(taken);
        assert_eq!(places.lock().free, PLACES);
    }

    #[tokio::test]
    async fn streams_that_stand_still_hold_up_nobody_and_lose_nothing() {
        let places = Arc::<Places>::default();
        let (mut senders, mut still) = (Vec::new(), Vec::new());
        for _ in 0..PLACES {
            let (mut sender, receiver) = mpsc::channel(2);
            sender.try_send(Ok(Bytes::from_static(b"begun "))).unwrap();
            let mut stream = InPlace::new(receiver.boxed(), &places, ONE);
            let first = stream.next().await.unwrap().unwrap();
            senders.push(sender);
            still.push(tokio::spawn(async move {
                let rest: Vec<_> = stream.map(Result::unwrap).collect().await;
                [vec![first], rest].concat().concat()
            }));
        }
        assert_eq!(places.lock().free, 0);
        let mut flowing = endless(&places, ONE);
        assert!(flowing.next().await.is_some());
        for (mut sender, still) in senders.into_iter().zip(still) {
            sender.try_send(Ok(Bytes::from_static(b"ended"))).unwrap();
            sender.close_channel();
            assert_eq!(still.await.unwrap(), b"begun ended");
        }
        drop(flowing);
        assert_eq!(places.lock().free, PLACES);
    }

    #[tokio::test]
    async fn a_place_is_kept_from_the_first_byte_to_the_end_of_the_work() {
        let places = Arc::<Places>::default();
        let mut flowing: Vec<_> = (0..PLACES).map(|_| endless(&places, ONE)).collect();
        for stream in &mut flowing {
            assert!(stream.next().await.is_some());
        }
        let mut late = endless(&places, OTHER);
        assert!(poll!(late.next()).is_pending());
        flowing.pop();
        assert!(late.next().await.is_some());
    }
}
