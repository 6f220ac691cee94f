//! One connection: PUT and GET of HTTP/1.1 with a `Content-Length`, one request after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use aws_lc_rs::digest::{SHA256, digest};
use rustls::{ServerConnection, StreamOwned};

use super::Floor;
use super::blob::SEGMENT_BYTES;
use super::row::{Found, Row};
use crate::tls::Wire;

/// Content up to this size stands in its row.
const INLINE_BYTES_MAX: u64 = 64 * 1024;
/// A head that is longer ends the connection.
const HEAD_BYTES_MAX: u64 = 16 * 1024;
/// Sealed records that wait for the kernel: a megabyte goes out with few calls.
const TLS_BUFFER_BYTES: usize = 512 * 1024;
const TAG_BYTES: usize = 16;

type Stream = BufReader<StreamOwned<ServerConnection, Wire>>;

struct Head {
    method: String,
    target: String,
    size_bytes: u64,
}

/// Serves until the client leaves.
pub fn serve(floor: &Floor, socket: TcpStream) -> Result<()> {
    let mut tls = ServerConnection::new(Arc::clone(&floor.tls))?;
    tls.set_buffer_limit(Some(TLS_BUFFER_BYTES));
    let stream = StreamOwned::new(tls, Wire::of(socket)?);
    // Heads are read through a small buffer; bodies are larger than it and go past it.
    let mut stream = BufReader::with_capacity(8 * 1024, stream);
    let mut buffer = Vec::new();
    while let Some(head) = head(&mut stream)? {
        match head.method.as_str() {
            "PUT" => put(floor, &mut stream, head, &mut buffer)?,
            "GET" => get(floor, &mut stream, &head.target, &mut buffer)?,
            method => bail!("the floor has no {method}"),
        }
    }
    Ok(())
}

fn head(stream: &mut Stream) -> Result<Option<Head>> {
    let mut limited = stream.take(HEAD_BYTES_MAX);
    let mut line = String::new();
    // A client that just leaves is no error.
    if limited.read_line(&mut line).unwrap_or(0) == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let mut head = Head {
        method: words.next().context("no method")?.to_owned(),
        target: words.next().context("no target")?.to_owned(),
        size_bytes: 0,
    };
    loop {
        let mut line = String::new();
        if limited.read_line(&mut line)? == 0 {
            bail!("the head is cut or too long");
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(Some(head));
        }
        let (name, value) = line.split_once(':').context("no field")?;
        if name.eq_ignore_ascii_case("content-length") {
            head.size_bytes = value.trim().parse()?;
        }
    }
}

fn put(floor: &Floor, stream: &mut Stream, head: Head, buffer: &mut Vec<u8>) -> Result<()> {
    let row = if head.size_bytes <= INLINE_BYTES_MAX {
        let number = floor.blobs.next_number();
        let mut content = Vec::with_capacity(head.size_bytes as usize + TAG_BYTES);
        content.resize(head.size_bytes as usize, 0);
        stream.read_exact(&mut content)?;
        let digest = digest(&SHA256, &content);
        let tag = floor.blobs.seal(number, 0, &mut content)?;
        content.extend_from_slice(tag.as_ref());
        Row {
            name: head.target,
            size_bytes: head.size_bytes,
            digest: digest.as_ref().to_vec(),
            number,
            content: Some(content),
        }
    } else {
        let stored = floor.blobs.write(stream, head.size_bytes, buffer)?;
        Row {
            name: head.target,
            size_bytes: head.size_bytes,
            digest: stored.digest.as_ref().to_vec(),
            number: stored.number,
            content: None,
        }
    };
    floor.rows.write(row)?;
    answer(stream, b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
}

fn get(floor: &Floor, stream: &mut Stream, target: &str, buffer: &mut Vec<u8>) -> Result<()> {
    let Some(found) = floor.rows.find(target)? else {
        return answer(
            stream,
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        );
    };
    let Found {
        size_bytes,
        number,
        content,
    } = found;
    let mut out = format!("HTTP/1.1 200 OK\r\nContent-Length: {size_bytes}\r\n\r\n").into_bytes();
    let Some(mut content) = content else {
        let tls = stream.get_mut();
        tls.write_all(&out)?;
        floor
            .blobs
            .read(number, size_bytes, buffer, |bytes| tls.write_all(bytes))?;
        tls.flush()?;
        return Ok(());
    };
    debug_assert!(content.len() <= SEGMENT_BYTES + TAG_BYTES);
    // Head and body of a small answer leave in one write.
    out.extend_from_slice(floor.blobs.open(number, 0, &mut content)?);
    answer(stream, &out)
}

fn answer(stream: &mut Stream, bytes: &[u8]) -> Result<()> {
    let tls = stream.get_mut();
    tls.write_all(bytes)?;
    tls.flush()?;
    Ok(())
}
