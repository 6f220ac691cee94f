//! One data connection, always under TLS.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error;
use crate::fault::{Fault, Result};
use crate::limit;

const WHAT: &str = "the data connection";

/// Bytes on their way.
#[derive(Debug)]
pub(super) struct Data {
    stream: TlsStream<TcpStream>,
    idle: Duration,
    /// Room for what is read next, shared with what was read before.
    room: BytesMut,
    is_whole: bool,
}

/// Secures a data connection: the certificate must be for the server, as on the control connection.
pub(super) async fn shake_hands(
    tls: &TlsConnector,
    name: &ServerName<'static>,
    stream: TcpStream,
    idle: Duration,
) -> Result<Data> {
    match tokio::time::timeout(idle, tls.connect(name.clone(), stream)).await {
        Ok(Ok(stream)) => Ok(Data {
            stream,
            idle,
            room: BytesMut::new(),
            is_whole: false,
        }),
        Ok(Err(error)) => Err(error::line(error, WHAT)),
        Err(_) => Err(Fault::timeout("the TLS handshake of the data connection")),
    }
}

impl Data {
    /// The next bytes; nothing at the end.
    pub(super) async fn read(&mut self) -> Result<Bytes> {
        if self.room.capacity() < limit::FTPS_READ_BYTES / 4 {
            self.room.reserve(limit::FTPS_READ_BYTES);
        }
        let read = tokio::time::timeout(self.idle, self.stream.read_buf(&mut self.room)).await;
        match read.map_err(|_| Fault::timeout("the FTP server's next bytes"))? {
            Ok(0) => {
                self.is_whole = true;
                Ok(Bytes::new())
            }
            Ok(_) => Ok(self.room.split().freeze()),
            // Many servers just hang up. What is missing is then found by the size, or `is_whole`.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Bytes::new()),
            Err(error) => Err(error::line(error, WHAT)),
        }
    }

    /// The server ended the connection under TLS: nobody on the way cut anything off.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Sends `bytes`.
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let piece = bytes.get(..limit::FTPS_READ_BYTES).unwrap_or(bytes);
            let sent = tokio::time::timeout(self.idle, self.stream.write(piece)).await;
            let sent = sent.map_err(|_| Fault::timeout("sending to the FTP server"))?;
            let sent = sent.map_err(|error| error::line(error, WHAT))?;
            bytes = bytes.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// Tells the server, under TLS, that nothing follows.
    pub(super) async fn end(&mut self) -> Result<()> {
        match tokio::time::timeout(self.idle, self.stream.shutdown()).await {
            Ok(ended) => ended.map_err(|error| error::line(error, WHAT)),
            Err(_) => Err(Fault::timeout("sending to the FTP server")),
        }
    }

    /// Reads to the end of the connection, however that comes.
    pub(super) async fn discard(&mut self) {
        let mut scrap = [0; 1024];
        while matches!(self.stream.read(&mut scrap).await, Ok(1..)) {}
    }
}
