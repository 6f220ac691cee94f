//! A guess at the media type from the first bytes. A hint for people and filters, never a reason to interpret content.

use crate::limit::SNIFF_BYTES;

/// The media type the beginning of the content looks like, if any.
pub fn media_type(content: &[u8]) -> Option<&'static str> {
    let head = content.get(..SNIFF_BYTES).unwrap_or(content);
    if let Some(kind) = infer::get(head) {
        return Some(kind.mime_type());
    }
    is_text(head, content.len() > head.len()).then_some("text/plain")
}

/// UTF-8 without control characters other than white space; a character may be cut at the end of the sample.
fn is_text(head: &[u8], is_cut: bool) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if is_cut && error.error_len().is_none() => {
            let valid = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty()
        && !text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_beginnings_and_text_are_told_apart() {
        assert_eq!(media_type(b"%PDF-1.7\n"), Some("application/pdf"));
        assert_eq!(media_type("a;b\r\nä;ö\n".as_bytes()), Some("text/plain"));
        assert_eq!(media_type(b"\x00\x01\x02"), None);
        assert_eq!(media_type(b"ab\x1bcd"), None);
        assert_eq!(media_type(b""), None);
    }

    #[test]
    fn a_character_cut_by_the_sample_is_still_text() {
        let mut content = vec![b'a'; SNIFF_BYTES - 1];
        content.extend_from_slice("äöü".as_bytes());
        assert_eq!(media_type(&content), Some("text/plain"));
        content.truncate(SNIFF_BYTES);
        assert_eq!(
            media_type(&content),
            None,
            "cut by its own end, it is not UTF-8"
        );
    }
}
