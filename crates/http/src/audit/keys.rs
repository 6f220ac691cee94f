use axum::extract::State;
use bailee_api::{AuditKey, AuditKeys};
use bailee_core::Core;

use crate::answer::Body;

/// List the public keys that verify checkpoints
#[utoipa::path(get, path = "/audit/keys", operation_id = "audit.keys", tag = "audit",
    responses((status = 200, description = "The keys, newest first", body = AuditKeys)))]
pub(crate) async fn keys(State(core): State<Core>) -> Body<AuditKeys> {
    let (verifier, _) = core.audit().keys();
    let name = verifier.split('+').next().unwrap_or_default().to_owned();
    Body(AuditKeys {
        data: vec![AuditKey {
            name,
            algorithm: "ed25519".to_owned(),
            verifier,
        }],
    })
}
