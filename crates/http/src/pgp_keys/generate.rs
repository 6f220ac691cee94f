use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use bailee_api::{GeneratePgpKey, PgpKey};
use bailee_core::{Core, MakePgpKey};

use super::form::{algorithm, name, usage};
use super::view::created;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::Json;

/// What a day is in seconds.
const DAY_SECONDS: u64 = 86_400;

/// Make an OpenPGP key
///
/// Its secret part stays here; partners get the public part by `pgp_keys.export`.
#[utoipa::path(post, path = "/pgp-keys/generate", operation_id = "pgp_keys.generate", tag = "pgp-keys",
    request_body = GeneratePgpKey,
    responses((status = 201, description = "The key", body = PgpKey)))]
pub(crate) async fn generate(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<GeneratePgpKey>,
) -> Answer<Response> {
    let days = wish.valid_days.map(u64::from);
    let make = MakePgpKey {
        name: name(&wish.name)?,
        user_id: wish.user_id,
        algorithm: algorithm(wish.algorithm)?,
        lasts: days.map(|days| Duration::from_secs(days * DAY_SECONDS)),
        usage: usage(wish.usage)?,
    };
    let key = core.pgp_keys().generate(&caller, make).await?;
    Ok(created(&key, &core))
}
