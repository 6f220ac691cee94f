//! The service's documents, read without ever expanding an entity of theirs.

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::connector::{EntryKind, RemoteEntry};
use crate::fault::{Fault, Result};

/// How deep elements may lie in each other.
const DEPTH_MAX: usize = 16;

/// Walks through `document` and tells `leaf` of each text and the names of the elements around it, outermost first, and
/// with `None` for the text when an element ends.
fn walk(
    document: &[u8],
    mut leaf: impl FnMut(&[String], Option<&str>) -> Result<()>,
) -> Result<()> {
    // Some servers of this protocol begin with a byte order mark.
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let document = std::str::from_utf8(document).map_err(|_| garbled())?;
    let mut reader = Reader::from_str(document);
    let mut names: Vec<String> = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event().map_err(|_| garbled())? {
            Event::Start(start) => {
                if names.len() >= DEPTH_MAX {
                    return Err(garbled());
                }
                names.push(start.local_name().as_ref().to_owned());
                text.clear();
            }
            Event::Text(piece) => text.push_str(&piece.xml10_content()),
            Event::CData(piece) => text.push_str(&piece.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref().map_err(|_| garbled())? {
                Some(c) => text.push(c),
                None => text.push_str(predefined(&name)?),
            },
            Event::End(_) => {
                leaf(&names, Some(&text))?;
                leaf(&names, None)?;
                names.pop();
                text.clear();
            }
            Event::Eof if names.is_empty() => return Ok(()),
            Event::DocType(_) | Event::Eof => return Err(garbled()),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn predefined(name: &str) -> Result<&'static str> {
    match name {
        "amp" => Ok("&"),
        "lt" => Ok("<"),
        "gt" => Ok(">"),
        "quot" => Ok("\""),
        "apos" => Ok("'"),
        _ => Err(garbled()),
    }
}

fn garbled() -> Fault {
    Fault::protocol("the far system's document cannot be read")
}

/// What is on a page of a listing.
pub(super) enum Listed {
    Blob(String, RemoteEntry),
    Folder(String),
}

/// Tells `take` of everything on a page, and returns the mark of the next one.
pub(super) fn listing(document: &[u8], mut take: impl FnMut(Listed)) -> Result<Option<String>> {
    let mut next = None;
    let mut name = String::new();
    let mut entry = blank();
    walk(document, |names, text| {
        let mut place: [&str; 5] = [""; 5];
        for (slot, name) in place.iter_mut().zip(names) {
            *slot = name;
        }
        match (place, text) {
            (["EnumerationResults", "NextMarker", "", ..], Some(text)) => {
                next = Some(text.to_owned());
            }
            ([_, "Blobs", "Blob" | "BlobPrefix", "Name", ""], Some(text)) => {
                text.clone_into(&mut name);
            }
            ([_, "Blobs", "Blob", "Properties", property], Some(text)) => {
                set(&mut entry, property, text);
            }
            ([_, "Blobs", "Blob", "", ""], None) => {
                let name = std::mem::take(&mut name);
                let entry = std::mem::replace(&mut entry, blank());
                take(match entry.kind {
                    EntryKind::Folder => Listed::Folder(format!("{name}/")),
                    _ => Listed::Blob(name, entry),
                });
            }
            ([_, "Blobs", "BlobPrefix", "", ""], None) => {
                entry = blank();
                take(Listed::Folder(std::mem::take(&mut name)));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(next)
}

fn blank() -> RemoteEntry {
    RemoteEntry {
        kind: EntryKind::File,
        ..crate::objects::folder("")
    }
}

fn set(entry: &mut RemoteEntry, property: &str, text: &str) {
    match property {
        "Content-Length" => entry.size_bytes = text.parse().ok(),
        "Last-Modified" => entry.modified = crate::http::timestamp(text),
        "Etag" => entry.version = Some(super::quoted(text)),
        "ResourceType" if text == "directory" => entry.kind = EntryKind::Folder,
        _ => {}
    }
}

/// Tells `take` of the name and size of each block that waits.
pub(super) fn waiting_blocks(document: &[u8], mut take: impl FnMut(&str, u64)) -> Result<()> {
    let mut name = String::new();
    walk(document, |names, text| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match (names.as_slice(), text) {
            (["BlockList", "UncommittedBlocks", "Block", "Name"], Some(text)) => {
                text.clone_into(&mut name);
            }
            (["BlockList", "UncommittedBlocks", "Block", "Size"], Some(text)) => {
                take(&name, text.parse().map_err(|_| garbled())?);
            }
            _ => {}
        }
        Ok(())
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read() {
        let page = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"http://h/\"><Prefix>a/</Prefix>\
            <Blobs><Blob><Name>a/x &amp; &#228;</Name><Properties><Last-Modified>Thu, 01 Jan 1970 00:00:01 GMT</Last-Modified>\
            <Etag>0x8D</Etag><Content-Length>12</Content-Length><Content-MD5 /></Properties></Blob>\
            <Blob><Name>a/dir</Name><Properties><ResourceType>directory</ResourceType></Properties></Blob>\
            <BlobPrefix><Name>a/b/</Name></BlobPrefix></Blobs><NextMarker>more</NextMarker></EnumerationResults>";
        let (mut blobs, mut folders) = (Vec::new(), Vec::new());
        let next = listing(page.as_bytes(), |listed| match listed {
            Listed::Blob(name, entry) => blobs.push((name, entry)),
            Listed::Folder(name) => folders.push(name),
        });
        assert_eq!(next.unwrap().as_deref(), Some("more"));
        assert_eq!(folders, ["a/dir/", "a/b/"]);
        let (name, entry) = blobs.pop().unwrap();
        assert!(blobs.is_empty());
        assert_eq!(name, "a/x & ä");
        assert_eq!(entry.size_bytes, Some(12));
        assert_eq!(entry.version.as_deref(), Some("\"0x8D\""));
        assert_eq!(entry.modified.unwrap().ms(), 1000);
    }

    #[test]
    fn entities_and_broken_documents_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"xxxx\">]><EnumerationResults><NextMarker>&x;</NextMarker></EnumerationResults>";
        let unknown = "<EnumerationResults><NextMarker>&x;</NextMarker></EnumerationResults>";
        let deep = "<a>".repeat(1000);
        for text in [bomb, unknown, &deep, "<a></b>", "<a>", "<a"] {
            assert!(listing(text.as_bytes(), |_| {}).is_err(), "{text:.40}");
        }
    }
}
