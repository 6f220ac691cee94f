//! Rules about far systems.

use bailee_model::{
    Circuit, Finding, HealthState, PageRequest, Remote, RemoteHealth, Result, Timestamp, limit,
};
use bailee_store::Reader;

use super::error;

/// Remotes that cannot be reached since before a time, or to which transfers wait since then.
pub(super) async fn failing_remotes(
    reader: &Reader,
    since: Timestamp,
) -> Result<Vec<(String, Finding)>> {
    let mut wrong = Vec::new();
    for (remote, health) in remotes(reader).await? {
        let is_bad = health.state == HealthState::Unhealthy || health.circuit != Circuit::Closed;
        let Some(fell) = health.since.filter(|fell| is_bad && *fell <= since) else {
            continue;
        };
        let cause = health.cause.as_ref();
        let (problem, told) = if health.circuit == Circuit::Closed {
            ("unhealthy", "does not fare well")
        } else {
            ("circuit_open", "is left alone by transfers")
        };
        let why = cause.map_or(String::new(), |cause| format!(": {}", cause.message));
        let finding = Finding {
            problem,
            summary: format!("The remote `{}` {told} since {fell}{why}", remote.name),
            facts: serde_json::json!({
                "remote_id": remote.id, "remote": remote.name, "since": fell,
                "error_code": cause.map(|cause| &cause.code),
            }),
        };
        wrong.push((format!("remote:{}", remote.id), finding));
    }
    Ok(wrong)
}

/// All remotes of which something is known.
pub(super) async fn remotes(reader: &Reader) -> Result<Vec<(Remote, RemoteHealth)>> {
    let mut known = Vec::new();
    let mut page = PageRequest {
        limit: limit::PAGE_MAX,
        after: None,
    };
    loop {
        let found = reader.remotes(&page).await.map_err(error::from_db)?;
        for remote in found.data {
            let health = reader.remote_health(remote.id).await;
            if let Some(health) = health.map_err(error::from_db)? {
                known.push((remote, health));
            }
        }
        page.after = found.next;
        if page.after.is_none() {
            return Ok(known);
        }
    }
}
