//! What folders hold: `MLSD` where the server has it, otherwise `LIST` in the style of `ls -l`.

use bailee_model::Timestamp;

use super::control::Control;
use super::data::Data;
use super::facts;
use crate::connector::{EntryKind, Listing, RemoteEntry};
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;
use crate::page::Page;
use crate::path::RemotePath;

/// One line of a listing.
pub(super) enum Line {
    Entry(RemoteEntry),
    /// The folder itself, the one above, a sum.
    Aside,
    /// Not in the form that was asked for.
    Unreadable,
}

/// Up to `limit` entries of the folder `far`.
pub(super) async fn list(control: &mut Control, far: &str, limit: usize) -> Result<Listing> {
    let limit = limit.min(limit::LIST_ENTRIES_MAX);
    gather(control, far, Wanted::First(limit)).await
}

/// Up to `limit` entries of the folder `far` behind `after`.
pub(super) async fn list_after(
    control: &mut Control,
    far: &str,
    (after, limit): (&str, usize),
) -> Result<Listing> {
    gather(control, far, Wanted::Behind(after, limit)).await
}

/// Which entries of a folder are wanted.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// So many, whichever come.
    First(usize),
    /// So many behind a name, the first of them by name.
    Behind(&'a str, usize),
}

async fn gather(control: &mut Control, far: &str, wanted: Wanted<'_>) -> Result<Listing> {
    if control.offers().has_mlst {
        let data = control.transfer(&format!("MLSD {far}"), 0).await?;
        return Ok(collect(control, data, wanted, facts::listed).await?.listing);
    }
    // As argument a name could be taken for an option or a pattern, and some answer a missing folder with an empty list.
    control
        .command(&format!("CWD {far}"))
        .await?
        .done("to open the folder")?;
    match control.transfer("LIST -a", 0).await {
        Ok(data) => {
            let found = collect(control, data, wanted, unix).await?;
            if found.lines > 0 {
                return Ok(found.listing);
            }
        }
        Err(fault) if !control.is_ready() => return Err(fault),
        Err(_) => {}
    }
    // Not even the folder itself was shown: the option was taken for a name.
    let data = control.transfer("LIST", 0).await?;
    Ok(collect(control, data, wanted, unix).await?.listing)
}

struct Found {
    listing: Listing,
    lines: usize,
}

async fn collect(
    control: &mut Control,
    mut data: Data,
    wanted: Wanted<'_>,
    parse: fn(&str) -> Line,
) -> Result<Found> {
    let (mut page, limit) = match wanted {
        Wanted::First(limit) => (None, limit),
        Wanted::Behind(after, limit) => (Some(Page::behind(after, limit)), limit),
    };
    let mut found = Found {
        listing: Listing::default(),
        lines: 0,
    };
    let (mut rest, mut read_bytes, mut unreadable) = (Vec::new(), 0, 0);
    while !found.listing.is_cut {
        let bytes = data.read().await?;
        if bytes.is_empty() {
            break;
        }
        read_bytes += bytes.len();
        rest.extend_from_slice(&bytes);
        let is_long =
            read_bytes > limit::DOCUMENT_BYTES_MAX || found.lines > limit::LIST_ENTRIES_MAX * 2;
        if is_long && page.is_none() {
            found.listing.is_cut = true;
        }
        let mut taken_bytes = 0;
        for line in rest.split_inclusive(|byte| *byte == b'\n') {
            if line.ends_with(b"\n") {
                taken_bytes += line.len();
                found.lines += 1;
                let sorted = match &mut page {
                    Some(page) => sort_into(page, line, parse)?,
                    None => sort_in(&mut found.listing, line, limit, parse),
                };
                unreadable += usize::from(!sorted);
            }
        }
        rest.drain(..taken_bytes);
        if rest.len() > limit::FTPS_LINE_BYTES_MAX {
            return Err(Fault::protocol("a line of the listing does not end"));
        }
    }
    let mut is_cut = found.listing.is_cut;
    if let Some(page) = page {
        let nothing_known = found.lines == unreadable;
        found.listing = page.done();
        if unreadable > 0 && nothing_known {
            return Err(strange());
        }
        is_cut = false; // it was read to its end
    } else if unreadable > 0 && found.listing.entries.is_empty() {
        return Err(strange());
    }
    found.listing.unnameable_count += unreadable;
    found.listing.entries.sort_by(|a, b| a.name.cmp(&b.name));
    if is_cut {
        return Ok(found); // what follows is not wanted, and its connection is dropped with it
    }
    // Who cuts a listing on its way could hide files, and there is no size to compare.
    if !rest.is_empty() || !data.is_whole() {
        let message = "the listing broke off";
        return Err(Fault::new(FaultKind::ConnectionLost, message));
    }
    control.ended(data).await?;
    Ok(found)
}

