//! A TCP stream that ends when its owner is gone.
//!
//! The SSH library runs each connection in a task of its own, which would otherwise outlive a caller that timed out and
//! wait for a silent server for ever.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

/// The stream, and the guard whose end ends it.
pub(super) fn bound(stream: TcpStream) -> (BoundStream, DropGuard) {
    let token = CancellationToken::new();
    let ended = Box::pin(token.clone().cancelled_owned());
    (BoundStream { stream, ended }, token.drop_guard())
}

/// A stream that reports its end when the guard is dropped.
#[derive(Debug)]
pub(super) struct BoundStream {
    stream: TcpStream,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl BoundStream {
    fn has_ended(&mut self, context: &mut Context<'_>) -> bool {
        self.ended.as_mut().poll(context).is_ready()
    }
}

impl AsyncRead for BoundStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.has_ended(context) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for BoundStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.has_ended(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
