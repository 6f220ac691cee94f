use axum::extract::State;
use bailee_api::AuditConsistency;
use bailee_core::Core;
use serde::Deserialize;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Query;

/// Between which checkpoints.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConsistencyQuery {
    /// Size of the tree of the earlier signed checkpoint; without it, the oldest.
    from: Option<u64>,
    /// Size of the tree of the later one; without it, the newest.
    to: Option<u64>,
}

/// Prove that the journal of one checkpoint continues that of another
///
/// Whoever keeps an old checkpoint can so see that nothing before it was changed since.
#[utoipa::path(get, path = "/audit/consistency", operation_id = "audit.consistency", tag = "audit",
    params(ConsistencyQuery),
    responses((status = 200, description = "The proof", body = AuditConsistency)))]
pub(crate) async fn consistency(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<ConsistencyQuery>,
) -> Answer<Body<AuditConsistency>> {
    let audit = core.audit();
    let proof = audit.consistency(&caller, query.from, query.to).await?;
    Ok(Body(AuditConsistency {
        from: proof.from.0,
        to: proof.to.0,
        proof: proof.path.iter().map(hex::encode).collect(),
        from_checkpoint: proof.from.1,
        to_checkpoint: proof.to.1,
    }))
}
