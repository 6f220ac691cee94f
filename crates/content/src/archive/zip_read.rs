//! ZIP, read by its catalogue. All headers are compared and all places checked before the first byte is given out.

use std::io::{BufReader, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::extract::{Entry, Taker};
use super::zip_catalogue::{self, Catalogue, Fields, Listed, read_at};
use super::{ArchiveError, EntryFault};
use crate::Result;
use crate::limit::PIECE_BYTES;

const FORMAT_LOCAL: &[u8] = b"PK\x03\x04";
const FORMAT_LOCAL_BYTES: u64 = 30;
const FORMAT_STORED: u16 = 0;
const FORMAT_DEFLATED: u16 = 8;
/// Encrypted, patched, or with a hidden catalogue.
const FORMAT_FLAGS_REFUSED: u16 = 1 | 1 << 5 | 1 << 6 | 1 << 13;

pub(super) fn read<R: Read + Seek>(mut input: R, mut taker: Taker) -> Result<()> {
    let catalogue =
        zip_catalogue::read(&mut input, &taker.caps).map_err(|error| taker.fault(error))??;
    let mut entries = Vec::new();
    for listed in &catalogue.entries {
        entries.push(taker.admit(entry(listed)?)?);
    }
    let starts = check_places(&mut input, &catalogue, &taker)?;
    for ((listed, entry), start) in catalogue.entries.iter().zip(entries).zip(starts) {
        taker.begin(entry)?;
        content(&mut input, listed, start, &mut taker)?;
    }
    taker.end()
}

fn entry(listed: &Listed) -> Result<Entry, ArchiveError> {
    let refuse = |fault| Err(ArchiveError::entry(&listed.name, fault));
    if listed.flags & FORMAT_FLAGS_REFUSED != 0 {
        return refuse(EntryFault::Encrypted);
    }
    if !matches!(listed.method, FORMAT_STORED | FORMAT_DEFLATED) {
        return refuse(EntryFault::Method);
    }
    let is_contradictory = (listed.is_folder && listed.size_bytes != 0)
        || (listed.method == FORMAT_STORED && listed.packed_bytes != listed.size_bytes);
    if is_contradictory {
        return refuse(EntryFault::Contradiction);
    }
    Ok(Entry {
        name: listed.name.clone(),
        is_folder: listed.is_folder,
        size_bytes: listed.size_bytes,
        modified: listed.modified,
    })
}

/// Where the content of each entry begins. No two may share a byte: that is how small files unpack to huge ones.
fn check_places<R: Read + Seek>(
    input: &mut R,
    catalogue: &Catalogue,
    taker: &Taker,
) -> Result<Vec<u64>> {
    let mut starts = Vec::new();
    let mut places = Vec::new();
    for listed in &catalogue.entries {
        let refuse = |fault| ArchiveError::entry(&listed.name, fault);
        let header_end = listed.start.checked_add(FORMAT_LOCAL_BYTES);
        if header_end.is_none_or(|end| end > catalogue.start) {
            return Err(refuse(EntryFault::Overlap).into());
        }
        let header =
            read_at(input, listed.start, FORMAT_LOCAL_BYTES).map_err(|error| taker.fault(error))?;
        let (name_bytes, extra_bytes) =
            local(&header, listed).ok_or_else(|| refuse(EntryFault::Contradiction))?;
        let name_start = listed.start + FORMAT_LOCAL_BYTES;
        let start = name_start + u64::from(name_bytes) + u64::from(extra_bytes);
        let end = start.checked_add(listed.packed_bytes);
        let Some(end) = end.filter(|end| *end <= catalogue.start) else {
            return Err(refuse(EntryFault::Overlap).into());
        };
        let name = read_at(input, name_start, u64::from(name_bytes))
            .map_err(|error| taker.fault(error))?;
        if name != listed.name.as_bytes() {
            return Err(refuse(EntryFault::Contradiction).into());
        }
        starts.push(start);
        places.push((listed.start, end, &listed.name));
    }
    places.sort_unstable();
    let mut last_end = 0;
    for (start, end, name) in places {
        if start < last_end {
            return Err(ArchiveError::entry(name, EntryFault::Overlap).into());
        }
        last_end = end;
    }
    Ok(starts)
}

/// The lengths of name and extra field, if the local header agrees with the catalogue.
fn local(header: &[u8], listed: &Listed) -> Option<(u16, u16)> {
    let mut fields = Fields {
        bytes: header,
        place: 0,
    };
    let is_local = fields.take(4)? == FORMAT_LOCAL;
    let _needed = fields.u16()?;
    let flags = fields.u16()?;
    let method = fields.u16()?;
    fields.take(4)?;
    let checksum = fields.u32()?;
    fields.take(8)?;
    // Bit 3: checksum and sizes follow the content, here they are zero.
    let is_checksum_same = flags & (1 << 3) != 0 || checksum == listed.checksum;
    let agrees = is_local && flags == listed.flags && method == listed.method && is_checksum_same;
    agrees.then_some((fields.u16()?, fields.u16()?))
}

fn content<R: Read + Seek>(
    input: &mut R,
    listed: &Listed,
    start: u64,
    taker: &mut Taker,
) -> Result<()> {
    input
        .seek(SeekFrom::Start(start))
        .map_err(|error| taker.fault(error))?;
    let packed = BufReader::with_capacity(PIECE_BYTES, input.take(listed.packed_bytes));
    let mut sum = Crc::new();
    let mut see = |piece: &[u8]| sum.update(piece);
    // One byte more than is told, so that a longer content shows.
    let most = listed.size_bytes.saturating_add(1);
    let (size, is_used_up) = if listed.method == FORMAT_STORED {
        let mut reader = packed.take(most);
        (taker.take(&mut reader, &mut see)?, true)
    } else {
        let mut decoder = DeflateDecoder::new(packed);
        let size = taker.take(&mut (&mut decoder).take(most), &mut see)?;
        (
            size,
            decoder.total_in() == listed.packed_bytes || listed.size_bytes == 0,
        )
    };
    let refuse = |fault| Err(ArchiveError::entry(&listed.name, fault).into());
    if size != listed.size_bytes || !is_used_up {
        return refuse(EntryFault::Size);
    }
    if sum.sum() != listed.checksum {
        return refuse(EntryFault::Checksum);
    }
    Ok(())
}
