//! The documents of object stores, read without ever expanding an entity of theirs.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

use crate::fault::{Fault, Result};

/// How deep elements may lie in each other.
const DEPTH_MAX: usize = 16;

/// Walks through `document` and tells `element` of each at its end: the names from the outermost to it, without their
/// namespaces, and the text in it since the last element.
pub(crate) fn walk(
    document: &[u8],
    mut element: impl FnMut(&[&str], &str) -> Result<()>,
) -> Result<()> {
    let document = std::str::from_utf8(document).map_err(|_| garbled())?;
    let mut reader = Reader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
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
                None => text.push_str(resolve_xml_entity(&name).ok_or_else(garbled)?),
            },
            Event::End(_) => {
                let place: Vec<_> = names.iter().map(String::as_str).collect();
                element(&place, &text)?;
                names.pop();
                text.clear();
            }
            Event::Eof if names.is_empty() => return Ok(()),
            Event::DocType(_) | Event::Eof => return Err(garbled()),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

/// What cannot be read.
pub(crate) fn garbled() -> Fault {
    Fault::protocol("the far system's document cannot be read")
}
