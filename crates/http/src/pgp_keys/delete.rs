use axum::extract::State;
use bailee_core::Core;
use bailee_model::PgpKeyId;

use crate::answer::{Answer, NoContent};
use crate::caller::Authenticated;
use crate::extract::{Guard, Id};

/// Remove an OpenPGP key
///
/// With its secret part, which nothing brings back: what is encrypted for it can then be opened by nobody here.
#[utoipa::path(delete, path = "/pgp-keys/{pgp_key_id}", operation_id = "pgp_keys.delete", tag = "pgp-keys",
    params(("pgp_key_id" = String, Path, description = "The key")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<PgpKeyId>,
    Guard(guard): Guard,
) -> Answer<NoContent> {
    core.pgp_keys().delete(&caller, id, guard).await?;
    Ok(NoContent)
}