fn strange() -> Fault {
    let message = "the FTP server lists folders in a form that is not known";
    Fault::new(FaultKind::Unsupported, message)
}

/// The same into a page.
fn sort_into(page: &mut Page, line: &[u8], parse: fn(&str) -> Line) -> Result<bool> {
    let mut one = Listing::default();
    let is_read = sort_in(&mut one, line, 1, parse);
    for _ in 0..one.unnameable_count {
        page.nameless();
    }
    for entry in one.entries {
        page.take(entry)?;
    }
    Ok(is_read)
}

/// Whether the line could be read.
fn sort_in(listing: &mut Listing, line: &[u8], limit: usize, parse: fn(&str) -> Line) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let Ok(text) = std::str::from_utf8(line) else {
        listing.unnameable_count += 1;
        return true;
    };
    match parse(text) {
        Line::Aside => {}
        Line::Unreadable => return false,
        Line::Entry(entry) if RemotePath::default().child(&entry.name).is_err() => {
            listing.unnameable_count += 1;
        }
        Line::Entry(_) if listing.entries.len() >= limit => listing.is_cut = true,
        Line::Entry(entry) => listing.entries.push(entry),
    }
    true
}

/// A line of `ls -l`: mode, links, owner, perhaps group, size, date, and the name behind one space. The times it shows
/// have no zone and often no year, so they are not taken.
fn unix(line: &str) -> Line {
    if line.is_empty() || line.strip_prefix("total ").is_some_and(is_number) {
        return Line::Aside;
    }
    let kind = match line.bytes().next() {
        Some(b'-') => EntryKind::File,
        Some(b'd') => EntryKind::Folder,
        Some(b'l') => EntryKind::Link,
        Some(b'b' | b'c' | b'p' | b's' | b'D') => EntryKind::Other,
        _ => return Line::Unreadable,
    };
    let is_mode = |mode: &str| mode.bytes().all(|byte| b"rwxsStTlL-".contains(&byte));
    if !line.get(1..10).is_some_and(is_mode) {
        return Line::Unreadable;
    }
    let Some((size_bytes, name)) = size_and_name(line) else {
        return Line::Unreadable;
    };
    let name = match kind {
        EntryKind::Link => name.split_once(" -> ").map_or(name, |(name, _)| name),
        _ => name,
    };
    if matches!(name, "." | "..") {
        return Line::Aside;
    }
    Line::Entry(RemoteEntry {
        name: name.to_owned(),
        kind,
        size_bytes: Some(size_bytes).filter(|_| kind == EntryKind::File),
        modified: None,
        version: None,
    })
}

/// Owners may hold spaces, so the date is what is looked for: month, day, and year or time, behind the size.
fn size_and_name(line: &str) -> Option<(u64, &str)> {
    let words: Vec<(usize, &str)> = words(line).collect();
    let at = words.windows(4).position(|four| {
        matches!(four, [(_, size), (_, month), (_, day), (_, year)]
            if is_number(size) && is_month(month) && is_number(day) && day.len() <= 2 && is_year_or_time(year))
    })?;
    let (_, size) = words.get(at)?;
    let (begin, year) = words.get(at + 3)?;
    let name = line.get(begin + year.len()..)?.strip_prefix(' ')?;
    Some((size.parse().ok()?, name)).filter(|(_, name)| !name.is_empty())
}

/// The first words of a line, each with where it begins.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    const WORDS_LOOKED_AT: usize = 16;
    let mut at = 0;
    line.split(' ')
        .map(move |word| {
            let begin = at;
            at += word.len() + 1;
            (begin, word)
        })
        .filter(|(_, word)| !word.is_empty())
        .take(WORDS_LOOKED_AT)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_month(word: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    MONTHS.iter().any(|month| word.eq_ignore_ascii_case(month))
}

