//! A caller of the API: an address, perhaps a key, and answers that say what is wrong with them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Form, PATIENCE, answers, background};

/// One caller: a key at a server.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    origin: String,
    mount: &'static str,
    key: Option<String>,
}

impl Api {
    pub(crate) fn new(client: Client, origin: &str, key: Option<&str>) -> Self {
        Self {
            client,
            origin: origin.to_owned(),
            mount: "/v1",
            key: key.map(ToOwned::to_owned),
        }
    }

    /// The same server with another key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self.clone()
        }
    }

    /// The same server without a credential.
    pub(crate) fn nobody(&self) -> Self {
        Self {
            key: None,
            ..self.clone()
        }
    }

    /// The same caller below another mount: `/v1` or nothing.
    pub(crate) fn mounted(&self, mount: &'static str) -> Self {
        Self {
            mount,
            ..self.clone()
        }
    }

    /// The text of the key.
    pub(crate) fn key(&self) -> &str {
        self.key.as_deref().unwrap()
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        self.at(method, &format!("{}{path}", self.mount))
    }

    /// A call of a path that is below no mount.
    pub(crate) fn at(&self, method: Method, path: &str) -> Call {
        let url = format!("{}{path}", self.origin);
        let mut request = self
            .client
            .request(method.clone(), url)
            .timeout(PATIENCE * 2);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        Call {
            request,
            named: format!("{method} {path}"),
            method,
            path: path.to_owned(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) fn head(&self, path: &str) -> Call {
        self.call(Method::HEAD, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub(crate) fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    pub(crate) fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// Uploads a new file and answers its object.
    pub(crate) async fn upload(&self, path: &str, content: &[u8]) -> Value {
        let (folder, name) = path
            .trim_start_matches('/')
            .rsplit_once('/')
            .unwrap_or(("/", path.trim_start_matches('/')));
        let form = Form::new().text("destination", folder).file(name, content);
        form.upload(self).await.is(201).json()
    }

    /// The bytes of a file by its id.
    pub(crate) async fn download(&self, file_id: &str) -> Bytes {
        let answer = self.get(&format!("/files/{file_id}/download")).send().await;
        answer.is(200).body.clone()
    }

    /// Makes a key of the caller's own principal.
    pub(crate) async fn new_key(&self, wish: Value) -> Value {
        self.post("/api-keys")
            .json(&wish)
            .send()
            .await
            .is(201)
            .json()
    }

    /// A caller with a key of these scopes.
    pub(crate) async fn scoped(&self, scopes: &[&str]) -> Self {
        let made = self
            .new_key(json!({"name": "scoped", "scopes": scopes}))
            .await;
        self.with_key(made["api_key"].as_str().unwrap())
    }

    /// Polls a transfer by long polling until it ends; answers its status.
    pub(crate) async fn end_of_transfer(&self, transfer_id: &str) -> Value {
        let begun = Instant::now();
        loop {
            let path = format!("/transfers/{transfer_id}/status?wait=10");
            let status = self.get(&path).send().await.is(200).json();
            if ["completed", "failed"].contains(&status["state"].as_str().unwrap()) {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE * 2, "no end: {status}");
        }
    }

    /// Submits a transfer and waits for its end; answers its status.
    pub(crate) async fn transfer(&self, source: &str, destination: &str) -> Value {
        let wish = json!({"source": source, "destination": destination});
        let made = self
            .post("/transfers")
            .json(&wish)
            .send()
            .await
            .is(202)
            .json();
        self.end_of_transfer(made["transfer_id"].as_str().unwrap())
            .await
    }

    /// All rows of a list, page by page.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut next = path.to_owned();
        loop {
            let page = self.get(&next).send().await.is(200).json();
            rows.extend(page["data"].as_array().unwrap().iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else {
                return rows;
            };
            next = format!("{path}&cursor={cursor}");
        }
    }

    /// The newest audit records that a filter (`operation=…`) selects, once there is one at least.
    pub(crate) async fn records(&self, filter: &str) -> Vec<Value> {
        self.records_from(1, filter).await
    }

    /// The same, once there are `least`: the audit trail is read behind the journal.
    pub(crate) async fn records_from(&self, least: usize, filter: &str) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let page = self
                .get(&format!("/audit?{filter}"))
                .send()
                .await
                .is(200)
                .json();
            let found = page["data"].as_array().unwrap();
            if found.len() >= least {
                return found.clone();
            }
            let count = found.len();
            assert!(
                begun.elapsed() < PATIENCE,
                "{count} of {least} audit records for {filter}"
            );
            tokio::time::sleep(super::LOOK_EVERY).await;
        }
    }
}

/// A request under way to be sent.
pub(crate) struct Call {
    request: RequestBuilder,
    named: String,
    method: Method,
    path: String,
}

impl Call {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.body(body);
        self
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.request = self.request.timeout(timeout);
        self
    }

    /// The same request, to be sent once more; of bodies that are no streams.
    pub(crate) fn again(&self) -> Self {
        Self {
            request: self.request.try_clone().unwrap(),
            named: self.named.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
        }
    }

    pub(crate) async fn send(self) -> Answer {
        let named = self.named.clone();
        match self.try_send().await {
            Ok(answer) => answer,
            Err(error) => panic!("{named}: {error:?}"),
        }
    }

    /// For requests that may lose their connection.
    pub(crate) async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let whole = async move {
            let response = self.request.send().await?;
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            let answer = Answer {
                status,
                headers,
                body: response.bytes().await?,
                named: self.named,
            };
            answers::note(
                self.method.as_str(),
                &self.path,
                status,
                &answer.told_code(),
            );
            Ok(answer)
        };
        background().spawn(whole).await.unwrap()
    }

    /// For bodies that are read as they come.
    pub(crate) async fn open(self) -> reqwest::Response {
        background()
            .spawn(self.request.send())
            .await
            .unwrap()
            .unwrap()
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    named: String,
}

