//! Google Cloud Storage, by its JSON interface.
//!
//! Small files go in one request, others through a resumable upload session, so nothing is seen of a file before it is
//! whole; CRC-32C is reckoned over all of it and compared before the writer says that it is done. The session's address is
//! a secret and is kept sealed (see `seal`). The XML interface's multipart uploads, whose ids are no secrets, were weighed:
//! they take no conditions, and so could not keep [`Replace::No`].
//!
//! A session keeps what reached it even of a part that broke off, and cannot be taken back: bytes that the far side holds
//! beyond the offset to go on from are taken again from the caller and not sent; the checksum shows if they differ.
//!
//! A file's version is its generation. Renaming is a copy at the far side and a removal, each tied to the generation that
//! was seen before: not one step, and a file that changes in between stays where it is.

mod access;
mod config;
mod error;
mod object;
mod seal;
mod writer;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, RANGE};
use http::{HeaderValue, Method, StatusCode};
use reqwest::{RequestBuilder, Response};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use url::Url;

use self::access::Access;
pub use self::config::{GcsConfig, GcsCredential};
use self::object::{Object, Page, Rewritten};
use self::seal::Seal;
use crate::connector::{
    ByteStream, Capabilities, Connector, Listing, ReadFrom, RemoteEntry, RemoteWriter, Replace,
    WriteOptions,
};
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::http as web;
use crate::limit;
use crate::objects::{self, Gathering, Keys};
use crate::parts::Cutter;
use crate::path::RemotePath;

/// Entries that the service puts on one page at most.
const PAGE_ENTRIES_MAX: usize = 1_000;

/// One bucket.
pub(crate) struct Gcs {
    bucket: Arc<Bucket>,
    keys: Keys,
}

/// What authorises and sends.
struct Bucket {
    http: web::HttpClient,
    endpoint: Url,
    name: String,
    access: Access,
    seal: Seal,
}

impl Gcs {
    pub(crate) async fn open(config: &GcsConfig, guard: &EgressGuard) -> Result<Self> {
        let http = web::HttpClient::new(guard, &config.tls, config.proxy.as_ref())?;
        let (access, secret) = Access::new(&config.credential, &http, &config.clock)?;
        let bucket = Bucket {
            http,
            endpoint: endpoint(config)?,
            name: config.bucket.clone(),
            access,
            seal: Seal::new(&secret)?,
        };
        let far = Self {
            bucket: Arc::new(bucket),
            keys: Keys::beneath(config.prefix.as_ref()),
        };
        match far.page(&mut Gathering::new(String::new(), 0)).await {
            // A credential may be for writing only.
            Err(fault) if fault.kind() == &FaultKind::PermissionDenied => Ok(far),
            Err(fault) => Err(fault),
            Ok(_) => Ok(far),
        }
    }

    /// Asks for the next page of a listing; false if it was the last.
    async fn page(&self, gathering: &mut Gathering) -> Result<bool> {
        let mut url = self
            .bucket
            .url(&["storage", "v1", "b", &self.bucket.name, "o"])?;
        let entries = gathering.page_entries(PAGE_ENTRIES_MAX);
        url.query_pairs_mut()
            .append_pair("delimiter", "/")
            .append_pair("maxResults", &entries.to_string())
            .append_pair(
                "fields",
                &format!("prefixes,nextPageToken,items({})", object::FIELDS),
            );
        if !gathering.prefix().is_empty() {
            url.query_pairs_mut()
                .append_pair("prefix", gathering.prefix());
        }
        if !gathering.mark().is_empty() {
            url.query_pairs_mut()
                .append_pair("pageToken", gathering.mark());
        }
        let request = self.bucket.request(Method::GET, url).await?;
        let answer = self.bucket.send(request).await?;
        let answer = error::expect(answer, "listing", FaultKind::Io).await?;
        let document = web::document(answer, limit::DOCUMENT_BYTES_MAX).await?;
        let page: Page = object::read(&document)?;
        for found in &page.items {
            gathering.file(&found.name, found.entry(""));
        }
        for key in &page.prefixes {
            gathering.folder(key);
        }
        Ok(gathering.turn(page.next))
    }

