//! The documents of the protocol.

use bailee_model::Timestamp;

use super::sign::decode;
use crate::connector::{EntryKind, RemoteEntry};
use crate::fault::{Fault, Result};
use crate::xml::{garbled, walk};

/// What an error document says. Texts are empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    pub code: String,
    pub message: String,
    /// The region or the endpoint that it points to.
    pub elsewhere: String,
}

/// The error in `document`, if that is what it is.
pub(super) fn refusal(document: &[u8]) -> Option<Refusal> {
    let mut refusal = Refusal::default();
    let walked = walk(document, |place, text| {
        match place {
            ["Error", "Code"] => text.clone_into(&mut refusal.code),
            ["Error", "Message"] => text.clone_into(&mut refusal.message),
            ["Error", "Region" | "Endpoint"] => text.clone_into(&mut refusal.elsewhere),
            _ => {}
        }
        Ok(())
    });
    walked.ok().filter(|()| !refusal.code.is_empty())?;
    Some(refusal)
}

/// The text of the one element `name` right in the outermost one, `outer`.
pub(super) fn only(document: &[u8], outer: &str, name: &str) -> Result<Option<String>> {
    let mut found = None;
    walk(document, |place, text| {
        if place == [outer, name] {
            found = Some(text.to_owned());
        }
        Ok(())
    })?;
    Ok(found)
}

/// A page of a listing.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Key and what lies there; the entries have no names yet. Keys that cannot be read are `None`.
    pub objects: Vec<(Option<String>, RemoteEntry)>,
    /// What several keys have in common, up to the slash.
    pub prefixes: Vec<Option<String>>,
    /// What the next page is asked for with.
    pub next: Option<String>,
}

pub(super) fn page(document: &[u8]) -> Result<Page> {
    let (mut page, mut is_encoded, mut is_cut) = (Page::default(), false, false);
    let (mut key, mut prefix, mut entry) = (None, None, blank());
    let mut is_list = false;
    walk(document, |place, text| {
        match place {
            ["ListBucketResult", "EncodingType"] => is_encoded = text == "url",
            ["ListBucketResult", "IsTruncated"] => is_cut = text == "true",
            ["ListBucketResult", "NextContinuationToken"] => page.next = Some(text.to_owned()),
            [_, "Contents", "Key"] => key = Some(text.to_owned()),
            [_, "Contents", "Size"] => entry.size_bytes = text.trim().parse().ok(),
            [_, "Contents", "LastModified"] => entry.modified = Timestamp::parse(text.trim()),
            [_, "Contents", "ETag"] => entry.version = Some(quoted(text)),
            [_, "Contents"] => page
                .objects
                .push((key.take(), std::mem::replace(&mut entry, blank()))),
            [_, "CommonPrefixes", "Prefix"] => prefix = Some(text.to_owned()),
            [_, "CommonPrefixes"] => page.prefixes.push(prefix.take()),
            ["ListBucketResult"] => is_list = true,
            _ => {}
        }
        Ok(())
    })?;
    if !is_list {
        return Err(Fault::protocol("the far system's answer is no listing"));
    }
    if is_encoded {
        let keys = page.objects.iter_mut().map(|(key, _)| key);
        for text in keys.chain(&mut page.prefixes) {
            *text = text.take().and_then(|text| decode(&text));
        }
    }
    page.next = page.next.filter(|_| is_cut);
    Ok(page)
}

fn blank() -> RemoteEntry {
    RemoteEntry {
        name: String::new(),
        kind: EntryKind::File,
        size_bytes: None,
        modified: None,
        version: None,
    }
}

/// An entity tag with its quotes, which some stores leave out.
pub(super) fn quoted(tag: &str) -> String {
    format!("\"{}\"", tag.trim().trim_matches('"'))
}

/// One part that the far side holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HeldPart {
    pub number: u64,
    pub tag: String,
    pub size_bytes: u64,
}

/// The parts on a page, and the number to go on behind.
pub(super) fn parts(document: &[u8]) -> Result<(Vec<HeldPart>, Option<u64>)> {
    let (mut parts, mut part) = (Vec::new(), HeldPart::default());
    let (mut next, mut is_cut) = (None, false);
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| garbled());
    walk(document, |place, text| {
        match place {
            ["ListPartsResult", "IsTruncated"] => is_cut = text == "true",
            ["ListPartsResult", "NextPartNumberMarker"] => next = number(text).ok(),
            [_, "Part", "PartNumber"] => part.number = number(text)?,
            [_, "Part", "Size"] => part.size_bytes = number(text)?,
            [_, "Part", "ETag"] => text.clone_into(&mut part.tag),
            [_, "Part"] => parts.push(std::mem::take(&mut part)),
            _ => {}
        }
        Ok(())
    })?;
    Ok((parts, next.filter(|_| is_cut)))
}

/// What puts an object together from the parts with these tags, numbered from 1.
pub(super) fn complete(tags: &[String]) -> String {
    use std::fmt::Write;
    let mut text = String::from("<CompleteMultipartUpload>");
    for (tag, number) in tags.iter().zip(1_u64..) {
        let tag = quick_xml::escape::escape(tag.as_str());
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
        );
    }
    text.push_str("</CompleteMultipartUpload>");
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn a_listing_is_read() {
        let document = br#"<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><EncodingType>url</EncodingType>
<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b&#x3d;</NextContinuationToken>
<Contents><Key>%C3%A4+b%2B</Key><LastModified>2026-11-21T09:14:00.000Z</LastModified><ETag>&quot;abc&quot;</ETag>
<Size>5</Size></Contents><Contents><Key>%zz</Key></Contents>
<CommonPrefixes><Prefix>box/</Prefix></CommonPrefixes></ListBucketResult>"#;
        let page = page(document).unwrap();
        let (key, entry) = page.objects.first().unwrap();
        assert_eq!(key.as_deref(), Some("ä b+"));
        assert_eq!(
            (entry.size_bytes, entry.version.as_deref()),
            (Some(5), Some("\"abc\""))
        );
        assert_eq!(page.objects.last().unwrap().0, None);
        assert_eq!(page.prefixes, [Some("box/".to_owned())]);
        assert_eq!(page.next.as_deref(), Some("a&b="));
    }

    #[test]
    fn documents_that_would_expand_or_never_end_are_refused() {
        let deep = "<a>".repeat(100);
        for bad in [
            "<!DOCTYPE a [<!ENTITY x \"y\">]><ListBucketResult>&x;</ListBucketResult>",
            "<ListBucketResult>&unknown;</ListBucketResult>",
            "<ListBucketResult>",
            deep.as_str(),
            "<html></html>",
            "",
        ] {
            assert!(page(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_is_told_from_another_document() {
        let document = b"<Error><Code>SlowDown</Code><Message>Reduce &lt;it&gt;</Message></Error>";
        let found = refusal(document).unwrap();
        assert_eq!(
            (found.code.as_str(), found.message.as_str()),
            ("SlowDown", "Reduce <it>")
        );
        assert_eq!(
            refusal(b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>"),
            None
        );
        assert_eq!(refusal(b"not xml"), None);
    }

    #[test]
    fn tags_are_escaped() {
        let text = complete(&["\"a\"".to_owned(), "<".to_owned()]);
        assert_eq!(
            text,
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag></Part>\
             <Part><PartNumber>2</PartNumber><ETag>&lt;</ETag></Part></CompleteMultipartUpload>"
        );
    }
}
