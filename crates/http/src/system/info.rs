use bailee_api::SystemInfo;

use super::for_the_operator;
use crate::answer::{Answer, Body};
use crate::caller::Authenticated;

/// Which server is this?
#[utoipa::path(get, path = "/system/info", operation_id = "system.info", tag = "system",
    responses((status = 200, description = "Name and versions", body = SystemInfo)))]
pub(crate) async fn info(caller: Authenticated) -> Answer<Body<SystemInfo>> {
    for_the_operator(&caller)?;
    Ok(Body(SystemInfo {
        name: "bailee".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api_version: "v1".to_owned(),
    }))
}
