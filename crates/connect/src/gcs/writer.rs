//! Writing: one request for a small file, a resumable session for others.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, checksum_combine};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use http::{Method, StatusCode};
use reqwest::{Body, Response};
use serde::{Deserialize, Serialize};
use url::Url;

use super::object::{self, Object};
use super::{Bucket, error};
use crate::connector::Replace;
use crate::fault::{Fault, FaultKind, Result};
use crate::http as web;

use crate::limit;
use crate::parts::{Outgoing, PartSizes, PartTarget, TakenPart};

/// Bytes of a part that is given while it is sent. All parts but the last must be whole multiples of 256 KiB. There is no
/// limit to their number, so they are as small as checkpoints are wished for.
const STREAMED_PART_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes of a session's address.
const SESSION_BYTES_MAX: usize = 4_096;
/// Bytes of an object, by the service's rule.
const OBJECT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024 * 1024;

const HASH: &str = "x-goog-hash";
const CONTENT_KIND: &str = "application/octet-stream";

/// Where a write goes.
#[derive(Clone)]
pub(super) struct Place {
    pub bucket: Arc<Bucket>,
    pub key: String,
    pub shown: String,
    pub replace: Replace,
}

/// What a write goes on by.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    /// The session's path and query, sealed.
    session: String,
    /// CRC-32C of what was confirmed.
    crc32c: u32,
}

/// A write under way.
pub(super) struct Upload {
    place: Place,
    session: Option<Session>,
    bytes: u64,
    crc32c: u32,
    /// An earlier writer finished: the size.
    finished: Option<u64>,
}

#[derive(Clone)]
struct Session {
    url: Url,
    sealed: String,
}

/// The session in a token, if it can be opened.
pub(super) fn session(bucket: &Bucket, key: &str, token: &str) -> Option<Url> {
    let token: Token = serde_json::from_str(token).ok()?;
    opened(bucket, key, &token.session)
}

fn opened(bucket: &Bucket, key: &str, sealed: &str) -> Option<Url> {
    let text = bucket.seal.open(sealed, &sealed_for(bucket, key))?;
    let (path, query) = text.split_once('?')?;
    let mut url = bucket.endpoint.clone();
    url.set_path(path);
    url.set_query(Some(query));
    Some(url)
}

fn sealed_for(bucket: &Bucket, key: &str) -> String {
    format!("{}/{key}", bucket.name)
}

/// How far a session is.
pub(super) enum Progress {
    Holds(u64),
    Finished(Object),
}