impl Answer {
    /// Asserts the status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        let body = String::from_utf8_lossy(&self.body);
        let shown: String = body.chars().take(600).collect();
        assert_eq!(self.status, status, "{}: {shown}", self.named);
        self
    }

    /// Asserts a problem document with this status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        self.is(status);
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.named
        );
        let problem = self.json();
        assert_eq!(problem["code"], code, "{}: {problem}", self.named);
        assert_eq!(problem["status"], status, "{}: {problem}", self.named);
        assert!(
            problem["type"]
                .as_str()
                .unwrap()
                .ends_with(&format!("/docs/problems/{code}/"))
        );
        for member in ["title", "detail", "instance", "request_id", "hint"] {
            assert!(
                problem[member].is_string(),
                "{}: no {member} in {problem}",
                self.named
            );
        }
        for member in ["retryable", "retry_after", "decision_id", "errors"] {
            assert!(
                problem.get(member).is_some(),
                "{}: no {member} in {problem}",
                self.named
            );
        }
        problem
    }

    /// The code of a problem, else nothing. Answers of HEAD and of streams have no document to look at.
    pub(crate) fn code(&self) -> String {
        let problem: Option<Value> = serde_json::from_slice(&self.body).ok();
        let code = problem
            .as_ref()
            .and_then(|problem| problem["code"].as_str());
        match code {
            Some(code) if self.status >= 400 => code.to_owned(),
            _ => self.header("bailee-problem").to_owned(),
        }
    }

    /// Its own code, or the one that it tells of a transfer.
    fn told_code(&self) -> String {
        let told: Option<Value> = serde_json::from_slice(&self.body).ok();
        match told.as_ref().and_then(|told| told["error_code"].as_str()) {
            Some(code) if self.status < 400 => code.to_owned(),
            _ => self.code(),
        }
    }

    /// Whether it is this refusal, for those who collect what is not. Not every answer to HEAD can say more than its status.
    pub(crate) fn is_refusal(&self, status: u16, code: &str) -> Result<(), String> {
        let found = self.code();
        if self.status == status && (found == code || found.is_empty()) {
            Ok(())
        } else {
            Err(format!("{} {found}", self.status))
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{} answers no JSON ({error}): {:?}", self.named, self.body),
        }
    }

    /// A header's text; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}
