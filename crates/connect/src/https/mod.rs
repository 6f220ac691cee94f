//! Files at URLs, behind any web server: read with `GET`, and where the server takes them, written with `PUT` or `POST`.
//!
//! A read may begin anywhere: where the server does not know ranges, what lies before the offset comes over the line and
//! is dropped here. What was meant is told by entity tag, or by the time of change where there is none. Bytes are asked
//! for as they are; a server that packs them for the way all the same is refused, since they would not be the file's.
//! A file is written in one request that starts over after a cut, and may be seen half until then. There are no
//! listings, folders, renames or copies: HTTP has none.

mod config;
mod error;
mod writer;

use async_trait::async_trait;
use bailee_model::RemoteKind;
use http::{Method, StatusCode};
use reqwest::Response;
use url::Url;

pub use self::config::{HttpsConfig, HttpsMethod};
use crate::connector::{
    ByteStream, Capabilities, Connector, EntryKind, Listing, ReadFrom, RemoteEntry, RemoteWriter,
    Replace, WriteOptions,
};
use crate::egress::EgressGuard;
use crate::fault::{Fault, Result};
use crate::http::{Head, Site, expect, fetch};
use crate::path::RemotePath;

/// One web server as far system.
#[derive(Clone, Debug)]
pub(crate) struct Https {
    site: Site,
    can_write: bool,
    method: HttpsMethod,
}

impl Https {
    pub(crate) async fn open(config: &HttpsConfig, guard: &EgressGuard) -> Result<Self> {
        let site = Site::open(
            guard,
            (&config.base_url, &config.auth),
            &config.tls,
            config.proxy.as_ref(),
        )?;
        let request = site.request(Method::HEAD, site.folder_url([]));
        error::signed_in(site.client.send(request).await?).await?;
        Ok(Self {
            site,
            can_write: config.can_write,
            method: config.method,
        })
    }

    fn url(&self, path: &RemotePath) -> Url {
        self.site.url(path.names().iter().map(String::as_str))
    }

    fn write_method(&self) -> Method {
        match self.method {
            HttpsMethod::Put => Method::PUT,
            HttpsMethod::Post => Method::POST,
        }
    }

    /// What the server tells of a file; `None` if there is none.
    async fn head(&self, path: &RemotePath) -> Result<Option<Head>> {
        let answer = self.ask(Method::HEAD, path).await?;
        match answer.status() {
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            // Some servers know GET alone. Its answer is dropped before the body comes.
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                self.head_by_reading(path).await
            }
            _ => Ok(Some(Head::of(&expect(answer, &looking(path)).await?))),
        }
    }

    async fn head_by_reading(&self, path: &RemotePath) -> Result<Option<Head>> {
        let answer = self.ask(Method::GET, path).await?;
        match answer.status() {
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            _ => Ok(Some(Head::of(&expect(answer, &looking(path)).await?))),
        }
    }

    async fn ask(&self, method: Method, path: &RemotePath) -> Result<Response> {
        let request = self.site.request(method, self.url(path));
        self.site.client.send(request).await
    }
}

fn looking(path: &RemotePath) -> String {
    format!("looking at `{path}`")
}

#[async_trait]
impl Connector for Https {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            can_write: self.can_write,
            can_remove: self.can_write && self.method == HttpsMethod::Put,
            ..Capabilities::most(RemoteKind::Https)
        }
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>> {
        if path.is_start() {
            return Ok(Some(RemoteEntry {
                name: String::new(),
                kind: EntryKind::Folder,
                size_bytes: None,
                modified: None,
                version: None,
            }));
        }
        let found = self.head(path).await?;
        Ok(found.map(|head| RemoteEntry {
            name: path.name().unwrap_or_default().to_owned(),
            kind: EntryKind::File,
            size_bytes: head.size_bytes,
            modified: head.modified,
            version: head.version,
        }))
    }

    async fn list(&self, _: &RemotePath, _: usize) -> Result<Listing> {
        Err(Fault::unsupported("listing"))
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
        if !self.can_write {
            return Err(Fault::unsupported("writing"));
        }
        Ok(Box::new(writer::Writer::open(self, path, &options)?))
    }

    async fn rename(&self, _: &RemotePath, _: &RemotePath, _: Replace) -> Result<()> {
        Err(Fault::unsupported("renaming"))
    }

    async fn remove(&self, path: &RemotePath) -> Result<()> {
        if !self.capabilities().can_remove {
            return Err(Fault::unsupported("removing"));
        }
        let answer = self.ask(Method::DELETE, path).await?;
        expect(answer, &format!("removing `{path}`")).await?;
        Ok(())
    }

    async fn mkdir(&self, _: &RemotePath) -> Result<()> {
        Err(Fault::unsupported("making a folder"))
    }

    async fn close(&self) {}
}
