//! One file, smaller: gzip and zstd.

use std::io::{self, BufReader, Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{ArchiveError, Caps};
use crate::limit::{PIECE_BYTES, ZSTD_WINDOW_LOG_MAX};
use crate::worker::{self, Allowance, Source, pump};
use crate::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Zstd,
}

/// Packs `input`. Gives the number of bytes read.
pub async fn compress<R, W>(input: R, output: W, by: Compression) -> Result<u64>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    worker::transform(input, output, move |mut source, sink| {
        let meter = source.meter();
        let mut writer = Writer::new(Some(by), sink)?;
        let count = pump(&mut source, &mut writer, &meter, UNLIMITED, &Error::Read)?;
        writer.finish()?;
        Ok(count)
    })
    .await
}

/// Unpacks `input` within the caps on bytes and ratio. Gives the number of bytes written.
pub async fn decompress<R, W>(input: R, output: W, by: Compression, caps: Caps) -> Result<u64>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    worker::transform(input, output, move |source, sink| {
        let meter = source.meter();
        let mut reader = Compression::reader(Some(by), source)?;
        let allowance = Allowance {
            bytes_max: caps.bytes_max,
            ratio_max: caps.ratio_max,
        };
        pump(&mut reader, sink, &meter, allowance, &damaged)
    })
    .await
}

/// What is packed cannot grow by more than a few bytes.
const UNLIMITED: Allowance = Allowance {
    bytes_max: u64::MAX,
    ratio_max: u64::MAX,
};

fn damaged(error: io::Error) -> Error {
    ArchiveError::Damaged(error.to_string()).into()
}

impl Compression {
    pub(super) fn reader(by: Option<Self>, source: Source) -> Result<Box<dyn Read>> {
        let source = BufReader::with_capacity(PIECE_BYTES, source);
        Ok(match by {
            None => Box::new(source),
            Some(Self::Gzip) => Box::new(MultiGzDecoder::new(source)),
            Some(Self::Zstd) => {
                let mut decoder = zstd::Decoder::with_buffer(source).map_err(damaged)?;
                decoder
                    .window_log_max(ZSTD_WINDOW_LOG_MAX)
                    .map_err(damaged)?;
                Box::new(decoder)
            }
        })
    }
}

/// Packs what is written, or passes it on.
pub(super) enum Writer<W: Write> {
    Plain(W),
    Gzip(GzEncoder<W>),
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> Writer<W> {
    pub(super) fn new(by: Option<Compression>, sink: W) -> Result<Self> {
        Ok(match by {
            None => Self::Plain(sink),
            Some(Compression::Gzip) => {
                Self::Gzip(GzEncoder::new(sink, flate2::Compression::default()))
            }
            Some(Compression::Zstd) => {
                let mut encoder =
                    zstd::Encoder::new(sink, zstd::DEFAULT_COMPRESSION_LEVEL).map_err(damaged)?;
                encoder.include_checksum(true).map_err(damaged)?;
                Self::Zstd(encoder)
            }
        })
    }

    pub(super) fn finish(self) -> Result<()> {
        let done = match self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(encoder) => encoder.finish().map(drop),
            Self::Zstd(encoder) => encoder.finish().map(drop),
        };
        done.map_err(Error::Write)
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(sink) => sink.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(sink) => sink.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}
