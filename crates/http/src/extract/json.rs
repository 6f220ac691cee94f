use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use bailee_api::OfObject;
use bailee_model::{Error, ErrorKind, limit};
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::body;
use crate::problem::Failure;

/// A JSON body, strictly read: what is not known or not of the right type is named by pointer.
pub(crate) struct Json<T>(pub(crate) T);

/// The same where an empty body stands for the default.
pub(crate) struct JsonOrEmpty<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        check_media_type(request.headers())?;
        Ok(Self(read(&collect(request).await?)?))
    }
}

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for JsonOrEmpty<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let media_type = check_media_type(request.headers());
        let content = collect(request).await?;
        if content.is_empty() {
            return Ok(Self(T::default()));
        }
        media_type?;
        Ok(Self(read(&content)?))
    }
}

pub(super) async fn collect(request: Request) -> Result<Bytes, Error> {
    body::check_declared(request.headers(), limit::JSON_BODY_BYTES_MAX)?;
    body::collect(request.into_body(), limit::JSON_BODY_BYTES_MAX).await
}

/// Refuses a body that does not say it is JSON.
pub(crate) fn check_media_type(headers: &HeaderMap) -> Result<(), Error> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or_default().trim());
    match kind {
        Some(kind)
            if kind.eq_ignore_ascii_case("application/json")
                || kind.eq_ignore_ascii_case("application/merge-patch+json") =>
        {
            Ok(())
        }
        _ => Err(Error::new(
            ErrorKind::UnsupportedMediaType,
            "This route takes `application/json`.",
        )),
    }
}

fn read<T: DeserializeOwned>(content: &[u8]) -> Result<T, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(content);
    let OfObject(value) = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        refused(&pointer, error.inner())
    })?;
    deserializer.end().map_err(|error| refused("#", &error))?;
    Ok(value)
}

/// Reads an object that was put together from a body as strictly as the body.
pub(crate) fn from_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Error> {
    read(value.to_string().as_bytes())
}

fn refused(pointer: &str, error: &serde_json::Error) -> Error {
    if !error.is_data() {
        return Error::new(
            ErrorKind::MalformedRequest,
            format!("The body is not JSON: {error}."),
        );
    }
    let detail = plain(&error.to_string());
    match named(&detail, "unknown field `") {
        Some(name) => {
            // The path ends with the field, unless the object was read through a tag.
            let end = format!("/{}", escaped(name));
            let pointer = format!("{}{end}", pointer.strip_suffix(&end).unwrap_or(pointer));
            let detail = format!("The field `{name}` is not known here.");
            Error::new(ErrorKind::UnknownField, detail.clone())
                .with_field(&pointer, "unknown", detail)
        }
        None => match named(&detail, "missing field `") {
            Some(name) => {
                let pointer = format!("{pointer}/{}", escaped(name));
                Error::field(&pointer, "missing", format!("{detail}."))
            }
            None => Error::field(pointer, "invalid", format!("{detail}.")),
        },
    }
}

/// The name in serde's "unknown field `x`, expected …" or "missing field `x`".
fn named<'a>(message: &'a str, beginning: &str) -> Option<&'a str> {
    message.strip_prefix(beginning)?.split('`').next()
}

/// serde's message without the place in the text, which the pointer tells better.
fn plain(message: &str) -> String {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(text, _)| text)
        .to_owned()
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold("#".to_owned(), |whole, segment| {
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => escaped(key),
            // A variant of an enum is not a level of the JSON text.
            Segment::Enum { .. } | Segment::Unknown => return whole,
        };
        format!("{whole}/{part}")
    })
}

/// A segment of a JSON pointer (RFC 6901).
fn escaped(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use super::*;
    use bailee_api::{CreateRemote, CreateTransfer, OpenUpload};

    fn error<T: DeserializeOwned>(text: &str) -> Error {
        read::<T>(text.as_bytes()).err().unwrap()
    }

    #[test]
    fn an_unknown_field_is_named_by_pointer() {
        let text = r#"{"destination":"a","filename":"b","sise":3}"#;
        let found = error::<OpenUpload>(text);
        assert_eq!(found.kind(), ErrorKind::UnknownField);
        assert_eq!(found.fields()[0].pointer, "#/sise");
        let tagged = r#"{"kind":"local","name":"a","folder":"/b","fodler":"/c"}"#;
        assert_eq!(
            error::<CreateRemote>(tagged).fields()[0].pointer,
            "#/fodler"
        );
    }

    #[test]
    fn a_wrong_type_is_named_by_pointer() {
        let error = error::<OpenUpload>(r#"{"destination":"a","filename":"b","tags":["x",3]}"#);
        assert_eq!(error.kind(), ErrorKind::ValidationFailed);
        assert_eq!(error.fields()[0].pointer, "#/tags/1");
        assert!(!error.detail().contains("line"), "{}", error.detail());
    }

    #[test]
    fn a_missing_field_is_a_failed_validation() {
        let error = error::<CreateTransfer>(r#"{"source":"a"}"#);
        assert_eq!(error.kind(), ErrorKind::ValidationFailed);
        assert!(error.detail().contains("destination"), "{}", error.detail());
        assert_eq!(error.fields()[0].pointer, "#/destination");
    }

    #[test]
    fn an_array_does_not_stand_for_an_object() {
        let error = error::<OpenUpload>(r#"["a","b"]"#);
        assert_eq!(error.kind(), ErrorKind::ValidationFailed);
        assert_eq!(error.fields()[0].pointer, "#");
    }

    #[test]
    fn text_that_is_no_json_is_malformed() {
        for text in ["", "{", "{} x", "{\"a\":}"] {
            let error = error::<CreateRemote>(text);
            let is_fit = matches!(
                error.kind(),
                ErrorKind::MalformedRequest | ErrorKind::ValidationFailed
            );
            assert!(is_fit, "{text}: {error:?}");
        }
        assert_eq!(error::<OpenUpload>("{").kind(), ErrorKind::MalformedRequest);
    }
}
