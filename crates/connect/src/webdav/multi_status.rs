//! Reading what PROPFIND answers (RFC 4918 §13), from servers of every kind.
//!
//! Only what we asked for is read; other namespaces and elements are passed over. A document type is refused and entities
//! are never expanded. A document that was cut short gives the responses that are whole in it.

use bailee_model::Timestamp;
use percent_encoding::percent_decode_str;
use quick_xml::NsReader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};

use crate::fault::{Fault, Result};
use crate::http::timestamp;
use crate::limit;

const DAV: Namespace<'_> = Namespace("DAV:");

/// What is asked for.
pub(super) const PROPFIND: &str = concat!(
    r#"<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>"#,
    "<resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>"
);

/// One thing, as a server describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it is: the segments of its URL's path, decoded. `None` if they are no text or too long.
    pub(super) names: Option<Vec<String>>,
    /// The server says that it is there.
    pub(super) is_there: bool,
    pub(super) is_folder: bool,
    pub(super) size_bytes: Option<u64>,
    pub(super) modified: Option<Timestamp>,
    /// The strong entity tag, else the text of the time of change.
    pub(super) version: Option<String>,
}

/// The elements that mean something, by their place in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    MultiStatus,
    Response,
    Href,
    Propstat,
    Prop,
    Status,
    ResourceType,
    Collection,
    Length,
    Modified,
    Tag,
    Other,
}

impl Element {
    fn of(resolved: &ResolveResult<'_>, name: &str, above: Option<Self>) -> Self {
        if *resolved != ResolveResult::Bound(DAV) {
            return Self::Other;
        }
        match (above, name) {
            (None, "multistatus") => Self::MultiStatus,
            (Some(Self::MultiStatus), "response") => Self::Response,
            (Some(Self::Response), "href") => Self::Href,
            (Some(Self::Response), "propstat") => Self::Propstat,
            (Some(Self::Response | Self::Propstat), "status") => Self::Status,
            (Some(Self::Propstat), "prop") => Self::Prop,
            (Some(Self::Prop), "resourcetype") => Self::ResourceType,
            (Some(Self::ResourceType), "collection") => Self::Collection,
            (Some(Self::Prop), "getcontentlength") => Self::Length,
            (Some(Self::Prop), "getlastmodified") => Self::Modified,
            (Some(Self::Prop), "getetag") => Self::Tag,
            _ => Self::Other,
        }
    }

    fn has_text(self) -> bool {
        matches!(
            self,
            Self::Href | Self::Status | Self::Length | Self::Modified | Self::Tag
        )
    }
}

/// Properties with their status, of which only those that were found count.
#[derive(Debug, Default)]
struct Properties {
    status: String,
    is_folder: bool,
    length: String,
    modified: String,
    tag: String,
}

/// A response as far as it was read.
#[derive(Debug, Default)]
struct Response {
    href: String,
    status: String,
    properties: Properties,
    found: Found,
}

impl Response {
    fn text(&mut self, element: Element, above: Option<Element>) -> Option<&mut String> {
        let properties = &mut self.properties;
        Some(match element {
            Element::Href => &mut self.href,
            Element::Status if above == Some(Element::Propstat) => &mut properties.status,
            Element::Status => &mut self.status,
            Element::Length => &mut properties.length,
            Element::Modified => &mut properties.modified,
            Element::Tag => &mut properties.tag,
            _ => return None,
        })
    }

    fn end_properties(&mut self) {
        let properties = std::mem::take(&mut self.properties);
        if !is_success(&properties.status) {
            return;
        }
        let (date, tag) = (properties.modified.trim(), properties.tag.trim());
        let found = &mut self.found;
        found.is_there = true;
        found.is_folder |= properties.is_folder;
        found.size_bytes = properties.length.trim().parse().ok().or(found.size_bytes);
        found.modified = timestamp(date).or(found.modified);
        if let Some(tag) = strong(tag) {
            found.version = Some(tag);
        } else if found.version.is_none() && !date.is_empty() {
            found.version = Some(date.to_owned());
        }
    }

    fn end(mut self) -> Found {
        // A status of the whole stands where there are no properties.
        self.found.is_there |= is_success(&self.status);
        self.found.names = segments(self.href.trim());
        self.found
    }
}

/// A strong entity tag as it stands in an `ETag` header; some servers leave the quotes out here.
fn strong(tag: &str) -> Option<String> {
    let is_quoted = tag.len() > 1 && tag.starts_with('"') && tag.ends_with('"');
    if is_quoted {
        return Some(tag.to_owned());
    }
    let is_bare = !tag.is_empty() && !tag.contains('"') && !tag.starts_with("W/");
    is_bare.then(|| format!("\"{tag}\""))
}

