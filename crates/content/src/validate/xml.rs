//! XML: well-formed, in UTF-8, without definitions of its own.
//!
//! Entities are never expanded: a document that defines some, or uses others than the five of XML, is refused.

use std::io::BufReader;

use quick_xml::Reader;
use quick_xml::errors::Error as XmlError;
use quick_xml::events::Event;
use tokio::io::AsyncRead;

use super::{Fault, Report};
use crate::Result;
use crate::limit::{PIECE_BYTES, XML_DEPTH_MAX, XML_EVENT_BYTES_MAX};
use crate::worker::{self, Source, read_fault};

const PREDEFINED: [&str; 5] = ["lt", "gt", "amp", "apos", "quot"];

/// Tells the first fault; after it a document cannot be read on.
pub async fn check_xml<R>(input: R) -> Result<Report>
where
    R: AsyncRead + Send + Unpin + 'static,
{
    worker::inspect(input, check).await
}

fn check(source: Source) -> Result<Report> {
    let meter = source.meter();
    meter.limit_silence(XML_EVENT_BYTES_MAX);
    let mut reader = Reader::from_reader(BufReader::with_capacity(PIECE_BYTES, source));
    reader.config_mut().check_comments = true;
    let mut place = Place::default();
    let mut buffer = Vec::new();
    let fault = loop {
        buffer.clear();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(XmlError::Io(error)) => {
                let error = std::io::Error::new(error.kind(), error.to_string());
                if meter.has_failed() {
                    return Err(read_fault(error, &meter, &crate::Error::Read));
                }
                break Some("an element or a text is too long".to_owned());
            }
            Err(error) => break Some(error.to_string()),
        };
        meter.has_output();
        if matches!(event, Event::Eof) {
            break place.end();
        }
        if let Some(fault) = place.take(&event) {
            break Some(fault);
        }
        place.line += event.matches('\n').count() as u64;
    };
    Ok(Report::of(
        fault.map(|message| Fault::at_line(place.line, message)),
    ))
}

/// Where in the document we are.
struct Place {
    line: u64,
    depth: usize,
    has_root: bool,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            line: 1,
            depth: 0,
            has_root: false,
        }
    }
}

impl Place {
    /// What is wrong with the event here.
    fn take(&mut self, event: &Event<'_>) -> Option<String> {
        match event {
            Event::Start(tag) => {
                self.depth += 1;
                if self.depth > XML_DEPTH_MAX {
                    return Some(format!("more than {XML_DEPTH_MAX} elements within others"));
                }
                self.element(self.depth == 1, tag)
            }
            Event::Empty(tag) => self.element(self.depth == 0, tag),
            Event::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                None
            }
            Event::DocType(definition) => {
                let has_own = definition.contains('[');
                has_own.then(|| "the document defines types or entities of its own".into())
            }
            Event::GeneralRef(reference) => {
                let is_known = PREDEFINED.contains(&&**reference)
                    || matches!(reference.resolve_char_ref(), Ok(Some(_)));
                (!is_known || self.depth == 0)
                    .then(|| "an entity is used that XML does not define".into())
            }
            Event::Text(text) if self.depth == 0 => {
                let is_blank = text.bytes().all(|byte| byte.is_ascii_whitespace())
                    || (!self.has_root && text.starts_with('\u{FEFF}'));
                (!is_blank).then(|| "text stands outside of the root element".into())
            }
            Event::CData(_) if self.depth == 0 => {
                Some("text stands outside of the root element".into())
            }
            _ => None,
        }
    }

    fn element(
        &mut self,
        is_root: bool,
        tag: &quick_xml::events::BytesStart<'_>,
    ) -> Option<String> {
        if is_root && std::mem::replace(&mut self.has_root, true) {
            return Some("the document has more than one root element".into());
        }
        let faulty = tag.attributes().find_map(Result::err);
        faulty.map(|error| error.to_string())
    }

    fn end(&self) -> Option<String> {
        if self.depth > 0 {
            Some("an element is never closed".into())
        } else if self.has_root {
            None
        } else {
            Some("the document has no root element".into())
        }
    }
}
