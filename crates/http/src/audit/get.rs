use axum::extract::State;
use bailee_api::AuditRecord;
use bailee_core::Core;
use bailee_model::AuditId;

use super::view::record;
use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read an audit record
#[utoipa::path(get, path = "/audit/{audit_id}", operation_id = "audit.get", tag = "audit",
    params(("audit_id" = String, Path, description = "The record")),
    responses((status = 200, description = "The record", body = AuditRecord)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<AuditId>,
) -> Answer<Body<AuditRecord>> {
    let entry = core.audit().get(&caller, id).await?;
    Ok(Body(record(caller.tenant(), &entry)))
}