/// Whether a status line such as `HTTP/1.1 200 OK` says so.
fn is_success(status: &str) -> bool {
    let code = status.split_whitespace().nth(1);
    code.is_some_and(|code| code.len() == 3 && code.starts_with('2'))
}

/// The decoded segments of the path of an absolute URL or of a path, without a slash at its end.
pub(super) fn segments(href: &str) -> Option<Vec<String>> {
    if href.len() > limit::HREF_BYTES_MAX {
        return None;
    }
    let path = match href.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            rest.split_once('/').map_or("", |(_, path)| path)
        }
        _ => href.strip_prefix('/')?,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    let decoded = |segment: &str| {
        let text = percent_decode_str(segment).decode_utf8().ok()?;
        Some(text.into_owned())
    };
    path.split('/').map(decoded).collect()
}

/// A document as far as it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document<'a> {
    pub(super) bytes: &'a [u8],
    /// Its end is missing.
    pub(super) is_cut: bool,
}

/// The responses in `document`, at most `responses_max`. True with the result if something was left out.
pub(super) fn parse(document: Document<'_>, responses_max: usize) -> Result<(Vec<Found>, bool)> {
    let Document { bytes, is_cut } = document;
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // Cut inside a character.
        Err(error) if is_cut && error.error_len().is_none() => bytes
            .get(..error.valid_up_to())
            .and_then(|whole| std::str::from_utf8(whole).ok())
            .unwrap_or_default(),
        Err(_) => return Err(broken("it is not UTF-8")),
    };
    let mut parser = Parser {
        is_cut,
        ..Parser::default()
    };
    let mut reader = NsReader::from_str(text);
    loop {
        let event = match reader.read_resolved_event() {
            Ok(event) => event,
            Err(_) if is_cut => return Ok((parser.found, true)),
            Err(error) => return Err(broken("it is not well-formed").because(error)),
        };
        if matches!(event.1, Event::Eof) {
            return parser.finish();
        }
        parser.take(&event.0, event.1)?;
        if parser.found.len() >= responses_max {
            return Ok((parser.found, true));
        }
    }
}

#[derive(Default)]
struct Parser {
    open: Vec<Element>,
    response: Response,
    found: Vec<Found>,
    has_root: bool,
    is_cut: bool,
}