impl Upload {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            session: None,
            bytes: 0,
            crc32c: crc_fast::checksum(Self::CHECKSUM, b"") as u32,
            finished: None,
        }
    }

    /// Goes on at `offset`, if the far side holds everything before it. Also returns how many bytes it holds.
    pub(super) async fn resume(place: Place, token: &str, offset: u64) -> Result<(Self, u64)> {
        let token: Token = serde_json::from_str(token).map_err(|_| {
            Fault::new(FaultKind::Invalid, "the token is not one of this connector")
        })?;
        let url =
            opened(&place.bucket, &place.key, &token.session).ok_or_else(|| lost(&place.shown))?;
        let request = place.bucket.request(Method::PUT, url.clone()).await?;
        let request = request
            .header(CONTENT_LENGTH, "0")
            .header(CONTENT_RANGE, "bytes */*");
        let answer = place.bucket.send(request).await?;
        let what = format!("going on with `{}`", place.shown);
        let (held, finished) = match progress(answer, &what).await? {
            Progress::Holds(held) if held < offset => {
                return Err(Fault::new(
                    FaultKind::OffsetBeyondEnd,
                    format!(
                        "the far side holds {held} bytes, fewer than the {offset} to go on from"
                    ),
                ));
            }
            Progress::Holds(held) => (held, None),
            Progress::Finished(object) => {
                let now = place.bucket.stat(&place.key, &what).await?;
                let is_there = now.is_some_and(|now| now.generation() == object.generation());
                if !is_there || object.size_bytes() != Some(offset) {
                    return Err(lost(&place.shown));
                }
                (offset, Some(offset))
            }
        };
        let upload = Self {
            place,
            session: Some(Session {
                url,
                sealed: token.session,
            }),
            bytes: offset,
            crc32c: token.crc32c,
            finished,
        };
        Ok((upload, held))
    }

    /// The session, opened with the first part.
    async fn session(&mut self) -> Result<Session> {
        if let Some(session) = &self.session {
            return Ok(session.clone());
        }
        let place = &self.place;
        let request = place
            .bucket
            .request(Method::POST, upload_url(place, "resumable")?)
            .await?
            .header("x-upload-content-type", CONTENT_KIND)
            .header(CONTENT_TYPE, "application/json")
            .body("{}");
        let what = format!("writing `{}`", place.shown);
        let answer = place.bucket.send(request).await?;
        let answer = error::expect(answer, &what, FaultKind::Exists).await?;
        let session = located(place, &answer)
            .ok_or_else(|| Fault::protocol(format!("{what}: no upload session was named")))?;
        self.session = Some(session.clone());
        Ok(session)
    }

    /// Puts a part into the session, or with `total` the end of the file.
    fn put(
        &self,
        session: &Session,
        length: u64,
        total: Option<u64>,
    ) -> impl FnOnce(Body) -> futures::future::BoxFuture<'static, Result<Progress>> + use<> {
        let place = self.place.clone();
        let url = session.url.clone();
        let of = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
        let range = match length {
            0 => format!("bytes */{of}"),
            _ => format!("bytes {}-{}/{of}", self.bytes, self.bytes + length - 1),
        };
        move |body| {
            Box::pin(async move {
                let request = place
                    .bucket
                    .request(Method::PUT, url)
                    .await?
                    .header(CONTENT_LENGTH, length.to_string())
                    .header(CONTENT_RANGE, range)
                    .body(body);
                let answer = place.bucket.send_fed(request).await?;
                progress(answer, &format!("writing `{}`", place.shown)).await
            })
        }
    }

    async fn put_whole(self, bytes: Bytes) -> Result<u64> {
        let sum = crc_fast::checksum(Self::CHECKSUM, &bytes) as u32;
        let (length, url) = (bytes.len() as u64, upload_url(&self.place, "media")?);
        let place = self.place.clone();
        let object = Outgoing::whole(bytes, |body| async move {
            let request = place
                .bucket
                .request(Method::POST, url)
                .await?
                .header(CONTENT_TYPE, CONTENT_KIND)
                .header(CONTENT_LENGTH, length.to_string())
                .header(HASH, hash(sum))
                .body(body);
            let answer = place.bucket.send_fed(request).await?;
            let what = format!("writing `{}`", place.shown);
            let answer = error::expect(answer, &what, FaultKind::Exists).await?;
            let document = web::document(answer, limit::ANSWER_READ_BYTES_MAX).await?;
            object::read::<Object>(&document)
        })
        .await?;
        self.check(&object, length, sum).await?;
        Ok(length)
    }

    /// Compares what became of the file with what was sent. A file that is another one is removed again.
    async fn check(&self, object: &Object, bytes: u64, crc32c: u32) -> Result<()> {
        let is_right = object.size_bytes().is_none_or(|size| size == bytes)
            && object.crc32c().is_none_or(|sum| sum == crc32c);
        if is_right {
            return Ok(());
        }
        let place = &self.place;
        if let Some(generation) = object.generation() {
            let mut url = place.bucket.object(&place.key)?;
            url.query_pairs_mut()
                .append_pair("ifGenerationMatch", &generation.to_string());
            let request = place.bucket.request(Method::DELETE, url).await?;
            let answer = place.bucket.send(request).await?;
            error::expect(answer, "removing a damaged file", FaultKind::Changed).await?;
        }
        Err(Fault::new(
            FaultKind::Changed,
            format!(
                "`{}` arrived with other bytes than were sent, and was removed",
                place.shown
            ),
        ))
    }
}

fn upload_url(place: &Place, kind: &str) -> Result<Url> {
    let bucket = &place.bucket;
    let mut url = bucket.url(&["upload", "storage", "v1", "b", &bucket.name, "o"])?;
    url.query_pairs_mut()
        .append_pair("uploadType", kind)
        .append_pair("name", &place.key);
    if place.replace == Replace::No {
        url.query_pairs_mut().append_pair("ifGenerationMatch", "0");
    }
    Ok(url)
}

/// The session that `answer` names. Only path and query are taken: it stays with the host that was configured.
fn located(place: &Place, answer: &Response) -> Option<Session> {
    let location = web::header(answer, LOCATION)?;
    let location = answer.url().join(location).ok()?;
    let mut url = place.bucket.endpoint.clone();
    url.set_path(location.path());
    url.set_query(Some(location.query()?));
    let text = format!("{}?{}", url.path(), url.query()?);
    if text.len() > SESSION_BYTES_MAX {
        return None;
    }
    let bucket = &place.bucket;
    let sealed = bucket.seal.close(&text, &sealed_for(bucket, &place.key))?;
    Some(Session { url, sealed })
}

