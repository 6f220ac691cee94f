//! tar, read strictly: ustar, pax and GNU long names.
//!
//! Readers that disagree on where an entry ends are a way to smuggle files, so a size told twice must be the same twice.

use std::io::{self, Read};

use bailee_model::Timestamp;

use super::extract::{Entry, Taker};
use super::{ArchiveError, EntryFault};
use crate::Result;
use crate::limit::{PIECE_BYTES, TAR_EXTENSION_BYTES_MAX};

const FORMAT_BLOCK_BYTES: usize = 512;
/// Zeros after the end: writers fill up their last record.
const PADDING_BYTES_MAX: u64 = 1024 * 1024;
/// The largest size that fits into the octal field.
const FORMAT_OCTAL_SIZE_MAX: u64 = 0o77_777_777_777;

type Block = [u8; FORMAT_BLOCK_BYTES];

/// What extended headers say of the entry that follows.
#[derive(Default)]
struct Extension {
    path: Option<String>,
    size: Option<u64>,
    modified: Option<i64>,
}

pub(super) fn read(reader: &mut dyn Read, mut taker: Taker) -> Result<()> {
    let mut extension = Extension::default();
    let mut extension_bytes = 0;
    loop {
        let Some(block) = block(reader, &taker)? else {
            padding(reader, &taker)?;
            return taker.end();
        };
        let size = number(field(&block, 124, 12)).ok_or_else(|| damaged("a size"))?;
        let kind = block.get(156).copied().unwrap_or_default();
        if matches!(kind, b'x' | b'g' | b'L') {
            extension_bytes += size;
            if extension_bytes > TAR_EXTENSION_BYTES_MAX {
                return Err(damaged("extended headers without end").into());
            }
            let text = text(reader, size, &taker)?;
            match kind {
                b'L' => extension.path = Some(long_name(text)?),
                b'x' => pax(&text, &mut extension)?,
                // What holds for all entries may be a comment, no name and no size.
                _ => refuse_global(&text)?,
            }
            continue;
        }
        let told = std::mem::take(&mut extension);
        extension_bytes = 0;
        let entry = taker.admit(entry(&block, kind, size, told)?)?;
        content(reader, entry, &mut taker)?;
    }
}

fn content(reader: &mut dyn Read, entry: Entry, taker: &mut Taker) -> Result<()> {
    let (name, size) = (entry.name.clone(), entry.size_bytes);
    taker.begin(entry)?;
    let taken = taker.take(&mut reader.take(size), &mut |_| {})?;
    if taken != size {
        return Err(ArchiveError::entry(&name, EntryFault::Size).into());
    }
    skip_to_block(reader, size, taker)
}

fn entry(block: &Block, kind: u8, size: u64, told: Extension) -> Result<Entry, ArchiveError> {
    let name = match told.path {
        Some(path) => path,
        None => header_name(block)?,
    };
    let refuse = |fault| Err(ArchiveError::entry(&name, fault));
    let is_folder = match kind {
        b'5' => true,
        // The oldest writers mark folders by the slash alone.
        b'0' | 0 => name.ends_with('/'),
        b'1' | b'2' | b'K' => return refuse(EntryFault::Link),
        _ => return refuse(EntryFault::Special),
    };
    let size_bytes = match told.size {
        Some(other) if other != size && size != 0 && other <= FORMAT_OCTAL_SIZE_MAX => {
            return refuse(EntryFault::Contradiction);
        }
        Some(other) => other,
        None => size,
    };
    if is_folder && size_bytes != 0 {
        return refuse(EntryFault::Contradiction);
    }
    let seconds = told
        .modified
        .or_else(|| number(field(block, 136, 12)).and_then(|value| i64::try_from(value).ok()));
    Ok(Entry {
        name,
        is_folder,
        size_bytes,
        modified: seconds
            .filter(|value| (0..=i64::from(u32::MAX)).contains(value))
            .map(|value| Timestamp::from_ms(value * 1000)),
    })
}

/// The next header; nothing at the end mark.
fn block(reader: &mut dyn Read, taker: &Taker) -> Result<Option<Block>> {
    let mut block = [0; FORMAT_BLOCK_BYTES];
    reader
        .read_exact(&mut block)
        .map_err(|error| taker.fault(error))?;
    if block.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(place, byte)| match place {
            148..156 => u64::from(b' '),
            _ => u64::from(*byte),
        })
        .sum();
    if number(field(&block, 148, 8)) != Some(sum) {
        return Err(ArchiveError::NotAnArchive("a header's checksum is wrong".into()).into());
    }
    Ok(Some(block))
}

