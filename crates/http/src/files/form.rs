//! The form of `files.upload`: fields in any order, each of a bounded size, the file streamed.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use bailee_core::{ByteStream, Caller, Core, NewFile, Staged};
use bailee_model::{Classification, Error, ErrorKind, FileName, FolderPath, limit};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use http::header;
use multer::{Field, Multipart};

use crate::body;

const OPERATION: &str = "files.upload";
/// The part that is streamed.
const FILE: &str = "file";
/// Media types that clients send when nobody told them one: the name's extension knows better.
const UNSAID: &str = "application/octet-stream";

/// What was read besides the bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fields {
    destination: Option<FolderPath>,
    overwrite: Option<bool>,
    hash: Option<String>,
    tags: Vec<String>,
    metadata: BTreeMap<String, String>,
    classification: Option<Classification>,
}

/// The part `file`, sealed.
struct Sent {
    staged: Staged,
    name: FileName,
    content_type: Option<String>,
}

/// Reads the whole form. The bytes are sealed as they come; whoever may not write is refused before.
pub(super) async fn receive(
    core: &Core,
    caller: &Caller,
    request: Request<Body>,
) -> Result<(NewFile, Staged), Error> {
    core.files().admit(caller, OPERATION, None).await?;
    let (mut form, meter) = open(request)?;
    let mut fields = Fields::default();
    let mut sent = None;
    let mut count = 0;
    while let Some(field) = form.next_field().await.map_err(refused)? {
        meter.reset();
        count += 1;
        if count > limit::FORM_FIELDS_MAX {
            let detail = format!("A form has at most {} fields.", limit::FORM_FIELDS_MAX);
            return Err(Error::new(ErrorKind::MalformedRequest, detail));
        }
        let name = field.name().unwrap_or_default().to_owned();
        if name != FILE {
            let text = text(field).await?;
            fields.take(&name, text)?;
        } else if sent.is_some() {
            return Err(Error::field(
                "#/file",
                "repeated",
                "A form has one part `file`.",
            ));
        } else {
            if let Some(folder) = &fields.destination {
                core.files().admit(caller, OPERATION, Some(folder)).await?;
            }
            sent = Some(stage(core, caller, field, &meter).await?);
        }
    }
    let sent =
        sent.ok_or_else(|| Error::field("#/file", "missing", "The form has no part `file`."))?;
    fields.into_file(sent)
}

async fn stage(
    core: &Core,
    caller: &Caller,
    field: Field<'static>,
    meter: &Meter,
) -> Result<Sent, Error> {
    let name = file_name(&field)?.parse::<FileName>()?;
    let content_type = field
        .content_type()
        .map(ToString::to_string)
        .filter(|kind| kind != UNSAID);
    let meter = meter.clone();
    let bytes: ByteStream = field
        .inspect_ok(move |_| meter.reset())
        .map_err(refused)
        .boxed();
    let staged = core.files().stage(caller, OPERATION, bytes).await?;
    Ok(Sent {
        staged,
        name,
        content_type,
    })
}

async fn text(field: Field<'static>) -> Result<String, Error> {
    let bytes = field.bytes().await.map_err(refused)?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| Error::new(ErrorKind::MalformedRequest, "A field is not UTF-8 text."))
}

impl Fields {
    fn take(&mut self, name: &str, text: String) -> Result<(), Error> {
        match name {
            "destination" => self.destination = Some(text.parse::<FolderPath>()?),
            "overwrite" => self.overwrite = Some(truth(&text)?),
            "hash" => self.hash = Some(text),
            "tags" => self.tags.extend(
                text.split(',')
                    .map(str::trim)
                    .filter(|tag| !tag.is_empty())
                    .map(ToOwned::to_owned),
            ),
            "metadata" => {
                self.metadata = serde_json::from_str(&text).map_err(|_| {
                    let detail = "`metadata` is a JSON object whose values are texts.";
                    Error::field("#/metadata", "invalid", detail)
                })?;
            }
            "classification" => {
                let word = serde_json::Value::String(text);
                self.classification = Some(serde_json::from_value(word).map_err(|_| {
                    let detail =
                        "`classification` is `public`, `internal`, `confidential` or `restricted`.";
                    Error::field("#/classification", "invalid", detail)
                })?);
            }
            other => {
                let shown: String = other.chars().take(crate::limit::ECHO_CHARS_MAX).collect();
                let detail = format!("The field `{shown}` is not known here.");
                return Err(
                    Error::new(ErrorKind::UnknownField, detail.clone()).with_field(
                        &format!("#/{shown}"),
                        "unknown",
                        detail,
                    ),
                );
            }
        }
        Ok(())
    }

    fn into_file(self, sent: Sent) -> Result<(NewFile, Staged), Error> {
        let folder = self.destination.ok_or_else(|| {
            Error::field(
                "#/destination",
                "missing",
                "The form has no field `destination`.",
            )
        })?;
        let new = NewFile {
            path: folder.file(sent.name),
            overwrite: self.overwrite.unwrap_or(false),
            content_type: sent.content_type,
            hash: self.hash.filter(|hash| !hash.is_empty()),
            size_bytes: None,
            tags: self.tags,
            metadata: self.metadata,
            classification: self.classification,
            operation: OPERATION,
        };
        Ok((new, sent.staged))
    }
}

/// `true` and `false` in any letter case.
fn truth(text: &str) -> Result<bool, Error> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(Error::field(
            "#/overwrite",
            "invalid",
            "`overwrite` is `true` or `false`.",
        ))
    }
}

