use axum::extract::State;
use bailee_api::SystemInfo;
use bailee_core::Core;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;

/// Which server is this?
#[utoipa::path(get, path = "/system/info", operation_id = "system.info", tag = "system",
    responses((status = 200, description = "Name and versions", body = SystemInfo)))]
pub(crate) async fn info(
    State(core): State<Core>,
    caller: Authenticated,
) -> Answer<Body<SystemInfo>> {
    core.admit_operator(&caller, "system.info").await?;
    Ok(Body(SystemInfo {
        name: "bailee".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api_version: "v1".to_owned(),
    }))
}
