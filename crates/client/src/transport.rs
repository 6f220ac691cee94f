//! Sends calls, tries them again when that is honest, and turns every failure into one [`Error`].

use std::time::Duration;

use bailee_api::Problem;
use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Method, Response};
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use crate::call::Call;
use crate::chance::idempotency_key;
use crate::client::innermost;
use crate::retry::{Failure, next_delay};
use crate::{Client, Error, Phase, Result, limit};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const RETRY_COUNT: HeaderName = HeaderName::from_static("bailee-retry-count");
const PROBLEM_CODE: &str = "bailee-problem";
const REQUEST_ID: &str = "x-request-id";

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status, always 2xx.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// How often the call was tried again before this answer.
    pub retries: u32,
}

/// An answer whose body is still to be read.
pub(crate) struct Opened {
    pub(crate) response: Response,
    pub(crate) host: String,
}

impl Opened {
    /// The next bytes of the body, `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.chunk_within(limit::READ_TIMEOUT).await
    }

    /// The same, of a body in which nothing may be silent for longer than this.
    pub(crate) async fn chunk_within(&mut self, patience: Duration) -> Result<Option<Bytes>> {
        match timeout(patience, self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(reading_failed(&self.host, innermost(&error))),
            Err(_) => Err(reading_failed(&self.host, too_slow())),
        }
    }

    /// The failure of a body that should have gone on.
    pub(crate) fn ended(&self) -> Error {
        reading_failed(&self.host, "the answer ended".to_owned())
    }
}

impl Client {
    /// Sends and reads a JSON answer.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let answer = self.send(call).await?;
        decode(&answer.body)
    }

    /// Sends and deletes: a thing that is gone at the second try was deleted by the first, whose answer was lost.
    pub(crate) async fn gone(&self, call: Call) -> Result<()> {
        let mut retries = 0;
        match self.send_counted(call, &mut retries).await {
            Err(Error::Api { status: 404, .. }) if retries > 0 => Ok(()),
            other => other.map(drop),
        }
    }

    /// Sends and reads the whole answer.
    pub(crate) async fn send(&self, call: Call) -> Result<Answer> {
        self.send_counted(call, &mut 0).await
    }

    /// The same, and tells through `retries` how often it tried again, whatever the end.
    pub(crate) async fn send_counted(&self, call: Call, retries: &mut u32) -> Result<Answer> {
        let work = async {
            let call = self.keyed(call)?;
            loop {
                let failure = match self.try_whole(&call, *retries).await {
                    Ok(answer) => return Ok(answer),
                    Err(failure) => failure,
                };
                self.pause_or_fail(failure, *retries).await?;
                *retries += 1;
            }
        };
        within(self.deadline, work).await
    }

    /// Sends and hands out the answer with its body unread. The deadline is the caller's matter.
    pub(crate) async fn open(&self, call: Call) -> Result<Opened> {
        let call = self.keyed(call)?;
        let mut retries = 0;
        loop {
            match self.open_once(&call, retries).await {
                Ok(opened) => return Ok(opened),
                Err(failure) => self.pause_or_fail(failure, retries).await?,
            }
            retries += 1;
        }
    }

    /// The same, tried just once.
    pub(crate) async fn open_once(&self, call: &Call, retries: u32) -> Result<Opened> {
        Ok(Opened {
            response: self.try_head(call, retries).await?,
            host: self.inner.host.clone(),
        })
    }

    /// Every POST gets a key that stays the same over its retries.
    fn keyed(&self, call: Call) -> Result<Call> {
        if call.method == Method::POST && !call.headers.contains_key(IDEMPOTENCY_KEY) {
            let key = idempotency_key(&*self.inner.chance);
            return call.header(IDEMPOTENCY_KEY, &key);
        }
        Ok(call)
    }

    pub(crate) async fn pause_or_fail(&self, error: Error, retries_done: u32) -> Result<()> {
        let delay = match failure_of(&error) {
            Some(failure) => next_delay(&self.retry, retries_done, failure, &*self.inner.chance),
            None => None,
        };
        let Some(delay) = delay else {
            return Err(error);
        };
        tracing::info!(
            code = error.code(),
            retry = retries_done + 1,
            delay_ms = delay.as_millis() as u64,
            "call failed, trying again: {error}"
        );
        if let Some(tell) = &self.inner.on_retry {
            tell(&error, delay);
        }
        sleep(delay).await;
        Ok(())
    }

    async fn try_whole(&self, call: &Call, retries: u32) -> Result<Answer> {
        let mut opened = self.open_once(call, retries).await?;
        let (status, headers) = (
            opened.response.status().as_u16(),
            opened.response.headers().clone(),
        );
        let mut body = BytesMut::new();
        while let Some(chunk) = opened.chunk().await? {
            if body.len() + chunk.len() > limit::ANSWER_BODY_BYTES {
                return Err(Error::usage("the answer is too large to be held in memory"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            headers,
            body: body.freeze(),
            retries,
        })
    }

    async fn try_head(&self, call: &Call, retries: u32) -> Result<Response> {
        let mut request = self
            .inner
            .http
            .request(call.method.clone(), call.url(&self.inner.base))
            .headers(call.headers.clone());
        if retries > 0 {
            request = request.header(RETRY_COUNT, retries);
        }
        let mut patience = limit::READ_TIMEOUT;
        if let Some(body) = &call.body {
            patience += Duration::from_secs(body.len() as u64 / limit::SEND_RATE_MIN);
            request = request.body(body.clone());
        }
        let failed = |phase: Phase, reason: String| Error::Connection {
            phase,
            outcome_unknown: phase != Phase::Connecting && call.method != Method::GET,
            host: self.inner.host.clone(),
            reason,
        };
        let response = match timeout(patience, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_builder() => {
                return Err(Error::usage(innermost(&error)));
            }
            Ok(Err(error)) => return Err(failed(phase_of(&error), innermost(&error))),
            Err(_) => return Err(failed(Phase::Waiting, too_slow())),
        };
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refused(response).await)
    }

    /// The error for an answer that is no success.
    async fn refused(&self, response: Response) -> Error {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut opened = Opened {
            response,
            host: self.inner.host.clone(),
        };
        let mut body = BytesMut::new();
        while let Ok(Some(chunk)) = opened.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > limit::ERROR_BODY_BYTES {
                break;
            }
        }
        Error::Api {
            problem: Box::new(problem_of(status, &headers, &body)),
            status,
        }
    }
}

