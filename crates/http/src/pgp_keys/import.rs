use axum::extract::State;
use axum::response::Response;
use bailee_api::{ImportPgpKey, PgpKey};
use bailee_core::Core;
use bailee_model::PgpKeyTrust;

use super::form::{file, name, trust, usage};
use super::view::created;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Json;

/// Import an OpenPGP key
///
/// Public, or secret with its passphrase. A key that is expired, revoked or weak is refused.
#[utoipa::path(post, path = "/pgp-keys", operation_id = "pgp_keys.import", tag = "pgp-keys",
    request_body = ImportPgpKey,
    responses((status = 201, description = "The key", body = PgpKey)))]
pub(crate) async fn import(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<ImportPgpKey>,
) -> Answer<Response> {
    let import = bailee_core::ImportPgpKey {
        name: name(&wish.name)?,
        file: file(&wish.key, wish.passphrase.as_ref()),
        usage: usage(wish.usage)?,
        trust: trust(wish.trust)?.unwrap_or(PgpKeyTrust::Trusted),
    };
    let key = core.pgp_keys().import(&caller, import).await?;
    Ok(created(&key, &core))
}