    /// Copies at the far side, in as many steps as it wants, and returns the generation that was copied.
    async fn copy_from(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<u64> {
        let bucket = &self.bucket;
        let (source, target) = (self.keys.file(from)?, self.keys.file(to)?);
        let found = bucket.stat(&source, "copying").await?;
        let found = found.ok_or_else(|| missing(from))?;
        let generation = found.generation().ok_or_else(no_generation)?;
        let name = bucket.name.as_str();
        let mut url = bucket.url(&[
            "storage",
            "v1",
            "b",
            name,
            "o",
            &source,
            "rewriteTo",
            "b",
            name,
            "o",
            &target,
        ])?;
        url.query_pairs_mut()
            .append_pair("ifSourceGenerationMatch", &generation.to_string());
        if replace == Replace::No {
            url.query_pairs_mut().append_pair("ifGenerationMatch", "0");
        }
        let refused = match replace {
            Replace::No => FaultKind::Exists,
            Replace::Yes => FaultKind::Changed,
        };
        let what = format!("copying to `{to}`");
        let end = Instant::now() + limit::COPY_TIME_MAX;
        let mut token = None::<String>;
        loop {
            let mut step = url.clone();
            if let Some(token) = &token {
                step.query_pairs_mut().append_pair("rewriteToken", token);
            }
            let request = bucket.request(Method::POST, step).await?;
            let answer = bucket.send(request.header(CONTENT_LENGTH, "0")).await?;
            let answer = error::expect(answer, &what, refused.clone()).await?;
            let document = web::document(answer, limit::ANSWER_READ_BYTES_MAX).await?;
            let rewritten: Rewritten = object::read(&document)?;
            if rewritten.done {
                return Ok(generation);
            }
            token = rewritten.token;
            if token.is_none() {
                return Err(Fault::protocol(format!(
                    "{what}: it neither ends nor goes on"
                )));
            }
            if Instant::now() >= end {
                return Err(Fault::timeout(&what));
            }
        }
    }

    async fn delete(&self, path: &RemotePath, generation: Option<u64>) -> Result<()> {
        let mut url = self.bucket.object(&self.keys.file(path)?)?;
        if let Some(generation) = generation {
            url.query_pairs_mut()
                .append_pair("ifGenerationMatch", &generation.to_string());
        }
        let request = self.bucket.request(Method::DELETE, url).await?;
        let answer = self.bucket.send(request).await?;
        error::expect(answer, &format!("removing `{path}`"), FaultKind::Changed).await?;
        Ok(())
    }
}

impl Bucket {
    /// The endpoint's URL with these segments; slashes in them are escaped.
    fn url(&self, segments: &[&str]) -> Result<Url> {
        let mut url = self.endpoint.clone();
        url.path_segments_mut()
            .map_err(|()| invalid("the endpoint cannot hold paths"))?
            .pop_if_empty()
            .extend(segments);
        Ok(url)
    }

    fn object(&self, key: &str) -> Result<Url> {
        self.url(&["storage", "v1", "b", &self.name, "o", key])
    }

    /// Begins a request with an access token.
    async fn request(&self, method: Method, url: Url) -> Result<RequestBuilder> {
        let request = self.http.request(method, url);
        let Some(token) = self.access.token().await? else {
            return Ok(request);
        };
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| invalid("the access token is no header text"))?;
        value.set_sensitive(true);
        Ok(request.header(AUTHORIZATION, value))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let answer = self.http.send(request).await?;
        self.seen(&answer).await;
        Ok(answer)
    }

    /// Sends a request whose body is given while it runs.
    async fn send_fed(&self, request: RequestBuilder) -> Result<Response> {
        let answer = self.http.send_patiently(request).await?;
        self.seen(&answer).await;
        Ok(answer)
    }

    async fn seen(&self, answer: &Response) {
        if answer.status() == StatusCode::UNAUTHORIZED {
            self.access.forget().await;
        }
    }

    /// What is known of the object `key`; `None` if it is not there.
    async fn stat(&self, key: &str, what: &str) -> Result<Option<Object>> {
        let mut url = self.object(key)?;
        url.query_pairs_mut().append_pair("fields", object::FIELDS);
        let request = self.request(Method::GET, url).await?;
        let answer = self.send(request).await?;
        let Some(answer) = found(error::expect(answer, what, FaultKind::Io).await)? else {
            return Ok(None);
        };
        let document = web::document(answer, limit::ANSWER_READ_BYTES_MAX).await?;
        object::read(&document).map(Some)
    }
}

/// What is not there is no fault.
fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(fault) if fault.kind() == &FaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn endpoint(config: &GcsConfig) -> Result<Url> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if config.bucket.is_empty()
        || !config.bucket.chars().all(is_name)
        || config.bucket.starts_with('.')
    {
        return Err(invalid(
            "a bucket's name is letters, digits, hyphens, underscores and dots",
        ));
    }
    let mut url = match &config.endpoint {
        Some(endpoint) => endpoint.clone(),
        None => format!("https://{}/", config::HOST)
            .parse()
            .map_err(|_| invalid("the endpoint is no URL"))?,
    };
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn invalid(message: &str) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}

