//! Files of SHA-256 checksums as `sha256sum` writes and reads them.

use std::fmt::Write as _;
use std::io::{self, Read};

use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio::io::AsyncRead;

use crate::limit::{CHECKSUM_LINE_BYTES_MAX, CHECKSUM_LINES_MAX, PIECE_BYTES};
use crate::worker::{self, read_fault};
use crate::{Error, Result};

/// A file and what its bytes come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    pub name: String,
    pub sha256: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChecksumError {
    #[error("line {line} is none of a file of checksums: {why}")]
    Line { line: usize, why: &'static str },
    #[error("the file of checksums has more than {limit} lines")]
    TooManyLines { limit: usize },
    #[error("the file of checksums names \"{0}\" twice with different checksums")]
    Contradiction(String),
    #[error("the file of checksums does not name \"{0}\"")]
    NotListed(String),
    #[error("\"{name}\" has the checksum {found}, {expected} is listed")]
    Mismatch {
        name: String,
        expected: String,
        found: String,
    },
}

impl ChecksumError {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Line { .. } => "checksum_line",
            Self::TooManyLines { .. } => "checksum_too_many_lines",
            Self::Contradiction(_) => "checksum_contradiction",
            Self::NotListed(_) => "checksum_not_listed",
            Self::Mismatch { .. } => "checksum_mismatch",
        }
    }
}

/// The SHA-256 of all of `input`.
pub async fn sha256<R>(input: R) -> Result<[u8; 32]>
where
    R: AsyncRead + Send + Unpin + 'static,
{
    worker::inspect(input, |mut source| {
        let meter = source.meter();
        let mut hasher = Sha256::new();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            match source.read(&mut piece) {
                Ok(0) => return Ok(hasher.finalize().into()),
                Ok(count) => hasher.update(piece.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(read_fault(error, &meter, &Error::Read)),
            }
        }
    })
    .await
}

/// Compares `input` with what is listed for `name`.
pub async fn check<R>(list: &[Checksum], name: &str, input: R) -> Result<()>
where
    R: AsyncRead + Send + Unpin + 'static,
{
    let listed = list
        .iter()
        .find(|one| one.name == name)
        .ok_or_else(|| ChecksumError::NotListed(name.to_owned()))?;
    let found = sha256(input).await?;
    if found == listed.sha256 {
        return Ok(());
    }
    Err(ChecksumError::Mismatch {
        name: name.to_owned(),
        expected: hex::encode(listed.sha256),
        found: hex::encode(found),
    }
    .into())
}

/// The text of a file of checksums.
pub fn format(list: &[Checksum]) -> String {
    let mut text = String::new();
    for one in list {
        let escaped = escape(&one.name);
        let mark = if escaped == one.name { "" } else { "\\" };
        // A string takes whatever is written to it.
        let _ = writeln!(text, "{mark}{}  {escaped}", hex::encode(one.sha256));
    }
    text
}

/// The lines of a file of checksums. A name listed twice must be listed alike.
pub fn parse(file: &[u8]) -> Result<Vec<Checksum>, ChecksumError> {
    let mut list: Vec<Checksum> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for (index, line) in file.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if list.len() == CHECKSUM_LINES_MAX {
            return Err(ChecksumError::TooManyLines {
                limit: CHECKSUM_LINES_MAX,
            });
        }
        let one = parse_line(line).map_err(|why| ChecksumError::Line {
            line: index + 1,
            why,
        })?;
        match known.insert(one.name.clone(), one.sha256) {
            Some(before) if before != one.sha256 => {
                return Err(ChecksumError::Contradiction(one.name));
            }
            Some(_) => {}
            None => list.push(one),
        }
    }
    Ok(list)
}

fn parse_line(line: &[u8]) -> Result<Checksum, &'static str> {
    if line.len() > CHECKSUM_LINE_BYTES_MAX {
        return Err("it is too long");
    }
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
    let (is_escaped, text) = match text.strip_prefix('\\') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (digits, rest) = text
        .split_at_checked(64)
        .ok_or("it has no 64 hexadecimal digits")?;
    let mut sha256 = [0; 32];
    hex::decode_to_slice(digits, &mut sha256).map_err(|_| "it has no 64 hexadecimal digits")?;
    // Two blanks for text, a blank and a star for binary; here they mean the same.
    let name = rest
        .strip_prefix("  ")
        .or_else(|| rest.strip_prefix(" *"))
        .ok_or("two characters between checksum and name are missing")?;
    if name.is_empty() {
        return Err("it has no name");
    }
    let name = if is_escaped {
        unescape(name).ok_or("a backslash means nothing")?
    } else {
        name.to_owned()
    };
    Ok(Checksum { name, sha256 })
}

fn escape(name: &str) -> String {
    name.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

fn unescape(name: &str) -> Option<String> {
    let mut plain = String::new();
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain)
}
