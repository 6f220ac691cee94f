//! The few calls of Bailee's API that a connector needs, with as much of their bodies as it reads.

use bailee_model::Timestamp;
use http::Method;
use http::header::{CONTENT_TYPE, IF_MATCH};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::error;
use crate::connector::Replace;
use crate::fault::{Fault, Result};
use crate::http::{Sending, Site, document};
use crate::limit;

/// A file version.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct File {
    #[serde(rename = "file_id")]
    pub(super) id: String,
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) hash: String,
    pub(super) hash_algorithm: String,
    pub(super) created_at: String,
    pub(super) state: String,
}

/// A folder.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) created_at: String,
}

/// What a folder holds, told apart by `type`.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Entry {
    File(File),
    Folder(Folder),
    #[serde(other)]
    Other,
}

/// A page of them.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    pub(super) data: Vec<Entry>,
    pub(super) next_cursor: Option<String>,
}

/// An upload by parts.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Session {
    #[serde(rename = "session_id")]
    pub(super) id: String,
    pub(super) state: String,
    /// Numbers of the parts that are held, ascending.
    pub(super) received: Vec<u32>,
    pub(super) bytes_received: u64,
}

/// A part that is held.
#[derive(Debug, Deserialize)]
pub(super) struct Part {
    pub(super) size: u64,
}

/// What an upload is opened with.
#[derive(Debug, Serialize)]
pub(super) struct OpenUpload<'a> {
    pub(super) destination: &'a str,
    pub(super) filename: &'a str,
    pub(super) overwrite: bool,
    pub(super) part_size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u64>,
}

/// The API of one server. Paths are Bailee's own: absolute, the root is `/`.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub(super) site: Site,
}

pub(super) fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text)
}

impl Api {
    /// Whether the key is good.
    pub(super) async fn validate(&self) -> Result<()> {
        let answer = self.call(Method::GET, &["auth", "validate"]).await?;
        let answer = error::expect(answer, "asking whether the API key is good").await?;
        let found: serde_json::Value = body(answer).await?;
        match found.get("tenant_id") {
            Some(_) => Ok(()),
            None => Err(Fault::protocol("what answered is no Bailee")),
        }
    }

    pub(super) async fn file(&self, path: &str) -> Result<Option<File>> {
        let request = self
            .request(Method::GET, &["files", "lookup"])
            .query(&[("path", path)]);
        self.find(request, path).await
    }

    pub(super) async fn folder(&self, path: &str) -> Result<Option<Folder>> {
        let request = self
            .request(Method::GET, &["folders"])
            .query(&[("path", path)]);
        self.find(request, path).await
    }

    /// A page of what the folder at `path` holds; `None` if there is none.
    pub(super) async fn children(&self, path: &str, cursor: Option<&str>) -> Result<Option<Page>> {
        let mut request = self
            .request(Method::GET, &["folders", "children"])
            .query(&[("path", path)])
            .query(&[("limit", limit::BAILEE_PAGE_ENTRIES)]);
        if let Some(cursor) = cursor {
            request = request.query(&[("cursor", cursor)]);
        }
        self.find(request, path).await
    }

    /// A request for the bytes that `file_id` names for ever.
    pub(super) fn download(&self, file_id: &str) -> RequestBuilder {
        self.request(Method::GET, &["files", file_id, "download"])
    }

    /// Makes a folder whose parent is there; false if it was there already.
    pub(super) async fn make_folder(&self, path: &str) -> Result<bool> {
        let request = self.request(Method::POST, &["folders"]);
        let answer = self.send(request.json(&json!({ "path": path }))).await?;
        let answer = error::expect(answer, &format!("making the folder `{path}`")).await?;
        Ok(answer.status() == http::StatusCode::CREATED)
    }

    pub(super) async fn move_file(&self, file_id: &str, to: &str) -> Result<()> {
        let request = self
            .request(Method::PATCH, &["files", file_id])
            .header(IF_MATCH, "*")
            .json(&json!({ "path": to }));
        self.done(request, &format!("renaming to `{to}`")).await
    }

