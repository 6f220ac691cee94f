//! The catalogue of a ZIP file: where it is, and what it says of each entry.
//!
//! It must stand right before its end record, which must end the file: then there is one way to read it.

use std::io::{Read, Seek, SeekFrom};

use bailee_model::Timestamp;

use super::extract::Caps;
use super::{ArchiveError, EntryFault};
use crate::limit::ZIP_CATALOGUE_BYTES_MAX;

const FORMAT_END: &[u8] = b"PK\x05\x06";
const FORMAT_END64: &[u8] = b"PK\x06\x06";
const FORMAT_LOCATOR64: &[u8] = b"PK\x06\x07";
const FORMAT_ENTRY: &[u8] = b"PK\x01\x02";
const FORMAT_END_BYTES: u64 = 22;
const FORMAT_END64_BYTES: u64 = 56;
const FORMAT_LOCATOR64_BYTES: u64 = 20;
const FORMAT_COMMENT_BYTES_MAX: u64 = 65_535;
const FORMAT_ZIP64: u32 = u32::MAX;

/// One entry, as the catalogue tells it.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) is_folder: bool,
    pub(super) method: u16,
    pub(super) flags: u16,
    pub(super) checksum: u32,
    pub(super) packed_bytes: u64,
    pub(super) size_bytes: u64,
    /// Where its local header stands.
    pub(super) start: u64,
    pub(super) modified: Option<Timestamp>,
}

pub(super) struct Catalogue {
    pub(super) entries: Vec<Listed>,
    /// Where the catalogue begins: entries end before it.
    pub(super) start: u64,
}

struct End {
    entries: u64,
    size: u64,
    start: u64,
    /// Where the first of the end records stands.
    place: u64,
}

pub(super) fn read<R: Read + Seek>(
    input: &mut R,
    caps: &Caps,
) -> std::io::Result<Result<Catalogue, ArchiveError>> {
    let end = match find_end(input)? {
        Ok(end) => end,
        Err(error) => return Ok(Err(error)),
    };
    if end.entries > caps.entries_max {
        return Ok(Err(ArchiveError::TooManyEntries {
            limit: caps.entries_max,
        }));
    }
    if end.size > ZIP_CATALOGUE_BYTES_MAX || end.start.checked_add(end.size) != Some(end.place) {
        return Ok(Err(unknown("its catalogue is not where its end says")));
    }
    let bytes = read_at(input, end.start, end.size)?;
    Ok(parse(&bytes, &end))
}

fn parse(bytes: &[u8], end: &End) -> Result<Catalogue, ArchiveError> {
    let mut fields = Fields { bytes, place: 0 };
    let mut entries = Vec::new();
    for _ in 0..end.entries {
        entries.push(entry(&mut fields).ok_or_else(|| unknown("its catalogue is broken"))??);
    }
    if fields.place != bytes.len() {
        return Err(unknown("its catalogue holds more than its entries"));
    }
    Ok(Catalogue {
        entries,
        start: end.start,
    })
}

/// Nothing if the bytes end too early.
fn entry(fields: &mut Fields<'_>) -> Option<Result<Listed, ArchiveError>> {
    if fields.take(4)? != FORMAT_ENTRY {
        return None;
    }
    let made_by = fields.u16()?;
    let _needed = fields.u16()?;
    let flags = fields.u16()?;
    let method = fields.u16()?;
    let (time, date) = (fields.u16()?, fields.u16()?);
    let checksum = fields.u32()?;
    let (packed, size) = (fields.u32()?, fields.u32()?);
    let (name_bytes, extra_bytes) = (fields.u16()?, fields.u16()?);
    let comment_bytes = fields.u16()?;
    let disk = fields.u16()?;
    let _internal = fields.u16()?;
    let attributes = fields.u32()?;
    let start = fields.u32()?;
    let name = fields.take(usize::from(name_bytes))?;
    let mut large = zip64(fields.take(usize::from(extra_bytes))?);
    fields.take(usize::from(comment_bytes))?;

    let Ok(name) = String::from_utf8(name.to_vec()) else {
        let shown = String::from_utf8_lossy(name);
        return Some(Err(ArchiveError::entry(&shown, EntryFault::NameEncoding)));
    };
    let refuse = |fault| Some(Err(ArchiveError::entry(&name, fault)));
    // The large values stand in this order, and only those that did not fit.
    let (Some(size_bytes), Some(packed_bytes), Some(start)) =
        (large.or(size), large.or(packed), large.or(start))
    else {
        return refuse(EntryFault::Contradiction);
    };
    if disk != 0 {
        return refuse(EntryFault::Contradiction);
    }
    let is_folder = name.ends_with('/');
    // Only systems of the Unix kind put a mode there.
    let mode = if matches!(made_by >> 8, 3 | 19) {
        (attributes >> 16) & 0o170_000
    } else {
        0
    };
    match mode {
        0o120_000 => return refuse(EntryFault::Link),
        0o040_000 if !is_folder => return refuse(EntryFault::Contradiction),
        0 | 0o100_000 | 0o040_000 => {}
        _ => return refuse(EntryFault::Special),
    }
    Some(Ok(Listed {
        is_folder,
        method,
        flags,
        checksum,
        packed_bytes,
        size_bytes,
        start,
        modified: modified(date, time),
        name,
    }))
}