impl Parser {
    fn take(&mut self, resolved: &ResolveResult<'_>, event: Event<'_>) -> Result<()> {
        match event {
            Event::Start(start) => self.start(resolved, start.local_name().as_ref())?,
            Event::Empty(start) => {
                self.start(resolved, start.local_name().as_ref())?;
                self.end();
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                let character = entity.resolve_char_ref().ok().flatten();
                match (character, resolve_xml_entity(&entity)) {
                    (Some(character), _) => self.text(character.encode_utf8(&mut [0; 4])),
                    (None, Some(text)) => self.text(text),
                    (None, None) => return Err(broken("it names an entity")),
                }
            }
            Event::DocType(_) => return Err(broken("it has a document type")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn start(&mut self, resolved: &ResolveResult<'_>, name: &str) -> Result<()> {
        if self.open.len() >= limit::XML_DEPTH_MAX {
            return Err(broken("it is nested too deeply"));
        }
        let element = Element::of(resolved, name, self.open.last().copied());
        match element {
            Element::MultiStatus => self.has_root = true,
            Element::Response => self.response = Response::default(),
            Element::Propstat => self.response.properties = Properties::default(),
            Element::Collection => self.response.properties.is_folder = true,
            _ => {}
        }
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Element::Response) => {
                let response = std::mem::take(&mut self.response);
                self.found.push(response.end());
            }
            Some(Element::Propstat) => self.response.end_properties(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let mut above = self.open.iter().rev();
        let Some(element) = above.next().copied().filter(|element| element.has_text()) else {
            return;
        };
        let above = above.next().copied();
        if let Some(kept) = self.response.text(element, above) {
            kept.push_str(text);
        }
    }

    fn finish(self) -> Result<(Vec<Found>, bool)> {
        match (self.has_root, self.open.is_empty()) {
            (true, true) => Ok((self.found, false)),
            (true, false) if self.is_cut => Ok((self.found, true)),
            (true, false) => Err(broken("it ends early")),
            (false, _) => Err(broken("it is none")),
        }
    }
}

fn broken(why: &str) -> Fault {
    Fault::protocol(format!(
        "the far system sent no readable multi-status: {why}"
    ))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::fault::FaultKind;

    fn whole(bytes: &[u8], responses_max: usize) -> Result<(Vec<Found>, bool)> {
        let is_cut = false;
        parse(Document { bytes, is_cut }, responses_max)
    }

    fn cut(bytes: &[u8]) -> Document<'_> {
        let is_cut = true;
        Document { bytes, is_cut }
    }

    fn one(inner: &str) -> Found {
        let document = format!(
            r#"<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:x="urn:x">{inner}</D:multistatus>"#
        );
        let (found, is_cut) = whole(document.as_bytes(), 10).unwrap();
        assert!(!is_cut && found.len() == 1, "{found:?}");
        found.into_iter().next().unwrap()
    }

    fn refused(document: &str) {
        let fault = whole(document.as_bytes(), 10).unwrap_err();
        assert_eq!(fault.kind(), &FaultKind::Protocol, "{document}");
    }

    #[test]
    fn properties_count_if_they_were_found_and_are_of_the_right_namespace() {
        let found = one(concat!(
            "<D:response><D:href>/dav/a%20&amp;%2F&#228;/</D:href>",
            "<D:propstat><D:prop><D:getcontentlength> 12 </D:getcontentlength><x:getetag>\"no\"</x:getetag>",
            "<D:getetag>\"x&quot;</D:getetag>",
            "<D:getlastmodified>Sat, 21 Nov 2026 09:14:00 GMT</D:getlastmodified>",
            "<D:resourcetype><x:collection/></D:resourcetype></D:prop>",
            "<D:status>HTTP/1.1 200 OK</D:status></D:propstat>",
            "<D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype>",
            "<D:getcontentlength>99</D:getcontentlength></D:prop>",
            "<D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response>"
        ));
        assert_eq!(
            found,
            Found {
                names: Some(vec!["dav".to_owned(), "a &/ä".to_owned()]),
                is_there: true,
                is_folder: false,
                size_bytes: Some(12),
                modified: Timestamp::parse("2026-11-21T09:14:00Z"),
                version: Some("\"x\"".to_owned()),
            }
        );
    }

    #[test]
    fn a_weak_tag_is_no_version_and_a_folder_is_told() {
        let found = one(concat!(
            "<D:response><D:href>https://h.example/a?x</D:href><D:propstat>",
            "<D:prop><D:resourcetype><D:collection/></D:resourcetype><D:getetag>W/\"x\"</D:getetag></D:prop>",
            "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        ));
        assert!(found.is_folder && found.version.is_none());
        assert_eq!(found.names, Some(vec!["a".to_owned()]));
        let gone =
            one("<D:response><D:href>/a</D:href><D:status>HTTP/1.1 404 X</D:status></D:response>");
        assert!(!gone.is_there);
    }

    #[test]
    fn entities_types_depth_and_nonsense_are_refused() {
        refused(concat!(
            r#"<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]>"#,
            r#"<multistatus xmlns="DAV:"><response><href>&b;</href></response></multistatus>"#
        ));
        refused(r#"<multistatus xmlns="DAV:"><response><href>&x;</href></response></multistatus>"#);
        refused(&format!(
            r#"<multistatus xmlns="DAV:">{}"#,
            "<a>".repeat(100_000)
        ));
        refused("<html><body>Sign in</body></html>");
        refused(r#"<multistatus xmlns="urn:other"/>"#);
        refused(r#"<multistatus xmlns="DAV:"><response>"#);
        refused("");
        assert!(whole(b"\xff\xfe", 10).is_err());
    }

    #[test]
    fn what_is_cut_short_gives_what_is_whole() {
        let response = "<response><href>/ä</href><status>HTTP/1.1 200 OK</status></response>";
        let document = format!(
            r#"<multistatus xmlns="DAV:">{}</multistatus>"#,
            response.repeat(3)
        );
        let (found, is_cut) = whole(document.as_bytes(), 2).unwrap();
        assert_eq!((found.len(), is_cut), (2, true));
        for end in r#"<multistatus xmlns="DAV:">"#.len()..document.len() {
            let (found, is_cut) = parse(cut(document.as_bytes().get(..end).unwrap()), 10).unwrap();
            assert!(found.len() <= 3 && is_cut, "{end}");
            assert!(found.iter().all(|found| found.names.is_some()));
        }
    }

    #[test]
    fn addresses_become_segments() {
        let names = |href| segments(href).map(|names| names.join("|"));
        assert_eq!(names("/").unwrap(), "");
        assert_eq!(names("https://h.example").unwrap(), "");
        assert_eq!(names("https://h.example/a/b/").unwrap(), "a|b");
        assert_eq!(names("/a/%2e%2e/b").unwrap(), "a|..|b");
        assert_eq!(names("relative"), None);
        assert_eq!(names("/%ff"), None);
        assert_eq!(
            names(&format!("/{}", "x".repeat(limit::HREF_BYTES_MAX))),
            None
        );
    }
}
