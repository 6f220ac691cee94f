use axum::extract::State;
use bailee_api::{AuditFault, AuditVerification};
use bailee_core::Core;

use super::view::checkpoint;
use crate::answer::{Answer, Body};
use crate::caller::Authenticated;

/// Walk the journal and compute every hash anew
#[utoipa::path(post, path = "/audit/verify", operation_id = "audit.verify", tag = "audit",
    responses((status = 200, description = "What was found", body = AuditVerification)))]
pub(crate) async fn verify(
    State(core): State<Core>,
    caller: Authenticated,
) -> Answer<Body<AuditVerification>> {
    let found = core.audit().verify(&caller).await?;
    let newest = core.audit().checkpoints(&caller, u64::MAX, 1).await?;
    Ok(Body(AuditVerification {
        ok: found.ok,
        records: found.records,
        tree_size: found.tree_size,
        root: found.root,
        first_bad: found.first_bad.map(|bad| AuditFault {
            sequence: bad.sequence,
            reason: bad.reason,
        }),
        checkpoint: newest.into_iter().next().map(checkpoint),
    }))
}
