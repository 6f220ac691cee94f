use axum::extract::State;
use bailee_api::{ChangePgpKey, PgpKey};
use bailee_core::{Core, PgpKeyChange};
use bailee_model::PgpKeyId;

use super::form::{name, trust, usage};
use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Json};

/// Change an OpenPGP key's name, usage or trust
#[utoipa::path(patch, path = "/pgp-keys/{pgp_key_id}", operation_id = "pgp_keys.update", tag = "pgp-keys",
    params(("pgp_key_id" = String, Path, description = "The key")),
    request_body = ChangePgpKey,
    responses((status = 200, description = "The key as it is now", body = PgpKey)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<PgpKeyId>,
    Guard(guard): Guard,
    Json(wish): Json<ChangePgpKey>,
) -> Answer {
    let change = PgpKeyChange {
        name: wish.name.as_deref().map(name).transpose()?,
        usage: usage(wish.usage)?,
        trust: trust(wish.trust)?,
    };
    let key = core.pgp_keys().update(&caller, id, change, guard).await?;
    Ok(found(&key, &core))
}
