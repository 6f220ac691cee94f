//! WebDAV (RFC 4918): folders and files on a web server, as NAS boxes, Nextcloud, SharePoint and Apache offer them.
//!
//! Reads may begin anywhere, pinned by entity tag or time of change. A file is written in one `PUT` that starts over after
//! a cut, since writing from an offset has no portable form; it belongs under a temporary name and is then moved.
//! Nothing here can remove or replace a folder, which on most servers would take everything in it along.

mod config;
mod error;
mod multi_status;
mod writer;

use async_trait::async_trait;
use bailee_model::RemoteKind;
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use reqwest::Response;
use url::Url;

pub use self::config::WebdavConfig;
use self::multi_status::{Document, Found};
use crate::connector::{
    ByteStream, Capabilities, Connector, EntryKind, Listing, ReadFrom, RemoteEntry, RemoteWriter,
    Replace, WriteOptions,
};
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::http::{Site, expect, fetch, next_piece};
use crate::limit;
use crate::path::RemotePath;

/// One WebDAV server as far system.
#[derive(Clone, Debug)]
pub(crate) struct Webdav {
    site: Site,
}

/// Whether the things in a folder are asked for, too.
#[derive(Clone, Copy)]
enum Depth {
    Itself,
    Children,
}

impl Webdav {
    pub(crate) async fn open(config: &WebdavConfig, guard: &EgressGuard) -> Result<Self> {
        let site = Site::open(
            guard,
            (&config.base_url, &config.auth),
            &config.tls,
            config.proxy.as_ref(),
        )?;
        let far = Self { site };
        match far.find(&RemotePath::default()).await? {
            Some(base) if base.is_folder => Ok(far),
            Some(_) => Err(Fault::new(FaultKind::Invalid, "the base URL is no folder")),
            None => Err(Fault::new(
                FaultKind::NotFound,
                "there is no folder at the base URL",
            )),
        }
    }

    fn url(&self, path: &RemotePath) -> Url {
        self.site.url(path.names().iter().map(String::as_str))
    }

    fn folder_url(&self, path: &RemotePath) -> Url {
        self.site
            .folder_url(path.names().iter().map(String::as_str))
    }

    /// What stands at `path`.
    async fn find(&self, path: &RemotePath) -> Result<Option<Found>> {
        // Only the base is known to be a folder, and some servers redirect one without the slash.
        let url = if path.is_start() {
            self.folder_url(path)
        } else {
            self.url(path)
        };
        let Some(answer) = self.propfind(url.clone(), path, Depth::Itself).await? else {
            return Ok(None);
        };
        if answer.status().is_redirection() && !path.is_start() {
            let url = self.folder_url(path);
            let Some(answer) = self.propfind(url.clone(), path, Depth::Itself).await? else {
                return Ok(None);
            };
            return first(answer, path).await;
        }
        first(answer, path).await
    }

    /// Asks for properties; `None` if nothing is there. A redirect is left to the caller.
    async fn propfind(
        &self,
        url: Url,
        path: &RemotePath,
        depth: Depth,
    ) -> Result<Option<Response>> {
        let depth = match depth {
            Depth::Itself => "0",
            Depth::Children => "1",
        };
        let request = self
            .site
            .request(method("PROPFIND")?, url)
            .header("depth", depth)
            .header(CONTENT_TYPE, "application/xml; charset=utf-8")
            .body(multi_status::PROPFIND);
        let answer = self.site.client.send(request).await?;
        match answer.status() {
            StatusCode::MULTI_STATUS | StatusCode::MOVED_PERMANENTLY => Ok(Some(answer)),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            status => {
                expect(answer, &looking(path)).await?;
                Err(Fault::protocol(format!(
                    "the far system answered {status} where a multi-status belongs"
                )))
            }
        }
    }

    /// Moves or copies one thing. Never onto a folder: the server would remove it with everything in it.
    async fn relocate(
        &self,
        verb: &str,
        (from, to): (&RemotePath, &RemotePath),
        replace: Replace,
    ) -> Result<()> {
        let what = match verb {
            "COPY" => format!("copying `{from}` to `{to}`"),
            _ => format!("renaming `{from}` to `{to}`"),
        };
        let source = self.find(from).await?.ok_or_else(|| missing(from))?;
        if let Some(taken) = self.find(to).await?
            && (replace == Replace::No || taken.is_folder || source.is_folder)
        {
            let message = format!("{what}: the name is taken");
            return Err(Fault::new(FaultKind::Exists, message));
        }
        let overwrite = match replace {
            Replace::Yes if !source.is_folder => "T",
            _ => "F",
        };
        let url = |path| {
            if source.is_folder {
                self.folder_url(path)
            } else {
                self.url(path)
            }
        };
        let mut request = self
            .site
            .request(method(verb)?, url(from))
            .header("destination", url(to).as_str())
            .header("overwrite", overwrite);
        if verb == "COPY" {
            request = request.header("depth", "0");
        }
        error::changed(self.send(request, &what).await?, &what).await
    }

    /// Sends what the server may have to work on for a while.
    async fn send(&self, request: reqwest::RequestBuilder, what: &str) -> Result<Response> {
        let answer = self.site.client.send_patiently(request);
        tokio::time::timeout(limit::FAR_WORK_TIME_MAX, answer)
            .await
            .map_err(|_| Fault::timeout(what))?
    }
}

