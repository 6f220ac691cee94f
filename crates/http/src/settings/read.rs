use axum::extract::State;
use bailee_api::Settings;
use bailee_core::Core;

use super::view::view;
use crate::answer::{Answer, Object};
use crate::caller::Authenticated;

/// Read the tenant's settings
#[utoipa::path(get, path = "/settings", operation_id = "settings.read", tag = "settings",
    responses((status = 200, description = "The settings", body = Settings)))]
pub(crate) async fn read(
    State(core): State<Core>,
    caller: Authenticated,
) -> Answer<Object<Settings>> {
    let settings = core.settings().read(&caller).await?;
    Ok(Object(view(&settings)))
}
