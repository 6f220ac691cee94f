use axum::extract::State;
use bailee_api::{ApiKey, ChangeApiKey, Patch};
use bailee_core::{Core, KeyChange};
use bailee_model::{Error, KeyId, KeyLimits};

use super::view::view;
use crate::answer::{Answer, Object};
use crate::caller::Authenticated;
use crate::extract::{Id, Json, folder_path};

/// Change an API key
///
/// Who may manage identities may widen it, within their own rights; its holder may only narrow it.
#[utoipa::path(patch, path = "/api-keys/{key_id}", operation_id = "api_keys.update", tag = "api-keys",
    params(("key_id" = String, Path, description = "The key")),
    request_body = ChangeApiKey,
    responses((status = 200, description = "The key as it is now", body = ApiKey)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<KeyId>,
    Json(wish): Json<ChangeApiKey>,
) -> Answer<Object<ApiKey>> {
    let (now, _) = core.keys().get(&caller, id).await?;
    let (key, used) = core
        .keys()
        .update(&caller, id, change(wish, now.limits)?)
        .await?;
    Ok(Object(view((&key, used), None, core.clock().now())))
}

fn change(wish: ChangeApiKey, now: KeyLimits) -> Result<KeyChange, Error> {
    let mut limits = now.clone();
    match wish.path_prefixes {
        Patch::Keep => {}
        Patch::Clear => limits.path_prefixes.clear(),
        Patch::Set(texts) => {
            limits.path_prefixes = texts
                .iter()
                .map(|text| folder_path(text))
                .collect::<Result<_, _>>()?;
        }
    }
    wish.allowed_networks.apply_or_default(&mut limits.networks);
    match wish.limits {
        Patch::Keep => {}
        Patch::Clear => (limits.reads_per_minute, limits.writes_per_minute) = (None, None),
        Patch::Set(rates) => {
            limits.reads_per_minute = rates.reads_per_minute;
            limits.writes_per_minute = rates.writes_per_minute;
        }
    }
    Ok(KeyChange {
        name: wish.name,
        scopes: wish.scopes,
        limits: (limits != now).then_some(limits),
        expires_at: match wish.expires_at {
            Patch::Keep => None,
            Patch::Clear => Some(None),
            Patch::Set(end) => Some(Some(end)),
        },
    })
}
