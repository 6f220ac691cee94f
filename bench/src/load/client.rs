//! HTTP/1.1 over TLS, as little of it as a benchmark needs: one request at a time, bodies with a `Content-Length`.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rustls::{ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;

use super::Target;
use super::payload::Payload;
use crate::tls::Wire;

/// Bytes that are read at once; larger than any answer to a small request.
const READ_BYTES: usize = 256 * 1024;
/// Sealed records that wait for the kernel.
const TLS_BUFFER_BYTES: usize = 512 * 1024;
/// A body up to this size leaves in one write with its head.
const TOGETHER_BYTES_MAX: u64 = 64 * 1024;
/// The largest answer that is kept, for those who want its text.
const KEPT_BYTES_MAX: usize = 1024 * 1024;
/// Lines of a head.
const FIELDS_MAX: usize = 100;

/// What is sent after the head.
pub enum Body<'b> {
    /// Nothing.
    Empty,
    /// A JSON text.
    Json(String),
    /// So many bytes of a payload.
    Generated(&'b mut Payload, u64),
}

/// One request.
pub struct Request<'r> {
    /// `GET`, `PUT`, `POST`.
    pub method: &'static str,
    /// Path and query.
    pub target: &'r str,
    /// What follows the head.
    pub body: Body<'r>,
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Bytes of the body, all of which were read.
    pub size_bytes: u64,
    /// The first of them.
    pub text: Vec<u8>,
}

impl Answer {
    /// Refuses whatever is not 2xx.
    pub fn expect_success(&self) -> Result<()> {
        if (200..300).contains(&self.status) {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&self.text);
        bail!(
            "status {}: {}",
            self.status,
            text.chars().take(300).collect::<String>()
        )
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        self.expect_success()?;
        serde_json::from_slice(&self.text).context("the answer is no JSON")
    }
}

/// One connection.
pub struct Client {
    stream: BufReader<StreamOwned<ClientConnection, Wire>>,
    fields: String,
    is_open: bool,
}

impl Client {
    /// Connects and completes the handshake.
    pub fn connect(target: &Target) -> Result<Self> {
        let name = ServerName::from(target.address.ip());
        let mut tls = ClientConnection::new(Arc::clone(&target.tls), name)?;
        tls.set_buffer_limit(Some(TLS_BUFFER_BYTES));
        let mut wire = Wire::connect(target.address)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut wire).context("no TLS handshake")?;
        }
        let mut fields = format!("Host: {}\r\n", target.address);
        if let Some(api_key) = &target.api_key {
            fields.push_str("Authorization: Bearer ");
            fields.push_str(api_key);
            fields.push_str("\r\n");
        }
        let stream = StreamOwned::new(tls, wire);
        Ok(Self {
            stream: BufReader::with_capacity(READ_BYTES, stream),
            fields,
            is_open: true,
        })
    }

    /// Whether the server lets the connection go on.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Sends a request and reads its whole answer.
    pub fn exchange(&mut self, request: Request<'_>) -> Result<Answer> {
        self.send(request).context("cannot send")?;
        self.receive().context("no whole answer")
    }

    fn send(&mut self, request: Request<'_>) -> Result<()> {
        let mut out = format!(
            "{} {} HTTP/1.1\r\n{}",
            request.method, request.target, self.fields
        );
        let tls = self.stream.get_mut();
        match request.body {
            Body::Empty => {
                // A GET without a body says nothing about its length.
                out.push_str(if request.method == "GET" {
                    "\r\n"
                } else {
                    "Content-Length: 0\r\n\r\n"
                });
                tls.write_all(out.as_bytes())?;
            }
            Body::Json(text) => {
                let size = text.len();
                out.push_str(&format_head("application/json", size as u64));
                out.push_str(&text);
                tls.write_all(out.as_bytes())?;
            }
            Body::Generated(payload, size_bytes) => {
                out.push_str(&format_head("application/octet-stream", size_bytes));
                let mut out = out.into_bytes();
                let mut left = size_bytes;
                if size_bytes <= TOGETHER_BYTES_MAX {
                    out.extend_from_slice(payload.next(left));
                    left = 0;
                }
                tls.write_all(&out)?;
                while left > 0 {
                    let bytes = payload.next(left);
                    tls.write_all(bytes)?;
                    left -= bytes.len() as u64;
                }
            }
        }
        tls.flush()?;
        Ok(())
    }

    fn receive(&mut self) -> Result<Answer> {
        let mut line = self.line()?;
        let status: u16 = line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .with_context(|| format!("not a status line: {line}"))?;
        let mut size_bytes = 0;
        for _ in 0..FIELDS_MAX {
            line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                size_bytes = value.parse()?;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                bail!("an answer of unknown length is not measured");
            } else if name.eq_ignore_ascii_case("connection") {
                self.is_open &= !value.eq_ignore_ascii_case("close");
            }
        }
        if !line.is_empty() {
            bail!("a strange head: {line}");
        }
        Ok(Answer {
            status,
            size_bytes,
            text: self.body(size_bytes)?,
        })
    }

    fn body(&mut self, size_bytes: u64) -> Result<Vec<u8>> {
        let mut kept = Vec::new();
        let mut left = size_bytes;
        while left > 0 {
            let bytes = self.stream.fill_buf()?;
            if bytes.is_empty() {
                bail!("{left} of {size_bytes} bytes are missing");
            }
            let taken = (bytes.len() as u64).min(left) as usize;
            if size_bytes <= KEPT_BYTES_MAX as u64 {
                kept.extend_from_slice(bytes.get(..taken).unwrap_or_default());
            }
            self.stream.consume(taken);
            left -= taken as u64;
        }
        Ok(kept)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let mut limited = (&mut self.stream).take(READ_BYTES as u64);
        if limited.read_line(&mut line)? == 0 {
            bail!("the connection was closed");
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}

fn format_head(content_type: &str, size_bytes: u64) -> String {
    format!("Content-Type: {content_type}\r\nContent-Length: {size_bytes}\r\n\r\n")
}