/// Reads to the end of the input, so that the checksum of what packs it is compared.
fn padding(reader: &mut dyn Read, taker: &Taker) -> Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut read = 0;
    loop {
        let count = match reader.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(taker.fault(error)),
        };
        read += count as u64;
        let is_zero = piece.iter().take(count).all(|byte| *byte == 0);
        if !is_zero || read > PADDING_BYTES_MAX {
            return Err(damaged("something follows its end").into());
        }
    }
}

fn text(reader: &mut dyn Read, size: u64, taker: &Taker) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let taken = reader
        .take(size)
        .read_to_end(&mut bytes)
        .map_err(|error| taker.fault(error))?;
    if taken as u64 != size {
        return Err(damaged("it ends too early").into());
    }
    skip_to_block(reader, size, taker)?;
    Ok(bytes)
}

fn skip_to_block(reader: &mut dyn Read, size: u64, taker: &Taker) -> Result<()> {
    let mut rest = [0; FORMAT_BLOCK_BYTES];
    let over = (size % FORMAT_BLOCK_BYTES as u64) as usize;
    if let Some(rest) = rest.get_mut(over..)
        && over > 0
    {
        reader
            .read_exact(rest)
            .map_err(|error| taker.fault(error))?;
    }
    Ok(())
}

fn long_name(mut bytes: Vec<u8>) -> Result<String, ArchiveError> {
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    utf8(bytes)
}

/// Records `length key=value\n`.
fn pax(text: &[u8], extension: &mut Extension) -> Result<(), ArchiveError> {
    each_record(text, &mut |key, value| {
        let shown = String::from_utf8_lossy(value);
        match key {
            "path" => extension.path = Some(utf8(value.to_vec())?),
            "size" => extension.size = Some(shown.parse().map_err(|_| damaged("a size"))?),
            "mtime" => {
                let whole = shown.split('.').next().unwrap_or_default();
                extension.modified = whole.parse().ok();
            }
            "linkpath" => return Err(ArchiveError::entry(&shown, EntryFault::Link)),
            key if key.starts_with("GNU.sparse.") => {
                return Err(ArchiveError::entry(&shown, EntryFault::Special));
            }
            _ => {}
        }
        Ok(())
    })
}

fn refuse_global(text: &[u8]) -> Result<(), ArchiveError> {
    each_record(text, &mut |key, _| match key {
        "path" | "size" | "linkpath" => Err(damaged("a name or size for all entries")),
        _ => Ok(()),
    })
}

type Take<'t> = &'t mut dyn FnMut(&str, &[u8]) -> Result<(), ArchiveError>;

fn each_record(mut text: &[u8], take: Take<'_>) -> Result<(), ArchiveError> {
    let broken = || damaged("an extended header");
    while !text.is_empty() {
        let space = text.iter().position(|byte| *byte == b' ');
        let space = space.ok_or_else(broken)?;
        let length: usize = text
            .get(..space)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(broken)?;
        let record = text
            .get(space + 1..length)
            .and_then(|record| record.strip_suffix(b"\n"))
            .ok_or_else(broken)?;
        let equals = record.iter().position(|byte| *byte == b'=');
        let (key, value) = record.split_at(equals.ok_or_else(broken)?);
        let key = std::str::from_utf8(key).map_err(|_| broken())?;
        take(key, value.get(1..).unwrap_or_default())?;
        text = text.get(length..).unwrap_or_default();
    }
    Ok(())
}

fn header_name(block: &Block) -> Result<String, ArchiveError> {
    let name = until_zero(field(block, 0, 100));
    // Only POSIX has a prefix there; GNU puts times in its place.
    let has_prefix = field(block, 257, 6) == b"ustar\0";
    let prefix = until_zero(field(block, 345, 155));
    if !has_prefix || prefix.is_empty() {
        return utf8(name.to_vec());
    }
    utf8([prefix, b"/", name].concat())
}

fn utf8(bytes: Vec<u8>) -> Result<String, ArchiveError> {
    String::from_utf8(bytes).map_err(|error| {
        let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
        ArchiveError::entry(&shown, EntryFault::NameEncoding)
    })
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn field(block: &Block, start: usize, length: usize) -> &[u8] {
    block.get(start..start + length).unwrap_or_default()
}

/// Octal digits, or GNU's binary with the first bit set.
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if *first == 0x80 {
        let (high, low) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
        let low: [u8; 8] = low.try_into().ok()?;
        return high
            .iter()
            .all(|byte| *byte == 0)
            .then(|| u64::from_be_bytes(low))
            .filter(|value| i64::try_from(*value).is_ok());
    }
    let text = std::str::from_utf8(field).ok()?;
    let digits = text.trim_matches(|c| matches!(c, ' ' | '\0'));
    if digits.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(digits, 8).ok()
}

fn damaged(what: &str) -> ArchiveError {
    ArchiveError::Damaged(what.into())
}
