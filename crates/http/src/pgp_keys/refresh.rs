use axum::extract::State;
use bailee_api::{PgpKey, RefreshPgpKey};
use bailee_core::Core;
use bailee_model::PgpKeyId;

use super::form::file;
use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, Json};

/// Take in a newer form of an OpenPGP key
///
/// Extended, with other subkeys, or revoked: what its owner publishes. It must be the same key by its fingerprint. A
/// revocation is for ever. The tenant's own key is refreshed with its secret part, unless it is to be revoked.
#[utoipa::path(post, path = "/pgp-keys/{pgp_key_id}/refresh", operation_id = "pgp_keys.refresh", tag = "pgp-keys",
    params(("pgp_key_id" = String, Path, description = "The key")),
    request_body = RefreshPgpKey,
    responses((status = 200, description = "The key as it is now", body = PgpKey)))]
pub(crate) async fn refresh(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<PgpKeyId>,
    Json(wish): Json<RefreshPgpKey>,
) -> Answer {
    let file = file(&wish.key, wish.passphrase.as_ref());
    let key = core.pgp_keys().refresh(&caller, id, file).await?;
    Ok(found(&key, &core))
}
