use axum::extract::State;
use bailee_api::PgpKey;
use bailee_core::Core;
use bailee_model::PgpKeyId;

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read an OpenPGP key
#[utoipa::path(get, path = "/pgp-keys/{pgp_key_id}", operation_id = "pgp_keys.get", tag = "pgp-keys",
    params(("pgp_key_id" = String, Path, description = "The key")),
    responses((status = 200, description = "The key", body = PgpKey)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<PgpKeyId>,
) -> Answer {
    let key = core.pgp_keys().get(&caller, id).await?;
    Ok(found(&key, &core))
}