/// What an answer from a session says.
async fn progress(answer: Response, what: &str) -> Result<Progress> {
    if answer.status() == StatusCode::PERMANENT_REDIRECT {
        let Some(range) = web::header(&answer, RANGE) else {
            return Ok(Progress::Holds(0));
        };
        let last = range
            .trim_start_matches("bytes=")
            .strip_prefix("0-")
            .and_then(|last| last.parse::<u64>().ok())
            .ok_or_else(|| Fault::protocol(format!("{what}: the answer's range makes no sense")))?;
        return Ok(Progress::Holds(last.saturating_add(1)));
    }
    let is_gone = answer.status() == StatusCode::GONE;
    let answer = error::expect(answer, what, FaultKind::Exists)
        .await
        .map_err(|fault| {
            if is_gone {
                Fault::new(FaultKind::NotFound, fault.message())
            } else {
                fault
            }
        })?;
    let document = web::document(answer, limit::ANSWER_READ_BYTES_MAX).await?;
    object::read(&document).map(Progress::Finished)
}

#[async_trait]
impl PartTarget for Upload {
    type Receipt = Progress;
    const CHECKSUM: CrcAlgorithm = CrcAlgorithm::Crc32Iscsi;

    fn sizes(&self, left_bytes: Option<u64>) -> Result<PartSizes> {
        if self.bytes.saturating_add(left_bytes.unwrap_or(0)) > OBJECT_BYTES_MAX {
            let message = "the file has more bytes than an object can have";
            return Err(Fault::new(FaultKind::OutOfSpace, message));
        }
        Ok(PartSizes {
            streamed_bytes: STREAMED_PART_BYTES,
            held_bytes: limit::HELD_PART_BYTES,
        })
    }

    async fn begin(&mut self, length_bytes: u64) -> Result<Outgoing<Progress>> {
        if self.finished.is_some() {
            return Err(lost(&self.place.shown));
        }
        let session = self.session().await?;
        Ok(Outgoing::begin(
            length_bytes,
            self.put(&session, length_bytes, None),
        ))
    }

    fn taken(&mut self, receipt: Progress, part: TakenPart) -> Result<()> {
        let end = self.bytes + part.length_bytes;
        match receipt {
            Progress::Holds(held) if held == end => {}
            Progress::Holds(held) if held < end => {
                return Err(Fault::new(
                    FaultKind::ConnectionLost,
                    "the far side took only some of a part",
                ));
            }
            Progress::Holds(_) | Progress::Finished(_) => {
                return Err(Fault::protocol(
                    "the far side says that it holds more than it was sent",
                ));
            }
        }
        self.skipped(part);
        Ok(())
    }

    fn skipped(&mut self, part: TakenPart) {
        self.crc32c = checksum_combine(
            Self::CHECKSUM,
            u64::from(self.crc32c),
            part.checksum,
            part.length_bytes,
        ) as u32;
        self.bytes += part.length_bytes;
    }

    fn token(&self) -> Option<String> {
        let session = self.session.as_ref().filter(|_| self.bytes > 0)?;
        serde_json::to_string(&Token {
            session: session.sealed.clone(),
            crc32c: self.crc32c,
        })
        .ok()
    }

    async fn finish(mut self, rest: Bytes) -> Result<u64> {
        if let Some(size) = self.finished {
            return if rest.is_empty() {
                Ok(size)
            } else {
                Err(lost(&self.place.shown))
            };
        }
        let Some(session) = self.session.clone() else {
            return self.put_whole(rest).await;
        };
        let part = TakenPart {
            length_bytes: rest.len() as u64,
            checksum: crc_fast::checksum(Self::CHECKSUM, &rest),
        };
        let total = self.bytes + part.length_bytes;
        let end = self.put(&session, part.length_bytes, Some(total));
        let answer = Outgoing::whole(rest, end).await?;
        self.skipped(part);
        match answer {
            Progress::Finished(object) => {
                self.check(&object, total, self.crc32c).await?;
                Ok(total)
            }
            Progress::Holds(_) => Err(Fault::new(
                FaultKind::ConnectionLost,
                "the far side took only some of the file's end",
            )),
        }
    }
}

fn hash(crc32c: u32) -> String {
    format!("crc32c={}", STANDARD.encode(crc32c.to_be_bytes()))
}

fn lost(shown: &str) -> Fault {
    let message = format!("the far side knows nothing of an unfinished `{shown}` any more");
    Fault::new(FaultKind::NotFound, message)
}
