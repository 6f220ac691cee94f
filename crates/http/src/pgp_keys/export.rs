use axum::extract::State;
use bailee_api::PgpPublicKey;
use bailee_core::Core;
use bailee_model::PgpKeyId;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read the public part of an OpenPGP key
///
/// Armored, to be handed to a partner. Secret parts are never given out.
#[utoipa::path(get, path = "/pgp-keys/{pgp_key_id}/export", operation_id = "pgp_keys.export", tag = "pgp-keys",
    params(("pgp_key_id" = String, Path, description = "The key")),
    responses((status = 200, description = "The public part", body = PgpPublicKey)))]
pub(crate) async fn export(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<PgpKeyId>,
) -> Answer<Body<PgpPublicKey>> {
    let (key, public_key) = core.pgp_keys().export(&caller, id).await?;
    Ok(Body(PgpPublicKey {
        pgp_key_id: key.id,
        name: key.name.to_string(),
        fingerprint: key.primary.fingerprint,
        public_key,
    }))
}
