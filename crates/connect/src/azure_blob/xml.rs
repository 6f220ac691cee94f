//! The service's documents.

use crate::connector::{EntryKind, RemoteEntry};
use crate::fault::Result;
use crate::xml::{garbled, walk};

/// Some servers of this protocol begin with a byte order mark.
fn without_mark(document: &[u8]) -> &[u8] {
    document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document)
}

/// What is on a page of a listing.
pub(super) enum Listed {
    Blob(String, RemoteEntry),
    Folder(String),
}

/// Tells `take` of everything on a page, and returns the mark of the next one.
pub(super) fn listing(document: &[u8], mut take: impl FnMut(Listed)) -> Result<Option<String>> {
    let (mut next, mut is_listing) = (None, false);
    let mut name = String::new();
    let mut entry = blank();
    walk(without_mark(document), |place, text| {
        match place {
            ["EnumerationResults"] => is_listing = true,
            ["EnumerationResults", "NextMarker"] => next = Some(text.to_owned()),
            [_, "Blobs", "Blob" | "BlobPrefix", "Name"] => text.clone_into(&mut name),
            [_, "Blobs", "Blob", "Properties", property] => set(&mut entry, property, text),
            [_, "Blobs", "Blob"] => {
                let name = std::mem::take(&mut name);
                let entry = std::mem::replace(&mut entry, blank());
                take(match entry.kind {
                    EntryKind::Folder => Listed::Folder(format!("{name}/")),
                    _ => Listed::Blob(name, entry),
                });
            }
            [_, "Blobs", "BlobPrefix"] => {
                entry = blank();
                take(Listed::Folder(std::mem::take(&mut name)));
            }
            _ => {}
        }
        Ok(())
    })?;
    // A page of somebody else's, such as a proxy's, is no empty folder.
    is_listing.then_some(next).ok_or_else(garbled)
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
        "Etag" if !text.is_empty() => entry.version = Some(super::quoted(text)),
        "ResourceType" if text == "directory" => entry.kind = EntryKind::Folder,
        _ => {}
    }
}

/// Tells `take` of the name and size of each block that waits.
pub(super) fn waiting_blocks(document: &[u8], mut take: impl FnMut(&str, u64)) -> Result<()> {
    let mut name = String::new();
    walk(without_mark(document), |place, text| {
        match place {
            ["BlockList", "UncommittedBlocks", "Block", "Name"] => text.clone_into(&mut name),
            ["BlockList", "UncommittedBlocks", "Block", "Size"] => {
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