    pub(super) async fn move_folder(&self, from: &str, to: &str) -> Result<()> {
        let request = self
            .request(Method::PATCH, &["folders"])
            .query(&[("path", from)])
            .json(&json!({ "path": to }));
        self.done(request, &format!("renaming `{from}` to `{to}`"))
            .await
    }

    pub(super) async fn copy(&self, file_id: &str, to: &str, replace: Replace) -> Result<()> {
        let request = self
            .request(Method::POST, &["files", file_id, "copy"])
            .json(&json!({ "path": to, "overwrite": replace == Replace::Yes }));
        self.done(request, &format!("copying to `{to}`")).await
    }

    /// Removes the file version that was found, and no other that may have come to its path since.
    pub(super) async fn remove(&self, file_id: &str, path: &str) -> Result<()> {
        let request = self
            .request(Method::DELETE, &["files", file_id])
            .header(IF_MATCH, "*");
        self.done(request, &format!("removing `{path}`")).await
    }

    pub(super) async fn open_upload(&self, wish: &OpenUpload<'_>) -> Result<Session> {
        let request = self.request(Method::POST, &["uploads"]).json(wish);
        let answer = self.send(request).await?;
        let what = format!("writing `{}/{}`", wish.destination, wish.filename);
        body(error::expect(answer, &what).await?).await
    }

    pub(super) async fn upload(&self, session_id: &str) -> Result<Option<Session>> {
        let request = self.request(Method::GET, &["uploads", session_id]);
        self.find(request, "the upload").await
    }

    pub(super) fn begin_part(&self, session_id: &str, number: u32, length: Option<u64>) -> Sending {
        let number = number.to_string();
        let request = self
            .request(Method::PUT, &["uploads", session_id, "parts", &number])
            .header(CONTENT_TYPE, "application/octet-stream");
        Sending::begin(&self.site.client, request, length)
    }

    /// The answer to a part.
    pub(super) async fn part(answer: Response) -> Result<Part> {
        body(error::expect(answer, "sending a part").await?).await
    }

    /// Joins the parts. Doing it again gives the same answer.
    pub(super) async fn complete(&self, session_id: &str) -> Result<File> {
        let request = self
            .request(Method::POST, &["uploads", session_id, "complete"])
            .json(&json!({}));
        let answer = self.send(request).await?;
        body(error::expect(answer, "joining the parts").await?).await
    }

    /// Gives an upload up; one that has ended or is not known has been given up.
    pub(super) async fn abandon(&self, session_id: &str) -> Result<()> {
        let request = self.request(Method::DELETE, &["uploads", session_id]);
        let answer = self.send(request).await?;
        if matches!(answer.status().as_u16(), 404 | 409 | 410) {
            return Ok(());
        }
        error::expect(answer, "giving up an upload").await?;
        Ok(())
    }

    async fn find<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        what: &str,
    ) -> Result<Option<T>> {
        let answer = self.send(request).await?;
        match error::found(answer, &format!("looking at `{what}`")).await? {
            Some(answer) => Ok(Some(body(answer).await?)),
            None => Ok(None),
        }
    }

    async fn done(&self, request: RequestBuilder, what: &str) -> Result<()> {
        error::expect(self.send(request).await?, what).await?;
        Ok(())
    }

    async fn call(&self, method: Method, names: &[&str]) -> Result<Response> {
        self.send(self.request(method, names)).await
    }

    fn request(&self, method: Method, names: &[&str]) -> RequestBuilder {
        self.site.request(method, self.url(names))
    }

    fn url(&self, names: &[&str]) -> Url {
        self.site
            .url(["v1"].into_iter().chain(names.iter().copied()))
    }

    /// Sends what may take the server a while.
    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let answer = self.site.client.send_patiently(request);
        tokio::time::timeout(limit::FAR_WORK_TIME_MAX, answer)
            .await
            .map_err(|_| Fault::timeout("Bailee's answer"))?
    }
}

async fn body<T: DeserializeOwned>(answer: Response) -> Result<T> {
    let text = document(answer, limit::DOCUMENT_BYTES_MAX).await?;
    serde_json::from_slice(&text)
        .map_err(|error| Fault::protocol("Bailee's answer cannot be read").because(error))
}
