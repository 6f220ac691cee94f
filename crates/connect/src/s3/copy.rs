//! Copying at the far side: one request, or parts for what is larger than one may copy.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::Method;
use reqwest::Response;

use super::bucket::{Bucket, Whole, size_bytes, version};
use super::upload::{Target, Upload};
use super::{error, limits, xml};
use crate::connector::Replace;
use crate::fault::{Fault, FaultKind, Result};

/// What a copy in parts must carry over itself, besides the headers that begin with [`OWN`].
const KEPT: [&str; 5] = [
    "content-type",
    "content-encoding",
    "content-language",
    "content-disposition",
    "cache-control",
];
/// The names of what users attach to an object begin so.
const OWN: &str = "x-amz-meta-";

/// The object that is copied, as it was seen.
struct Source {
    place: String,
    version: String,
    bytes: u64,
}

/// Copies the object `from` and returns the version that was copied; `None` if there is no such object.
pub(super) async fn copy(bucket: &Arc<Bucket>, from: &str, to: Target) -> Result<Option<String>> {
    let Some(head) = bucket.head(from, "looking at what is to be copied").await? else {
        return Ok(None);
    };
    let lacks = || Fault::protocol("the far system tells neither size nor entity tag");
    let source = Source {
        place: bucket.source(from),
        version: version(&head).ok_or_else(lacks)?,
        bytes: size_bytes(&head).ok_or_else(lacks)?,
    };
    to.check_free().await?;
    if source.bytes > bucket.copy_bytes_max {
        in_parts(&source, to, kept(&head)).await?;
    } else {
        at_once(&source, to).await?;
    }
    Ok(Some(source.version))
}

async fn at_once(source: &Source, to: Target) -> Result<()> {
    let what = format!("copying to `{}`", to.shown);
    let mut ask = to
        .bucket
        .making(Method::PUT, &to.key)
        .header("x-amz-copy-source", source.place.clone())
        .header("x-amz-copy-source-if-match", source.version.clone());
    // The copy keeps the type of the source.
    ask.headers.retain(|(name, _)| name != "content-type");
    let request = Whole {
        ask,
        body: Bytes::new(),
        condition: to.condition(),
        what: what.clone(),
        refused: refused(to.replace),
        time_max: limits::WHOLE_ANSWER_TIME_MAX,
    };
    let (_, document) = request.send(&to.bucket).await?;
    match xml::only(&document, "CopyObjectResult", "ETag")? {
        Some(_) => Ok(()),
        None => Err(unsaid(&what)),
    }
}

async fn in_parts(source: &Source, to: Target, headers: Vec<(String, String)>) -> Result<()> {
    let upload = to.begin(headers).await?;
    let copied = copy_parts(source, &upload).await;
    let done = match copied {
        Ok(tags) => upload.complete(&tags, source.bytes).await,
        Err(fault) => Err(fault),
    };
    if done.is_err() {
        // What failed counts; the far side's own rules sweep what is left.
        let _ = upload.abort().await;
    }
    done
}

async fn copy_parts(source: &Source, upload: &Upload) -> Result<Vec<String>> {
    let target = &upload.target;
    let part_bytes = limits::COPY_PART_BYTES
        .min(target.bucket.copy_bytes_max)
        .max(source.bytes.div_ceil(limits::PARTS_MAX))
        .max(1);
    let parts = source.bytes.div_ceil(part_bytes);
    let copies = (0..parts).map(|at| {
        let first = at * part_bytes;
        let last = (first + part_bytes).min(source.bytes) - 1;
        copy_part(source, upload, at + 1, (first, last))
    });
    stream::iter(copies)
        .buffered(limits::COPIES_AT_ONCE)
        .try_collect()
        .await
}

async fn copy_part(
    source: &Source,
    upload: &Upload,
    number: u64,
    (first, last): (u64, u64),
) -> Result<String> {
    let Target {
        bucket, key, shown, ..
    } = &upload.target;
    let what = format!("copying to `{shown}`");
    let request = Whole {
        ask: bucket
            .about(Method::PUT, key)
            .query("partNumber", number.to_string())
            .query("uploadId", upload.id.clone())
            .header("x-amz-copy-source", source.place.clone())
            .header("x-amz-copy-source-if-match", source.version.clone())
            .header("x-amz-copy-source-range", format!("bytes={first}-{last}")),
        body: Bytes::new(),
        condition: None,
        what: what.clone(),
        refused: FaultKind::Changed,
        time_max: limits::WHOLE_ANSWER_TIME_MAX,
    };
    let (_, document) = request.send(bucket).await?;
    let tag = xml::only(&document, "CopyPartResult", "ETag")?.ok_or_else(|| unsaid(&what))?;
    error::fit(tag.trim(), limits::TAG_BYTES_MAX)
}

fn kept(head: &Response) -> Vec<(String, String)> {
    let headers = head
        .headers()
        .iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()) || name.as_str().starts_with(OWN));
    headers
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .take(limits::KEPT_HEADERS_MAX)
        .collect()
}

fn refused(replace: Replace) -> FaultKind {
    match replace {
        Replace::No => FaultKind::Exists,
        Replace::Yes => FaultKind::Changed,
    }
}

fn unsaid(what: &str) -> Fault {
    Fault::protocol(format!("{what}: the far system does not say that it did"))
}
