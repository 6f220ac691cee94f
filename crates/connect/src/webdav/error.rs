//! From a WebDAV server's answers to faults. Some statuses mean more here than in HTTP at large (RFC 4918).

use http::StatusCode;
use reqwest::Response;

use crate::fault::{Fault, FaultKind, Result};
use crate::http::expect;

/// `answer` to a request that changes something, if it succeeded. `what` is as in "writing `/a.csv`".
pub(super) async fn changed(answer: Response, what: &str) -> Result<()> {
    let status = answer.status();
    if status == StatusCode::MULTI_STATUS {
        // Of several things some failed. We never change several, so that this is the server's way to refuse one.
        let message = format!("{what}: the far system says that some of it failed");
        return Err(Fault::new(FaultKind::Io, message));
    }
    let Err(fault) = expect(answer, what).await else {
        return Ok(());
    };
    let kind = match status {
        // The folder above is missing.
        StatusCode::CONFLICT => FaultKind::NotFound,
        StatusCode::LOCKED => FaultKind::Busy,
        _ => return Err(fault),
    };
    Err(Fault::new(kind, fault.message()).retry_after(fault.wait()))
}

/// The answer to MKCOL, which has a status of its own for a name that is taken.
pub(super) async fn made(answer: Response, what: &str) -> Result<()> {
    if answer.status() == StatusCode::METHOD_NOT_ALLOWED {
        let message = format!("{what}: something with that name is there already");
        return Err(Fault::new(FaultKind::Exists, message));
    }
    changed(answer, what).await
}
