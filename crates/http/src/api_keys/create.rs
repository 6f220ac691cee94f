use axum::extract::State;
use bailee_api::{ApiKey, CreateApiKey};
use bailee_core::{Core, NewKey};
use bailee_model::{Error, KeyLimits};

use super::view::view;
use crate::answer::{Answer, Created};
use crate::caller::Authenticated;
use crate::extract::{Json, folder_path};

/// Make an API key
///
/// Its text is shown in this answer only; a repetition with the same `Idempotency-Key` is answered with the problem
/// `idempotency_secret_shown`, which names the key.
#[utoipa::path(post, path = "/api-keys", operation_id = "api_keys.create", tag = "api-keys",
    request_body = CreateApiKey,
    responses((status = 201, description = "The key with its text", body = ApiKey)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<CreateApiKey>,
) -> Answer<Created<ApiKey>> {
    let (key, text) = core.keys().create(&caller, command(wish)?).await?;
    let body = view((&key, None), Some(&text), core.clock().now());
    Ok(Created {
        location: body.links.own.clone(),
        body,
    })
}

fn command(wish: CreateApiKey) -> Result<NewKey, Error> {
    let rates = wish.limits.unwrap_or_default();
    let prefixes = wish.path_prefixes.iter().map(|text| folder_path(text));
    Ok(NewKey {
        name: wish.name,
        principal: wish.principal_id,
        scopes: wish.scopes,
        limits: KeyLimits {
            path_prefixes: prefixes.collect::<Result<_, _>>()?,
            networks: wish.allowed_networks,
            reads_per_minute: rates.reads_per_minute,
            writes_per_minute: rates.writes_per_minute,
        },
        expires_at: wish.expires_at,
    })
}
