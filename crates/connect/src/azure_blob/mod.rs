//! Azure Blob Storage, by its REST interface.
//!
//! Requests are signed with the account's key or carry a shared access signature. Small files go in one request, others
//! in blocks that wait at the far side until one request makes them a file, so nothing is seen of a file before it is
//! whole. Blocks are named after the write they belong to, and only this write's are put together: what another one left
//! under the same name does no harm. The far side drops blocks that nobody put together after a week, and there is no
//! way to drop them earlier without touching the file that is there; so nothing is done to give up a write.
//!
//! Renaming is a copy at the far side and a removal, each tied to the content that was seen before: not one step, and a
//! file that changes in between stays where it is. Each block is checked by CRC-64 where the far side tells it.

mod config;
mod error;
mod sign;
mod writer;
mod xml;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use reqwest::{Body, Response};
use tokio::time::{Instant, sleep};
use url::Url;

pub use self::config::{AzureBlobConfig, AzureCredential};
use self::sign::{Ask, Signer};
use crate::clock::SharedClock;
use crate::connector::{
    ByteStream, Capabilities, Connector, EntryKind, Listing, ReadFrom, RemoteEntry, RemoteWriter,
    Replace, WriteOptions,
};
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::http as web;
use crate::limit;
use crate::objects::{self, Gathering, Keys};
use crate::parts::Cutter;
use crate::path::RemotePath;

/// Entries that the service puts on one page at most.
const PAGE_ENTRIES_MAX: usize = 5_000;

/// One container.
pub(crate) struct AzureBlob {
    container: Arc<Container>,
    keys: Keys,
}

/// What signs and sends.
struct Container {
    http: web::HttpClient,
    url: Url,
    signer: Signer,
    clock: SharedClock,
}

impl AzureBlob {
    pub(crate) async fn open(config: &AzureBlobConfig, guard: &EgressGuard) -> Result<Self> {
        let container = Container {
            http: web::HttpClient::new(guard, &config.tls, config.proxy.as_ref())?,
            url: container_url(config)?,
            signer: Signer::new(&config.account, &config.credential)?,
            clock: config.clock.clone(),
        };
        let far = Self {
            container: Arc::new(container),
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
        let mut url = self.container.url.clone();
        let entries = gathering.page_entries(PAGE_ENTRIES_MAX);
        url.query_pairs_mut()
            .append_pair("restype", "container")
            .append_pair("comp", "list")
            .append_pair("delimiter", "/")
            .append_pair("maxresults", &entries.to_string());
        if !gathering.prefix().is_empty() {
            url.query_pairs_mut()
                .append_pair("prefix", gathering.prefix());
        }
        if !gathering.mark().is_empty() {
            url.query_pairs_mut()
                .append_pair("marker", gathering.mark());
        }
        let answer = self.container.ask(Ask::new(Method::GET, url)).await?;
        let answer = error::expect(answer, "listing", FaultKind::Io).await?;
        let page = web::document(answer, limit::DOCUMENT_BYTES_MAX).await?;
        let next = xml::listing(&page, |listed| match listed {
            xml::Listed::Blob(key, entry) => gathering.file(&key, entry),
            xml::Listed::Folder(key) => gathering.folder(&key),
        })?;
        Ok(gathering.turn(next))
    }

    async fn copy_from(
        &self,
        from: &RemotePath,
        to: &RemotePath,
        replace: Replace,
    ) -> Result<String> {
        let container = &self.container;
        let source = container.blob(&self.keys.file(from)?)?;
        let target = container.blob(&self.keys.file(to)?)?;
        let Some(found) = container.head(source.clone(), "copying").await? else {
            return Err(missing(from));
        };
        let version = version(&found).ok_or_else(no_version)?;
        let mut ask = Ask::new(Method::PUT, target.clone())
            .header("content-length", "0")
            .header("x-ms-copy-source", container.signer.source(source))
            .header("x-ms-source-if-match", version.clone());
        if replace == Replace::No {
            ask = ask.header("if-none-match", "*");
        }
        let what = format!("copying to `{to}`");
        let refused = match replace {
            Replace::No => FaultKind::Exists,
            Replace::Yes => FaultKind::Changed,
        };
        let answer = error::expect(container.ask(ask).await?, &what, refused).await?;
        self.copied(answer, target, &what).await?;
        Ok(version)
    }

    /// Waits until a copy that the far side began is done.
    async fn copied(&self, begun: Response, target: Url, what: &str) -> Result<()> {
        let end = Instant::now() + limit::COPY_TIME_MAX;
        let mut answer = begun;
        loop {
            match web::header(&answer, error::http_header("x-ms-copy-status")) {
                Some("success") => return Ok(()),
                Some("pending") if Instant::now() < end => {}
                Some("pending") => return Err(Fault::timeout(what)),
                _ => {
                    let message = format!("{what}: the far system gave it up");
                    return Err(Fault::new(FaultKind::Io, message));
                }
            }
            sleep(limit::COPY_ASK_INTERVAL).await;
            let Some(now) = self.container.head(target.clone(), what).await? else {
                return Err(Fault::new(
                    FaultKind::NotFound,
                    format!("{what}: it is gone"),
                ));
            };
            answer = now;
        }
    }
}

impl Container {
    /// The URL of the blob `key`.
    fn blob(&self, key: &str) -> Result<Url> {
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| invalid("the endpoint cannot hold paths"))?
            .extend(key.split('/'));
        Ok(url)
    }

