use reqwest::Method;
use reqwest::header::IF_MATCH;

use crate::call::Call;
use crate::transport::Answer;
use crate::{Client, Error, Result};

/// Any call of the API, for what has no method here.
#[derive(Clone, Debug, Default)]
pub struct RawCall {
    /// `GET`, `POST`, …
    pub method: String,
    /// Below `/v1`: `/transfers`. May hold a query.
    pub path: String,
    /// Further query parameters.
    pub query: Vec<(String, String)>,
    /// Body, sent as JSON.
    pub body: Option<serde_json::Value>,
    /// ETag that the thing must still have.
    pub if_match: Option<String>,
}

impl Client {
    /// Sends any call, with the retries of all others.
    pub async fn raw(&self, raw: RawCall) -> Result<Answer> {
        let method = Method::from_bytes(raw.method.as_bytes())
            .map_err(|_| Error::usage(format!("`{}` is no HTTP method", raw.method)))?;
        let path = raw.path.strip_prefix("/v1/").map(|rest| format!("/{rest}"));
        let path = path.unwrap_or(raw.path);
        if !path.starts_with('/') {
            return Err(Error::usage_hint(
                format!("`{path}` is no path of the API"),
                "It begins with a slash: /transfers",
            ));
        }
        let mut call = Call::new(method, path).queries(raw.query);
        if let Some(body) = &raw.body {
            call = call.json(body)?;
        }
        if let Some(etag) = &raw.if_match {
            call = call.header(IF_MATCH, etag)?;
        }
        self.send(call).await
    }
}
