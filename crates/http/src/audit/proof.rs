use axum::extract::State;
use bailee_api::AuditProof;
use bailee_core::Core;
use bailee_model::AuditId;
use serde::Deserialize;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::{Id, Query};

/// Which tree.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProofQuery {
    /// The tree of the signed checkpoint of this size; without it, of the newest one.
    tree_size: Option<u64>,
}

/// Prove that a record is in the journal
///
/// The proof leads to a signed checkpoint, so the public key is all that is needed to verify it. Where no checkpoint covers
/// the record yet, one is signed.
#[utoipa::path(get, path = "/audit/{audit_id}/proof", operation_id = "audit.proof", tag = "audit",
    params(("audit_id" = String, Path, description = "The record"), ProofQuery),
    responses((status = 200, description = "The proof", body = AuditProof)))]
pub(crate) async fn proof(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<AuditId>,
    Query(query): Query<ProofQuery>,
) -> Answer<Body<AuditProof>> {
    let proof = core.audit().proof(&caller, id, query.tree_size).await?;
    let values = proof.entry.entry.leaf_values(caller.tenant());
    Ok(Body(AuditProof {
        audit_id: id,
        sequence: proof.entry.sequence,
        entry: values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        leaf_hash: hex::encode(proof.leaf),
        tree_size: proof.tree_size,
        root: hex::encode(proof.root),
        proof: proof.path.iter().map(hex::encode).collect(),
        checkpoint: proof.checkpoint,
    }))
}