/// The name in the part's `Content-Disposition`. Browsers write a quote as `%22` (WHATWG, multipart/form-data).
fn file_name(field: &Field<'_>) -> Result<String, Error> {
    match field.file_name() {
        Some(name) if !name.is_empty() => Ok(name.replace("%22", "\"")),
        _ => Err(Error::field(
            "#/file",
            "no_name",
            "The part `file` has no `filename`.",
        )),
    }
}

/// Most bytes taken without a field or a byte of one coming out of them: the head of a part, or nonsense.
const UNREAD_BYTES_MAX: u64 = 1024 * 1024;

/// Counts bytes that went into the parser since the last that came out of it.
#[derive(Clone, Default)]
struct Meter(Arc<AtomicU64>);

impl Meter {
    fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// The body as the parser may read it: one chunk at a time. The parser takes whatever is ready into its memory before
/// it looks, so between two chunks it is told that nothing is.
struct Paced {
    body: ByteStream,
    meter: Meter,
    is_turn: bool,
}

impl Stream for Paced {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.is_turn {
            self.is_turn = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.body.as_mut().poll_next(cx);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            self.is_turn = false;
            let unread = self
                .meter
                .0
                .fetch_add(chunk.len() as u64, Ordering::Relaxed);
            if unread > UNREAD_BYTES_MAX {
                let detail = "A part of the form has a head that is too long.";
                return Poll::Ready(Some(Err(Error::new(ErrorKind::MalformedRequest, detail))));
            }
        }
        polled
    }
}

fn open(request: Request<Body>) -> Result<(Multipart<'static>, Meter), Error> {
    let (head, content) = request.into_parts();
    let kind = head
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(kind.unwrap_or_default()).map_err(|_| {
        let detail = "This route takes `multipart/form-data` with a boundary.";
        Error::new(ErrorKind::UnsupportedMediaType, detail)
    })?;
    let meter = Meter::default();
    let paced = Paced {
        body: body::stream(content),
        meter: meter.clone(),
        is_turn: true,
    };
    let sizes = multer::SizeLimit::new()
        .per_field(limit::FORM_FIELD_BYTES_MAX)
        .for_field(FILE, u64::MAX);
    let constraints = multer::Constraints::new().size_limit(sizes);
    Ok((
        Multipart::with_constraints(paced, boundary, constraints),
        meter,
    ))
}

/// What the parser complains about, in our words. Errors of the body keep theirs.
fn refused(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => {
                Error::new(ErrorKind::MalformedRequest, "The form cannot be read.").caused_by(other)
            }
        },
        multer::Error::FieldSizeExceeded { limit, field_name } => {
            let name = field_name.unwrap_or_default();
            let detail = format!("The field `{name}` may have at most {limit} bytes.");
            Error::new(ErrorKind::BodyTooLarge, detail)
        }
        other => Error::new(
            ErrorKind::MalformedRequest,
            format!("The form is broken: {other}."),
        ),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn form(text: &'static str) -> Multipart<'static> {
        let request = http::Request::post("/files/upload")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(Body::from(text))
            .unwrap();
        open(request).unwrap().0
    }

    #[tokio::test]
    async fn fields_are_read_in_any_order() {
        let mut form = form(
            "--b\r\nContent-Disposition: form-data; name=\"overwrite\"\r\n\r\nTRUE\r\n--b\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"a%22b.csv\"\r\n\r\nx;y\r\n--b\r\n\
             Content-Disposition: form-data; name=\"destination\"\r\n\r\nreports\r\n--b--\r\n",
        );
        let mut fields = Fields::default();
        while let Some(field) = form.next_field().await.unwrap() {
            let name = field.name().unwrap().to_owned();
            if name == FILE {
                assert_eq!(file_name(&field).unwrap(), "a\"b.csv");
                assert_eq!(field.bytes().await.unwrap(), "x;y");
            } else {
                fields.take(&name, text(field).await.unwrap()).unwrap();
            }
        }
        assert_eq!(fields.overwrite, Some(true));
        assert_eq!(fields.destination.unwrap().to_string(), "/reports");
    }

    #[tokio::test]
    async fn a_form_without_its_end_is_an_error() {
        let mut form =
            form("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc");
        let field = form.next_field().await.unwrap().unwrap();
        let error = refused(field.bytes().await.unwrap_err());
        assert_eq!(error.kind(), ErrorKind::MalformedRequest);
    }

    #[tokio::test]
    async fn a_head_without_an_end_is_cut_off() {
        let flood = futures::stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from(vec![b'a'; 65_536]))
        });
        let request = http::Request::post("/files/upload")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(Body::from_stream(flood))
            .unwrap();
        let mut form = open(request).unwrap().0;
        let error = refused(form.next_field().await.unwrap_err());
        assert_eq!(error.kind(), ErrorKind::MalformedRequest);
    }

    #[test]
    fn fields_are_judged_one_by_one() {
        let mut fields = Fields::default();
        fields.take("tags", "a, b".to_owned()).unwrap();
        fields.take("tags", "c".to_owned()).unwrap();
        assert_eq!(fields.tags, ["a", "b", "c"]);
        fields.take("metadata", r#"{"k":"v"}"#.to_owned()).unwrap();
        fields
            .take("classification", "internal".to_owned())
            .unwrap();
        assert_eq!(fields.classification, Some(Classification::Internal));
        for (name, text) in [
            ("metadata", "[]"),
            ("classification", "secret"),
            ("overwrite", "yes"),
        ] {
            let error = fields.take(name, text.to_owned()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ValidationFailed, "{name}");
        }
        let error = fields.take("destinatoin", String::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownField);
    }
}
