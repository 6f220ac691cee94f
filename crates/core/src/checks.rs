//! Checks that several nouns share.

use std::collections::BTreeMap;

use bailee_model::{Error, ErrorKind, Result, limit};

/// A text for people: not empty, not longer than [`limit::TEXT_BYTES_MAX`], without control characters.
pub(crate) fn text(pointer: &str, text: &str) -> Result<()> {
    if text.trim().is_empty()
        || text.len() > limit::TEXT_BYTES_MAX
        || text.chars().any(char::is_control)
    {
        let detail = format!(
            "Must be 1 to {} bytes without control characters.",
            limit::TEXT_BYTES_MAX
        );
        return Err(Error::field(pointer, "invalid_text", detail));
    }
    Ok(())
}

/// Tags of a file: few, short, printable; returned sorted and each once.
pub(crate) fn tags(mut tags: Vec<String>) -> Result<Vec<String>> {
    let is_bad = |tag: &String| {
        tag.is_empty()
            || tag.len() > limit::METADATA_KEY_BYTES_MAX
            || tag.chars().any(|c| c.is_control() || c == '"')
    };
    if tags.len() > limit::TAGS_MAX || tags.iter().any(is_bad) {
        let detail = format!(
            "At most {} tags of at most {} bytes.",
            limit::TAGS_MAX,
            limit::METADATA_KEY_BYTES_MAX
        );
        return Err(Error::field("#/tags", "invalid_tags", detail));
    }
    tags.sort();
    tags.dedup();
    Ok(tags)
}

/// Custom metadata: few entries with short keys.
pub(crate) fn metadata(metadata: &BTreeMap<String, String>) -> Result<()> {
    let is_bad = |(key, value): (&String, &String)| {
        key.is_empty()
            || key.len() > limit::METADATA_KEY_BYTES_MAX
            || value.len() > limit::METADATA_VALUE_BYTES_MAX
            || key.chars().any(char::is_control)
            || value.contains('\0')
    };
    // Lists show the metadata of each of their files.
    let bytes: usize = metadata
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if metadata.len() > limit::METADATA_ENTRIES_MAX
        || bytes > limit::METADATA_BYTES_MAX
        || metadata.iter().any(is_bad)
    {
        let detail = format!(
            "At most {} entries, keys of at most {} and values of at most {} bytes, {} bytes together.",
            limit::METADATA_ENTRIES_MAX,
            limit::METADATA_KEY_BYTES_MAX,
            limit::METADATA_VALUE_BYTES_MAX,
            limit::METADATA_BYTES_MAX
        );
        return Err(Error::field("#/metadata", "invalid_metadata", detail));
    }
    Ok(())
}

/// A SHA-256 in hex, whatever the case, as lower-case hex.
pub(crate) fn sha256_hex(pointer: &str, text: &str) -> Result<String> {
    let text = text.to_ascii_lowercase();
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text);
    }
    Err(Error::field(
        pointer,
        "invalid_hash",
        "A hash is 64 hexadecimal digits of SHA-256.",
    ))
}

/// A media type as declared: kept short and printable, never interpreted.
pub(crate) fn content_type(text: &str) -> Result<()> {
    let is_fine = text.len() <= limit::METADATA_KEY_BYTES_MAX
        && text.bytes().all(|b| (0x20..0x7f).contains(&b));
    if is_fine && text.contains('/') {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::UnsupportedMediaType,
        "The declared content type is not a media type.",
    ))
}