fn method(name: &str) -> Result<Method> {
    Method::from_bytes(name.as_bytes())
        .map_err(|error| Fault::new(FaultKind::Invalid, "no such method").because(error))
}

fn looking(path: &RemotePath) -> String {
    format!("looking at `{path}`")
}

fn missing(path: &RemotePath) -> Fault {
    Fault::new(FaultKind::NotFound, format!("there is no `{path}`"))
}

/// The beginning of a body, at most [`limit::DOCUMENT_BYTES_MAX`] of it, and whether there is more.
async fn beginning(mut answer: Response) -> Result<(Bytes, bool)> {
    let mut body = BytesMut::new();
    while let Some(piece) = next_piece(&mut answer).await? {
        if body.len() + piece.len() > limit::DOCUMENT_BYTES_MAX {
            return Ok((body.freeze(), true));
        }
        body.extend_from_slice(&piece);
    }
    Ok((body.freeze(), false))
}

/// The only thing in an answer to a question about one.
async fn first(answer: Response, path: &RemotePath) -> Result<Option<Found>> {
    let answer = expect(answer, &looking(path)).await?;
    let (document, is_cut) = beginning(answer).await?;
    let (found, _) = multi_status::parse(
        Document {
            bytes: &document,
            is_cut,
        },
        1,
    )?;
    match found.into_iter().next() {
        Some(found) => Ok(found.is_there.then_some(found)),
        None => Err(Fault::protocol("the far system's multi-status is empty")),
    }
}

fn entry(name: &str, found: Found) -> RemoteEntry {
    RemoteEntry {
        name: name.to_owned(),
        kind: if found.is_folder {
            EntryKind::Folder
        } else {
            EntryKind::File
        },
        size_bytes: found.size_bytes.filter(|_| !found.is_folder),
        modified: found.modified,
        version: found.version.filter(|_| !found.is_folder),
    }
}

/// What of `found` lies in the folder at `above`, whose own description is among it.
fn children(found: Vec<Found>, above: &[String], limit: usize) -> Listing {
    let mut listing = Listing::default();
    for mut one in found {
        let names = one.names.take();
        if names.as_deref() == Some(above) {
            continue;
        }
        let name = names.and_then(|mut names| {
            let name = names.pop()?;
            (names == above && RemotePath::default().child(&name).is_ok()).then_some(name)
        });
        match name {
            None => listing.unnameable_count += 1,
            Some(_) if !one.is_there => {}
            Some(name) if listing.entries.len() < limit => {
                listing.entries.push(entry(&name, one));
            }
            Some(_) => listing.is_cut = true,
        }
    }
    listing.entries.sort_by(|a, b| a.name.cmp(&b.name));
    listing.entries.dedup_by(|a, b| a.name == b.name);
    listing
}

#[async_trait]
impl Connector for Webdav {
    fn capabilities(&self) -> Capabilities {
        Capabilities::most(RemoteKind::Webdav)
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>> {
        let found = self.find(path).await?;
        Ok(found.map(|found| entry(path.name().unwrap_or_default(), found)))
    }

    async fn list(&self, path: &RemotePath, limit: usize) -> Result<Listing> {
        let url = self.folder_url(path);
        let above = multi_status::segments(url.path()).unwrap_or_default();
        let answer = self.propfind(url, path, Depth::Children).await?;
        let answer = expect(answer.ok_or_else(|| missing(path))?, &looking(path)).await?;
        let (document, is_cut) = beginning(answer).await?;
        let (found, is_cut) = multi_status::parse(
            Document {
                bytes: &document,
                is_cut,
            },
            limit::LIST_ENTRIES_MAX + 1,
        )?;
        let is_folder = |one: &Found| one.is_folder || one.names.as_deref() != Some(&above);
        if !found.iter().all(is_folder) {
            return Err(Fault::new(
                FaultKind::NotFound,
                format!("`{path}` is no folder"),
            ));
        }
        let mut listing = children(found, &above, limit.min(limit::LIST_ENTRIES_MAX));
        listing.is_cut |= is_cut;
        Ok(listing)
    }

    async fn read(&self, path: &RemotePath, from: ReadFrom) -> Result<ByteStream> {
        let request = self.site.request(Method::GET, self.url(path));
        fetch(&self.site.client, request, path, &from).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        options: WriteOptions,
    ) -> Result<Box<dyn RemoteWriter>> {
        Ok(Box::new(writer::Writer::open(self, path, &options)?))
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        self.relocate("MOVE", (from, to), replace).await
    }

    async fn remove(&self, path: &RemotePath) -> Result<()> {
        let found = self.find(path).await?.ok_or_else(|| missing(path))?;
        if found.is_folder {
            let message = format!("`{path}` is a folder");
            return Err(Fault::new(FaultKind::Invalid, message));
        }
        let what = format!("removing `{path}`");
        let request = self.site.request(Method::DELETE, self.url(path));
        error::changed(self.send(request, &what).await?, &what).await
    }

    async fn mkdir(&self, path: &RemotePath) -> Result<()> {
        let what = format!("making the folder `{path}`");
        let request = self.site.request(method("MKCOL")?, self.folder_url(path));
        error::made(self.send(request, &what).await?, &what).await
    }

    async fn copy(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        self.relocate("COPY", (from, to), replace).await
    }

    async fn close(&self) {}
}