fn is_year_or_time(word: &str) -> bool {
    match word.split_once(':') {
        Some((hour, minute)) => is_number(hour) && is_number(minute),
        None => is_number(word) && word.len() == 4,
    }
}

/// A time as `MLST` and `MDTM` write it: `YYYYMMDDhhmmss`, perhaps with a fraction, in UTC.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if whole.len() != 14 || !is_number(whole) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let part = |from: usize, to: usize| whole.get(from..to);
    let (date, clock) = (
        format!("{}-{}-{}", part(0, 4)?, part(4, 6)?, part(6, 8)?),
        format!("{}:{}:{}", part(8, 10)?, part(10, 12)?, part(12, 14)?),
    );
    Timestamp::parse(&format!("{date}T{clock}.{fraction}Z"))
}

/// A time as `MFMT` takes it, in UTC.
pub(super) fn written(time: Timestamp) -> String {
    let text = time.to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    seconds.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(String, EntryKind, Option<u64>)> {
        match unix(line) {
            Line::Entry(entry) => Some((entry.name, entry.kind, entry.size_bytes)),
            Line::Aside | Line::Unreadable => None,
        }
    }

    #[test]
    fn lines_of_ls_are_read() {
        use EntryKind::{File, Folder, Link, Other};
        for (line, name, kind, size) in [
            (
                "-rw-r--r--    1 1000     1000         1234 Nov 22 05:12 a.csv",
                "a.csv",
                File,
                Some(1234),
            ),
            (
                "-rw-r--r--   1 ann group 5 Jan  3  2024  two  spaces ",
                " two  spaces ",
                File,
                Some(5),
            ),
            (
                "-rw-r--r--+  1 NT USER  DOMAIN\\x Y 99999999999 feb 9 2024 Mar 3 2020 x",
                "Mar 3 2020 x",
                File,
                Some(99_999_999_999),
            ),
            (
                "drwxr-xr-x 2 0 0 4096 Dec 31 23:59 sub",
                "sub",
                Folder,
                None,
            ),
            (
                "lrwxrwxrwx 1 0 0 3 Dec 31 23:59 l -> a -> b",
                "l",
                Link,
                None,
            ),
            (
                "crw-rw-rw- 1 root root 1, 3 May 1 2024 null",
                "null",
                Other,
                None,
            ),
            (
                "-rwsr-xr-t 1 owner 7 Dec 1 2024 no-group",
                "no-group",
                File,
                Some(7),
            ),
        ] {
            assert_eq!(read(line), Some((name.to_owned(), kind, size)), "{line}");
        }
    }

    #[test]
    fn other_lines_are_not_taken() {
        for line in [
            "total 12",
            "",
            "drwxr-xr-x 2 0 0 4096 Dec 31 23:59 .",
            "drwxr-xr-x 2 0 0 4096 Dec 31 23:59 ..",
        ] {
            assert!(matches!(unix(line), Line::Aside), "{line}");
        }
        for line in [
            "11-22-26  05:12AM       1234 a.csv",
            "-rw-r--r-- 1 0 0 5 Dec 31 23:59",
            "-rw-r--r-- 1 0 0 5 Dec 31 23:59 ",
            "-rw-r--r-- 1 ann staff Dec 31 23:59 x",
            "-rw-r--r-- 1 0 0 -5 Dec 31 23:59 x",
            "-rw-r--r-- 1 0 0 99999999999999999999999 Dec 31 23:59 x",
            "-ä",
            "-",
            "x",
            "total lies",
        ] {
            assert!(matches!(unix(line), Line::Unreadable), "{line}");
        }
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(
            time("20261122051226").unwrap().to_string(),
            "2026-11-22T05:12:26.000Z"
        );
        assert_eq!(time("19700101000000.25").unwrap().ms(), 250);
        assert_eq!(written(time("20261122051226.5").unwrap()), "20261122051226");
        for text in [
            "",
            "2026",
            "20261322051226",
            "2026112205122x",
            "20261122051226.",
            "20261122051226.1234567890",
            "+2026112205122",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
