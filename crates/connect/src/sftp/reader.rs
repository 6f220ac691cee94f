//! Reading ahead: many requests in flight, answers in the order of the file, a fixed number of bytes at most.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, FuturesOrdered};
use futures::{FutureExt, StreamExt};
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};

use super::error;
use super::session::{OpenHandle, Session};
use crate::connector::ByteStream;
use crate::fault::{Fault, Result};
use crate::limit;

/// What one request asked for and got; `None` at the end of the file.
struct Answer {
    offset: u64,
    asked_bytes: u32,
    data: Option<Vec<u8>>,
}

struct Reader {
    handle: OpenHandle,
    in_flight: FuturesOrdered<BoxFuture<'static, Result<Answer>>>,
    next_offset: u64,
    requests_max: usize,
}

/// The bytes of the file at `path` from `offset` on.
pub(super) async fn stream(session: &Arc<Session>, path: &str, offset: u64) -> Result<ByteStream> {
    let handle = session
        .timed(
            session
                .raw
                .open(path, OpenFlags::READ, FileAttributes::empty()),
        )
        .await?
        .handle;
    let reader = Reader {
        handle: OpenHandle::new(session, handle)?,
        in_flight: FuturesOrdered::new(),
        next_offset: offset,
        requests_max: limit::IN_FLIGHT_REQUESTS_FIRST.min(session.requests_max()),
    };
    Ok(stream::try_unfold(reader, next).boxed())
}

async fn next(mut reader: Reader) -> Result<Option<(Bytes, Reader)>> {
    reader.ask_ahead();
    let idle_time = reader.handle.session().idle_time;
    let answer = match tokio::time::timeout(idle_time, reader.in_flight.next()).await {
        Ok(Some(answer)) => answer?,
        Ok(None) => return Ok(None),
        Err(_) => return Err(Fault::timeout("the SFTP server's next bytes")),
    };
    let Some(data) = answer.data else {
        reader.in_flight = FuturesOrdered::new();
        reader.handle.close().await?;
        return Ok(None);
    };
    let got = data.len() as u32;
    if got == 0 || got > answer.asked_bytes {
        return Err(Fault::protocol(
            "the SFTP server answered a read with a wrong number of bytes",
        ));
    }
    if got < answer.asked_bytes {
        // A short answer is allowed anywhere, so ask for what is missing before going on.
        let rest = reader.ask(answer.offset + u64::from(got), answer.asked_bytes - got);
        reader.in_flight.push_front(rest);
    } else {
        reader.requests_max = (reader.requests_max + 1).min(reader.handle.session().requests_max());
    }
    Ok(Some((data.into(), reader)))
}

impl Reader {
    fn ask_ahead(&mut self) {
        let chunk_bytes = self.handle.session().chunk_bytes as u32;
        while self.in_flight.len() < self.requests_max {
            let request = self.ask(self.next_offset, chunk_bytes);
            self.in_flight.push_back(request);
            self.next_offset = self.next_offset.saturating_add(u64::from(chunk_bytes));
        }
    }

    fn ask(&self, offset: u64, asked_bytes: u32) -> BoxFuture<'static, Result<Answer>> {
        let raw = Arc::clone(&self.handle.session().raw);
        let handle = self.handle.text().to_owned();
        async move {
            let data = match raw.read(handle, offset, asked_bytes).await {
                Ok(answer) => Some(answer.data),
                Err(SftpError::Status(status)) if status.status_code == StatusCode::Eof => None,
                Err(fault) => return Err(error::sftp(fault)),
            };
            Ok(Answer {
                offset,
                asked_bytes,
                data,
            })
        }
        .boxed()
    }
}
