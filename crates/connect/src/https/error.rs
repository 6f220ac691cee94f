//! From a web server's answers to faults.

use http::StatusCode;
use reqwest::Response;

use crate::fault::{Fault, FaultKind, Result};
use crate::http::expect;
use crate::path::RemotePath;

/// `answer` if it succeeded. A conflict is about the folder above: web servers replace files without asking.
pub(super) async fn written(answer: Response, path: &RemotePath) -> Result<Response> {
    let is_conflict = answer.status() == StatusCode::CONFLICT;
    match expect(answer, &format!("writing `{path}`")).await {
        Err(fault) if is_conflict => Err(Fault::new(FaultKind::NotFound, fault.message())),
        other => other,
    }
}

/// What an answer to the first request says of the credential. The base itself need not be there for us: whether files
/// beneath it are, each of them says.
pub(super) async fn signed_in(answer: Response) -> Result<()> {
    let is_refused = matches!(
        answer.status(),
        StatusCode::UNAUTHORIZED
            | StatusCode::PROXY_AUTHENTICATION_REQUIRED
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    );
    if is_refused {
        expect(answer, "asking for the base URL").await?;
    }
    Ok(())
}
