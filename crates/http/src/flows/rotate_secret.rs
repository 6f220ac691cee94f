use std::time::Duration;

use axum::extract::State;
use bailee_api::{FlowSecret, RotateFlowSecret, SecretText};
use bailee_core::Core;
use bailee_model::FlowId;
use secrecy::ExposeSecret as _;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty};

/// Make a new secret for calls of a flow; the old one counts beside it for a while
///
/// The first one too: until then nobody can call the flow without a key. 409: the flow has no trigger of kind `hook`.
#[utoipa::path(post, path = "/flows/{flow_id}/rotate-secret", operation_id = "flows.rotate_secret", tag = "flows",
    params(("flow_id" = String, Path, description = "The flow")),
    request_body = Option<RotateFlowSecret>,
    responses((status = 200, description = "The new secret", body = FlowSecret)))]
pub(crate) async fn rotate_secret(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowId>,
    JsonOrEmpty(wish): JsonOrEmpty<RotateFlowSecret>,
) -> Answer<Body<FlowSecret>> {
    let grace = wish.grace_seconds.map(Duration::from_secs);
    let (flow, secret) = core.flows().rotate_secret(&caller, id, grace).await?;
    Ok(Body(FlowSecret {
        flow_id: flow.id,
        secret: SecretText::from(secret.expose_secret()),
    }))
}