fn find_end<R: Read + Seek>(input: &mut R) -> std::io::Result<Result<End, ArchiveError>> {
    let length = input.seek(SeekFrom::End(0))?;
    let tail_bytes = length.min(FORMAT_END_BYTES + FORMAT_COMMENT_BYTES_MAX);
    let tail_start = length - tail_bytes;
    let tail = read_at(input, tail_start, tail_bytes)?;
    let Some(offset) = last_end(&tail) else {
        return Ok(Err(unknown("it does not end like a ZIP file")));
    };
    let mut fields = Fields {
        bytes: &tail,
        place: offset + 4,
    };
    let mut short = || {
        let disks = (fields.u16()?, fields.u16()?);
        let counts = (fields.u16()?, fields.u16()?);
        Some((disks, counts, fields.u32()?, fields.u32()?))
    };
    let Some((disks, counts, size, start)) = short() else {
        return Ok(Err(unknown("its end is broken")));
    };
    let place = tail_start + offset as u64;
    let is_large = counts.1 == u16::MAX || size == FORMAT_ZIP64 || start == FORMAT_ZIP64;
    if is_large {
        return find_end64(input, place);
    }
    if disks != (0, 0) || counts.0 != counts.1 {
        return Ok(Err(unknown("it is one of several parts")));
    }
    Ok(Ok(End {
        entries: u64::from(counts.1),
        size: u64::from(size),
        start: u64::from(start),
        place,
    }))
}

fn find_end64<R: Read + Seek>(
    input: &mut R,
    end: u64,
) -> std::io::Result<Result<End, ArchiveError>> {
    let broken = || Ok(Err(unknown("its end for large files is broken")));
    let Some(locator) = end.checked_sub(FORMAT_LOCATOR64_BYTES) else {
        return broken();
    };
    let bytes = read_at(input, locator, FORMAT_LOCATOR64_BYTES)?;
    let mut fields = Fields {
        bytes: &bytes,
        place: 0,
    };
    let mut told = || {
        let is_locator = fields.take(4)? == FORMAT_LOCATOR64;
        let disk = fields.u32()?;
        (is_locator && disk == 0).then_some(fields.u64()?)
    };
    let Some(place) = told() else {
        return broken();
    };
    if place.checked_add(FORMAT_END64_BYTES) != Some(locator) {
        return broken();
    }
    let bytes = read_at(input, place, FORMAT_END64_BYTES)?;
    let mut fields = Fields {
        bytes: &bytes,
        place: 0,
    };
    let mut told = || {
        let is_end = fields.take(4)? == FORMAT_END64;
        fields.take(12)?;
        let disks = (fields.u32()?, fields.u32()?);
        let counts = (fields.u64()?, fields.u64()?);
        let is_whole = is_end && disks == (0, 0) && counts.0 == counts.1;
        let (size, start) = (fields.u64()?, fields.u64()?);
        is_whole.then_some(End {
            entries: counts.1,
            size,
            start,
            place,
        })
    };
    told().map_or_else(broken, |end| Ok(Ok(end)))
}

/// Where the end record stands: the last place whose comment ends with the file.
fn last_end(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(FORMAT_END_BYTES as usize)?;
    (0..=last).rev().find(|place| {
        let record = tail.get(*place..).unwrap_or_default();
        let comment = record.get(20..22).map_or(0, |two| {
            two.iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        });
        record.starts_with(FORMAT_END) && record.len() == FORMAT_END_BYTES as usize + comment
    })
}

/// Values that did not fit into 32 bits.
struct Large<'b>(Fields<'b>);

impl Large<'_> {
    fn or(&mut self, short: u32) -> Option<u64> {
        if short == FORMAT_ZIP64 {
            self.0.u64()
        } else {
            Some(u64::from(short))
        }
    }
}

fn zip64(extra: &[u8]) -> Large<'_> {
    let mut fields = Fields {
        bytes: extra,
        place: 0,
    };
    while let (Some(id), Some(length)) = (fields.u16(), fields.u16()) {
        let Some(bytes) = fields.take(usize::from(length)) else {
            break;
        };
        if id == 1 {
            return Large(Fields { bytes, place: 0 });
        }
    }
    Large(Fields {
        bytes: &[],
        place: 0,
    })
}

/// MS-DOS time, taken as UTC since it names no zone.
fn modified(date: u16, time: u16) -> Option<Timestamp> {
    let small = |value: u16| i8::try_from(value).ok();
    let year = i16::try_from(1980 + (date >> 9)).ok()?;
    let day = jiff::civil::Date::new(year, small((date >> 5) & 15)?, small(date & 31)?).ok()?;
    let clock = jiff::civil::Time::new(
        small(time >> 11)?,
        small((time >> 5) & 63)?,
        small((time & 31) * 2)?,
        0,
    )
    .ok()?;
    let at = day.to_datetime(clock).to_zoned(jiff::tz::TimeZone::UTC);
    Some(Timestamp::from_ms(at.ok()?.timestamp().as_millisecond()))
}

pub(super) fn read_at<R: Read + Seek>(
    input: &mut R,
    start: u64,
    length: u64,
) -> std::io::Result<Vec<u8>> {
    input.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0; length as usize];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Little-endian numbers, one after the other.
pub(super) struct Fields<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) place: usize,
}

impl<'b> Fields<'b> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let taken = self.bytes.get(self.place..self.place.checked_add(count)?)?;
        self.place += count;
        Some(taken)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

fn unknown(why: &str) -> ArchiveError {
    ArchiveError::NotAnArchive(why.into())
}
