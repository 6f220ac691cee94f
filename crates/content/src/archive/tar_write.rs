//! tar, written as POSIX has it: ustar headers, and extended ones only where a name or size needs them.

use bailee_model::Timestamp;

use super::pack::NewEntry;

const FORMAT_BLOCK_BYTES: usize = 512;
const FORMAT_NAME_BYTES_MAX: usize = 100;
const FORMAT_OCTAL_SIZE_MAX: u64 = 0o77_777_777_777;
/// Readable by all, writable by the owner.
const FORMAT_FILE_MODE: u64 = 0o644;
const FORMAT_FOLDER_MODE: u64 = 0o755;

/// All headers of an entry.
pub(super) fn headers(entry: &NewEntry) -> Vec<u8> {
    let name = if entry.is_folder {
        format!("{}/", entry.name)
    } else {
        entry.name.clone()
    };
    let mut records = Vec::new();
    if name.len() > FORMAT_NAME_BYTES_MAX || !name.is_ascii() {
        records.extend(record("path", &name));
    }
    if entry.size_bytes > FORMAT_OCTAL_SIZE_MAX {
        records.extend(record("size", &entry.size_bytes.to_string()));
    }
    let mut bytes = Vec::new();
    if !records.is_empty() {
        bytes.extend(header("pax", b'x', records.len() as u64, None));
        bytes.extend(&records);
        bytes.extend(filling(records.len() as u64));
    }
    let size = if entry.size_bytes > FORMAT_OCTAL_SIZE_MAX {
        0
    } else {
        entry.size_bytes
    };
    let kind = if entry.is_folder { b'5' } else { b'0' };
    bytes.extend(header(&name, kind, size, entry.modified));
    bytes
}

/// Zeros up to the next block.
pub(super) fn filling(size_bytes: u64) -> Vec<u8> {
    let over = (size_bytes % FORMAT_BLOCK_BYTES as u64) as usize;
    vec![0; (FORMAT_BLOCK_BYTES - over) % FORMAT_BLOCK_BYTES]
}

pub(super) fn end() -> Vec<u8> {
    vec![0; 2 * FORMAT_BLOCK_BYTES]
}

fn header(name: &str, kind: u8, size: u64, modified: Option<Timestamp>) -> Vec<u8> {
    let mode = if kind == b'5' {
        FORMAT_FOLDER_MODE
    } else {
        FORMAT_FILE_MODE
    };
    let seconds = modified.map_or(0, |at| u64::try_from(at.seconds()).unwrap_or(0));
    let mut block = Vec::with_capacity(FORMAT_BLOCK_BYTES);
    text(&mut block, name.as_bytes(), FORMAT_NAME_BYTES_MAX);
    octal(&mut block, mode, 8);
    octal(&mut block, 0, 8);
    octal(&mut block, 0, 8);
    octal(&mut block, size, 12);
    octal(&mut block, seconds.min(FORMAT_OCTAL_SIZE_MAX), 12);
    let sum_place = block.len();
    block.extend(b"        ");
    block.push(kind);
    text(&mut block, b"", 100);
    block.extend(b"ustar\x0000");
    block.resize(FORMAT_BLOCK_BYTES, 0);
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    let digits = format!("{sum:06o}\0 ");
    block.splice(sum_place..sum_place + 8, digits.into_bytes());
    block
}

fn text(block: &mut Vec<u8>, bytes: &[u8], width: usize) {
    let end = block.len() + width;
    block.extend(bytes.iter().take(width));
    block.resize(end, 0);
}

fn octal(block: &mut Vec<u8>, value: u64, width: usize) {
    let digits = width - 1;
    block.extend(format!("{value:0digits$o}\0").into_bytes());
}

/// `length key=value\n`, the length counting its own digits.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n").into_bytes()
}
