use axum::extract::{FromRequest, Request};
use bailee_model::{Error, ErrorKind, limit};
use http::{HeaderMap, header};
use serde_json::Value;

use super::json::collect;
use crate::body;
use crate::problem::Failure;

/// A document of its author's own shape, in JSON or YAML. What its fields mean is core's to judge.
pub(crate) struct Document(pub(crate) Value);

/// The two forms of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Yaml,
}

impl<S: Send + Sync> FromRequest<S> for Document {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let form = form(request.headers())?;
        body::check_declared(request.headers(), limit::FLOW_DOCUMENT_BYTES_MAX)?;
        let content = collect(request).await?;
        if content.len() > limit::FLOW_DOCUMENT_BYTES_MAX {
            let most = limit::FLOW_DOCUMENT_BYTES_MAX;
            let detail = format!("A document may have at most {most} bytes.");
            return Err(Error::new(ErrorKind::BodyTooLarge, detail).into());
        }
        let value = match form {
            Form::Json => json(&content)?,
            Form::Yaml => yaml(&content)?,
        };
        if !value.is_object() {
            let detail = "A document is an object.";
            return Err(Error::field("#", "invalid", detail).into());
        }
        Ok(Self(value))
    }
}

fn form(headers: &HeaderMap) -> Result<Form, Error> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| {
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase()
        });
    match kind.as_deref() {
        Some("application/json") => Ok(Form::Json),
        Some("application/yaml" | "application/x-yaml" | "text/yaml") => Ok(Form::Yaml),
        _ => Err(Error::new(
            ErrorKind::UnsupportedMediaType,
            "This route takes `application/json` and `application/yaml`.",
        )),
    }
}

fn json(content: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(content).map_err(|error| {
        Error::new(
            ErrorKind::MalformedRequest,
            format!("The body is not JSON: {error}."),
        )
    })
}

/// YAML 1.2 without aliases: a small body must not become a large document.
fn yaml(content: &[u8]) -> Result<Value, Error> {
    let limits = serde_saphyr::alias_limits! { max_total_replayed_events: 0 };
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        strict_booleans: true,
        alias_limits: limits,
    };
    serde_saphyr::from_slice_with_options(content, options).map_err(|error| {
        let told = error.to_string();
        let first = told
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end_matches('.');
        Error::new(
            ErrorKind::MalformedRequest,
            format!("The body is not YAML: {first}."),
        )
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_reads_like_json() {
        let text = "name: a\nsteps:\n  - id: x\n    kind: wait\n    for: 5m\n    n: 3\n    on: true\n    time: '06:00'\n";
        let read = yaml(text.as_bytes()).unwrap();
        let same = json!({"name": "a", "steps": [{"id": "x", "kind": "wait", "for": "5m", "n": 3, "on": true, "time": "06:00"}]});
        assert_eq!(read, same);
        assert_eq!(yaml(same.to_string().as_bytes()).unwrap(), same);
    }

    #[test]
    fn what_is_no_yaml_or_would_grow_is_refused() {
        for text in [
            "a: [",
            "a: 1\na: 2\n",
            "a: &x [1]\nb: *x\n",
            "a: b: c",
            "\u{0}",
        ] {
            let error = yaml(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MalformedRequest, "{text:?}");
        }
    }
}
