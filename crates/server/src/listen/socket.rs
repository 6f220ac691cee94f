use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::limits::READ_AHEAD_BYTES;
use super::pace::Pace;

/// A socket that gives up a peer who does not read: the write fails with `TimedOut`, which ends the connection.
///
/// It sits below TLS, so it also covers a handshake and whatever else is written. The kernel reports room in steps of
/// about a third of the send buffer, so the window must be generous.
///
/// It reads ahead while a peer sends fast, since TLS asks for a quarter of a record at a time.
pub(crate) struct Socket<T> {
    inner: T,
    pace: Pace,
    ahead: Ahead,
}

/// What was read but not asked for yet. Without memory while the peer is silent.
#[derive(Default)]
struct Ahead {
    bytes: Vec<u8>,
    begin: usize,
    end: usize,
    /// The last read brought as much as it could, so more will be there.
    is_fast: bool,
}

impl Ahead {
    /// Fills `buffer` with what is there. False if nothing is.
    fn give(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let held = self.bytes.get(self.begin..self.end).unwrap_or_default();
        let (given, _) = held.split_at(held.len().min(buffer.remaining()));
        buffer.put_slice(given);
        self.begin += given.len();
        !given.is_empty()
    }
}

impl<T> Socket<T> {
    pub(crate) fn new(inner: T, pace: Pace) -> Self {
        Self {
            inner,
            pace,
            ahead: Ahead::default(),
        }
    }
}

impl<T: AsyncWrite + Unpin> Socket<T> {
    fn judge(&mut self, cx: &mut Context<'_>, written: Poll<Result<usize>>) -> Poll<Result<usize>> {
        match written {
            Poll::Ready(result) => {
                self.pace.progress(*result.as_ref().unwrap_or(&0));
                Poll::Ready(result)
            }
            Poll::Pending => {
                ready!(self.pace.poll_too_slow(cx));
                Poll::Ready(Err(Error::new(
                    ErrorKind::TimedOut,
                    "the peer does not read",
                )))
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Socket<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let Self { inner, ahead, .. } = &mut *self;
        if ahead.give(buffer) {
            return Poll::Ready(Ok(()));
        }
        let (asked, before) = (buffer.remaining(), buffer.filled().len());
        if !ahead.is_fast || asked >= READ_AHEAD_BYTES {
            let read = Pin::new(inner).poll_read(cx, buffer);
            ahead.is_fast = asked > 0 && buffer.filled().len() - before == asked;
            return read;
        }
        ahead.bytes.resize(READ_AHEAD_BYTES, 0);
        let mut all = ReadBuf::new(&mut ahead.bytes);
        let read = Pin::new(inner).poll_read(cx, &mut all);
        (ahead.begin, ahead.end) = (0, all.filled().len());
        if !ahead.give(buffer) {
            *ahead = Ahead::default();
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Socket<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn socket<T>(inner: T) -> Socket<T> {
        Socket::new(inner, Pace::new(Duration::from_mins(1), 1))
    }

    #[tokio::test]
    async fn reading_ahead_loses_no_byte_whatever_is_asked_for() {
        let sent: Vec<u8> = (0..300_000_u32).map(|at| (at * 7 % 251) as u8).collect();
        let (mut peer, near) = duplex(70_000);
        let (mut near, mut got) = (socket(near), Vec::new());
        let copy = sent.clone();
        let sending = tokio::spawn(async move { peer.write_all(&copy).await });
        for asked in [1, 4096, 4096, 100, 50_000, 4096, 18_000]
            .into_iter()
            .cycle()
        {
            let mut piece = vec![0; asked];
            let count = near.read(&mut piece).await.unwrap();
            got.extend(piece.into_iter().take(count));
            if count == 0 {
                break;
            }
        }
        assert!(got == sent);
        sending.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_silent_peer_costs_no_memory() {
        let (mut peer, near) = duplex(70_000);
        let mut near = socket(near);
        peer.write_all(&[1; 10_000]).await.unwrap();
        let mut piece = [0; 4096];
        for _ in 0..2 {
            assert_eq!(near.read(&mut piece).await.unwrap(), 4096);
        }
        assert_eq!(near.ahead.bytes.len(), READ_AHEAD_BYTES);
        assert_eq!(near.read(&mut piece).await.unwrap(), 10_000 - 2 * 4096);
        assert!(futures::poll!(Box::pin(near.read(&mut piece))).is_pending());
        assert_eq!(near.ahead.bytes.capacity(), 0);
    }
}