/// Runs `work`, but not for longer than `deadline`.
pub(crate) async fn within<T>(
    deadline: Option<Duration>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    match deadline {
        None => work.await,
        Some(deadline) => timeout(deadline, work)
            .await
            .unwrap_or(Err(Error::Deadline(deadline))),
    }
}

pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        Error::usage_hint(
            format!("the answer is not what this version expects: {error}"),
            "Is it a Bailee server, and not older than this client?",
        )
    })
}

fn failure_of(error: &Error) -> Option<Failure<'_>> {
    match error {
        Error::Connection { .. } => Some(Failure::Connection),
        Error::Api { problem, status } => Some(Failure::Answered {
            status: *status,
            code: Some(&problem.code),
            retryable: Some(problem.retryable),
            retry_after_seconds: problem.retry_after.map(u64::from),
        }),
        _ => None,
    }
}

fn phase_of(error: &reqwest::Error) -> Phase {
    if error.is_connect() {
        Phase::Connecting
    } else if error.is_body() {
        Phase::Sending
    } else {
        Phase::Waiting
    }
}

fn reading_failed(host: &str, reason: String) -> Error {
    Error::Connection {
        phase: Phase::Reading,
        outcome_unknown: false,
        host: host.to_owned(),
        reason,
    }
}

fn too_slow() -> String {
    "nothing came for too long".to_owned()
}

/// The problem in an answer; for one without (a proxy's page, an empty answer of a download) one with the same facts.
fn problem_of(status: u16, headers: &HeaderMap, body: &[u8]) -> Problem {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let retry_after = text(RETRY_AFTER.as_str()).and_then(|value| value.trim().parse().ok());
    let is_problem = text(CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.starts_with("application/problem+json"));
    if is_problem && let Ok(mut problem) = serde_json::from_slice::<Problem>(body) {
        problem.retry_after = retry_after.or(problem.retry_after);
        return problem;
    }
    made_problem(&Made {
        status,
        code: text(PROBLEM_CODE),
        request_id: text(REQUEST_ID),
        retry_after,
    })
}

/// Facts for a problem document that the server did not send.
struct Made<'a> {
    status: u16,
    code: Option<&'a str>,
    request_id: Option<&'a str>,
    retry_after: Option<u32>,
}

fn made_problem(made: &Made<'_>) -> Problem {
    let title = reqwest::StatusCode::from_u16(made.status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Unexpected answer");
    Problem {
        type_url: "about:blank".to_owned(),
        title: title.to_owned(),
        status: made.status,
        code: made.code.unwrap_or("unexpected_answer").to_owned(),
        detail: format!(
            "The answer was {} {title}, without a problem document.",
            made.status
        ),
        instance: String::new(),
        request_id: made
            .request_id
            .and_then(|id| id.parse().ok())
            .unwrap_or(bailee_model::RequestId::from_bits(0)),
        retryable: crate::retry::is_transient_status(made.status),
        retry_after: made.retry_after,
        hint: String::new(),
        decision_id: None,
        errors: Vec::new(),
        extra: std::collections::BTreeMap::new(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_read_and_the_header_says_when_to_try_again() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "application/problem+json".parse().unwrap());
        headers.insert(RETRY_AFTER, "17".parse().unwrap());
        let body = br#"{"type":"https://h/docs/problems/rate_limited/","title":"Too many","status":429,"code":"rate_limited",
            "detail":"Slow down.","instance":"/v1/files","request_id":"req_01m7yp4sg1e35rw9hmckwyqppc","retryable":true,"retry_after":3,
            "hint":"Wait.","decision_id":null,"errors":[],"violated_policies":["read"]}"#;
        let problem = problem_of(429, &headers, body);
        assert_eq!(
            (problem.code.as_str(), problem.retry_after),
            ("rate_limited", Some(17))
        );
        assert!(problem.extra.contains_key("violated_policies"));
    }

    #[test]
    fn an_answer_without_a_problem_becomes_one() {
        let mut headers = HeaderMap::new();
        headers.insert("bailee-problem", "file_not_ready".parse().unwrap());
        headers.insert(
            REQUEST_ID,
            "req_01m7yp4sg1e35rw9hmckwyqppc".parse().unwrap(),
        );
        let problem = problem_of(409, &headers, b"");
        assert_eq!(problem.code, "file_not_ready");
        assert_eq!(
            problem.request_id.to_string(),
            "req_01m7yp4sg1e35rw9hmckwyqppc"
        );
        let page = problem_of(502, &HeaderMap::new(), b"<html>bad gateway</html>");
        assert!(page.retryable && page.code == "unexpected_answer");
    }

    #[tokio::test]
    async fn a_deadline_ends_any_work() {
        let never = std::future::pending::<Result<()>>();
        let limit = Duration::from_millis(5);
        assert!(matches!(within(Some(limit), never).await, Err(Error::Deadline(d)) if d == limit));
        assert!(within(None, async { Ok(()) }).await.is_ok());
    }
}