fn missing(path: &RemotePath) -> Fault {
    Fault::new(FaultKind::NotFound, format!("there is no file `{path}`"))
}

fn no_generation() -> Fault {
    Fault::protocol("the far system tells no generation")
}

#[async_trait]
impl Connector for Gcs {
    fn capabilities(&self) -> Capabilities {
        Capabilities::OBJECTS
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>> {
        let name = path.name().unwrap_or_default();
        if path.is_start() {
            return Ok(Some(objects::folder(name)));
        }
        let what = format!("looking at `{path}`");
        if let Some(object) = self.bucket.stat(&self.keys.file(path)?, &what).await? {
            return Ok(Some(object.entry(name)));
        }
        let folder = found(self.list(path, 1).await)?;
        Ok(folder.map(|_| objects::folder(name)))
    }

    async fn list(&self, path: &RemotePath, limit: usize) -> Result<Listing> {
        let mut gathering = Gathering::new(self.keys.folder(path), limit);
        while self.page(&mut gathering).await? {}
        gathering.done(path)
    }

    async fn list_after(&self, path: &RemotePath, after: &str, limit: usize) -> Result<Listing> {
        let mut gathering = Gathering::behind(self.keys.folder(path), after, limit);
        while self.page(&mut gathering).await? {}
        gathering.done_behind(path)
    }

    async fn read(&self, path: &RemotePath, from: ReadFrom) -> Result<ByteStream> {
        let mut url = self.bucket.object(&self.keys.file(path)?)?;
        url.query_pairs_mut().append_pair("alt", "media");
        if let Some(version) = &from.version {
            url.query_pairs_mut()
                .append_pair("ifGenerationMatch", version);
        }
        // Without this the service would unpack what is stored packed, and sizes and offsets would be others.
        let mut request = self
            .bucket
            .request(Method::GET, url)
            .await?
            .header(ACCEPT_ENCODING, "gzip");
        if from.offset > 0 {
            request = request.header(RANGE, format!("bytes={}-", from.offset));
        }
        let answer = self.bucket.send(request).await?;
        if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(Box::pin(futures::stream::empty()));
        }
        let what = format!("reading `{path}`");
        let answer = error::expect(answer, &what, FaultKind::Changed).await?;
        objects::ranged(answer, from.offset)
    }

    async fn write(
        &self,
        path: &RemotePath,
        options: WriteOptions,
    ) -> Result<Box<dyn RemoteWriter>> {
        let place = writer::Place {
            bucket: Arc::clone(&self.bucket),
            key: self.keys.file(path)?,
            shown: path.to_string(),
            replace: options.replace,
        };
        let (offset, declared) = (options.offset, options.size_hint);
        match options.token.filter(|_| offset > 0) {
            Some(token) => {
                let (upload, held) = writer::Upload::resume(place, &token, offset).await?;
                Ok(Box::new(
                    Cutter::new(upload, offset, declared).skipping(held.saturating_sub(offset)),
                ))
            }
            None if offset > 0 => Err(Fault::new(
                FaultKind::OffsetBeyondEnd,
                "a write can go on only with the token of the one before",
            )),
            None => Ok(Box::new(Cutter::new(
                writer::Upload::new(place),
                offset,
                declared,
            ))),
        }
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        if from == to {
            return self
                .stat(from)
                .await?
                .map(|_| ())
                .ok_or_else(|| missing(from));
        }
        let generation = self.copy_from(from, to, replace).await?;
        self.delete(from, Some(generation)).await
    }

    async fn remove(&self, path: &RemotePath) -> Result<()> {
        self.delete(path, None).await
    }

    async fn mkdir(&self, _path: &RemotePath) -> Result<()> {
        Err(Fault::unsupported("making a folder without files"))
    }

    async fn copy(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        self.copy_from(from, to, replace).await.map(|_| ())
    }

    async fn abandon(&self, path: &RemotePath, token: &str) -> Result<()> {
        let key = self.keys.file(path)?;
        let Some(session) = writer::session(&self.bucket, &key, token) else {
            return Ok(()); // of another credential, or none of ours
        };
        let request = self.bucket.request(Method::DELETE, session).await?;
        let request = request.header(CONTENT_LENGTH, "0");
        let answer = self.bucket.send(request).await?;
        found(error::expect(answer, "giving up an upload", FaultKind::Io).await)?;
        Ok(())
    }

    async fn close(&self) {}
}

impl fmt::Debug for Gcs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Gcs").finish_non_exhaustive()
    }
}