    fn signed(&self, ask: Ask) -> reqwest::RequestBuilder {
        let ask = self.signer.sign(ask, self.clock.now());
        let request = self.http.request(ask.method, ask.url);
        ask.headers
            .into_iter()
            .fold(request, |request, (name, text)| {
                let mut value = ::http::HeaderValue::from_str(&text);
                if let Ok(value) = &mut value {
                    value.set_sensitive(matches!(name, "authorization" | "x-ms-copy-source"));
                }
                match value {
                    Ok(value) => request.header(name, value),
                    Err(_) => request.header(name, text), // said when the request is built
                }
            })
    }

    async fn ask(&self, ask: Ask) -> Result<Response> {
        self.http.send(self.signed(ask)).await
    }

    /// Sends `ask` with a body whose length it states.
    async fn feed(&self, ask: Ask, body: Body) -> Result<Response> {
        self.http.send_patiently(self.signed(ask).body(body)).await
    }

    /// The head of a blob; `None` if it is not there.
    async fn head(&self, url: Url, what: &str) -> Result<Option<Response>> {
        let answer = self.ask(Ask::new(Method::HEAD, url)).await?;
        found(error::expect(answer, what, FaultKind::Io).await)
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

fn container_url(config: &AzureBlobConfig) -> Result<Url> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-$_".contains(c))
    };
    if !is_name(&config.account) || !is_name(&config.container) {
        return Err(invalid(
            "the names of account and container are letters, digits and hyphens",
        ));
    }
    let mut url = match &config.endpoint {
        Some(endpoint) => endpoint.clone(),
        None => format!("https://{}.blob.core.windows.net/", config.account)
            .parse()
            .map_err(|_| invalid("the account's name makes no host name"))?,
    };
    url.set_query(None);
    url.set_fragment(None);
    url.path_segments_mut()
        .map_err(|()| invalid("the endpoint cannot hold paths"))?
        .pop_if_empty()
        .push(&config.container);
    Ok(url)
}

fn invalid(message: &str) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}

fn missing(path: &RemotePath) -> Fault {
    Fault::new(FaultKind::NotFound, format!("there is no file `{path}`"))
}

fn no_version() -> Fault {
    Fault::protocol("the far system tells no entity tag")
}

fn version(answer: &Response) -> Option<String> {
    web::entity_tag(answer)
}

/// An entity tag with its quotes, which listings leave out.
fn quoted(tag: &str) -> String {
    format!("\"{}\"", tag.trim_matches('"'))
}

/// The entry of the blob with this head.
fn entry(name: &str, head: &Response) -> RemoteEntry {
    let is_folder = web::header(head, error::http_header("x-ms-meta-hdi_isfolder"))
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    if is_folder {
        return objects::folder(name);
    }
    RemoteEntry {
        name: name.to_owned(),
        kind: EntryKind::File,
        size_bytes: web::header(head, ::http::header::CONTENT_LENGTH)
            .and_then(|text| text.parse().ok()),
        modified: web::header(head, ::http::header::LAST_MODIFIED).and_then(web::timestamp),
        version: version(head),
    }
}

#[async_trait]
impl Connector for AzureBlob {
    fn capabilities(&self) -> Capabilities {
        Capabilities::OBJECTS
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>> {
        let name = path.name().unwrap_or_default();
        if path.is_start() {
            return Ok(Some(objects::folder(name)));
        }
        let url = self.container.blob(&self.keys.file(path)?)?;
        if let Some(head) = self
            .container
            .head(url, &format!("looking at `{path}`"))
            .await?
        {
            return Ok(Some(entry(name, &head)));
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
        let url = self.container.blob(&self.keys.file(path)?)?;
        let mut ask = Ask::new(Method::GET, url);
        if from.offset > 0 {
            ask = ask.header("range", format!("bytes={}-", from.offset));
        }
        if let Some(version) = from.version {
            ask = ask.header("if-match", version);
        }
        let answer = self.container.ask(ask).await?;
        if answer.status() == ::http::StatusCode::RANGE_NOT_SATISFIABLE {
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
        let url = self.container.blob(&self.keys.file(path)?)?;
        let blob = writer::Blob {
            container: Arc::clone(&self.container),
            url,
            shown: path.to_string(),
            replace: options.replace,
        };
        let (offset, declared) = (options.offset, options.size_hint);
        let upload = match options.token.filter(|_| offset > 0) {
            Some(token) => writer::Upload::resume(blob, &token, offset).await?,
            None if offset > 0 => {
                return Err(Fault::new(
                    FaultKind::OffsetBeyondEnd,
                    "a write can go on only with the token of the one before",
                ));
            }
            None => writer::Upload::new(blob),
        };
        Ok(Box::new(Cutter::new(upload, offset, declared)))
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        if from == to {
            return self
                .stat(from)
                .await?
                .map(|_| ())
                .ok_or_else(|| missing(from));
        }
        let version = self.copy_from(from, to, replace).await?;
        let url = self.container.blob(&self.keys.file(from)?)?;
        let ask = Ask::new(Method::DELETE, url).header("if-match", version);
        let what = format!("removing `{from}` after its copy");
        error::expect(self.container.ask(ask).await?, &what, FaultKind::Changed).await?;
        Ok(())
    }

    async fn remove(&self, path: &RemotePath) -> Result<()> {
        let url = self.container.blob(&self.keys.file(path)?)?;
        let answer = self.container.ask(Ask::new(Method::DELETE, url)).await?;
        error::expect(answer, &format!("removing `{path}`"), FaultKind::Io).await?;
        Ok(())
    }

    async fn mkdir(&self, _path: &RemotePath) -> Result<()> {
        Err(Fault::unsupported("making a folder without files"))
    }

    async fn copy(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        self.copy_from(from, to, replace).await.map(|_| ())
    }

    async fn close(&self) {}
}

impl fmt::Debug for AzureBlob {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("AzureBlob").finish_non_exhaustive()
    }
}
