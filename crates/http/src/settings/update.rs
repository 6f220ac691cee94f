use axum::extract::State;
use bailee_api::{ChangeSettings, Settings};
use bailee_core::Core;

use super::view::view;
use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::Json;

/// Change the tenant's settings
#[utoipa::path(patch, path = "/settings", operation_id = "settings.change", tag = "settings",
    request_body = ChangeSettings,
    responses((status = 200, description = "The settings as they are now", body = Settings)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<ChangeSettings>,
) -> Answer<Object<Settings>> {
    let settings = core.settings();
    let change = settings.change(&caller, |settings| {
        let wish = wish.clone();
        wish.name_rule.apply_or_default(&mut settings.name_rule);
        wish.refuse_type_mismatch
            .apply_or_default(&mut settings.refuse_type_mismatch);
        wish.require_if_match
            .apply_or_default(&mut settings.require_if_match);
        wish.trash_seconds.apply(&mut settings.trash_seconds);
    });
    Ok(Object(view(&change.await?)))
}
