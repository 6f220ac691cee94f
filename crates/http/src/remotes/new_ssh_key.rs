use axum::extract::State;
use bailee_api::{NewSshKey, Remote, SshKeyAlgorithm};
use bailee_core::Core;
use bailee_model::{self as model, Error, RemoteId};

use super::view::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty};

/// Make a key pair of SSH for a remote
///
/// The public half is in `ssh_keys`; the private one never leaves. It is tried from now on, and what signed in before
/// after it, so nothing stops until the partner knows the new key. Then a change with `previous_private_key` or
/// `password` null forgets the old way.
#[utoipa::path(post, path = "/remotes/{remote_id}/ssh-key", operation_id = "remotes.new_ssh_key", tag = "remotes",
    params(("remote_id" = String, Path, description = "The remote")),
    request_body = NewSshKey,
    responses((status = 200, description = "The remote with its new key", body = Remote)))]
pub(crate) async fn new_ssh_key(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<RemoteId>,
    JsonOrEmpty(wish): JsonOrEmpty<NewSshKey>,
) -> Answer {
    let algorithm = algorithm(wish)?;
    let remote = core.remotes().new_ssh_key(&caller, id, algorithm).await?;
    found(&remote)
}

fn algorithm(wish: NewSshKey) -> Result<model::SshKeyAlgorithm, Error> {
    match wish.algorithm.unwrap_or(SshKeyAlgorithm::Ed25519) {
        SshKeyAlgorithm::Ed25519 => Ok(model::SshKeyAlgorithm::Ed25519),
        SshKeyAlgorithm::Rsa4096 => Ok(model::SshKeyAlgorithm::Rsa4096),
        SshKeyAlgorithm::Other(_) => {
            let detail = "Is `ed25519` or `rsa4096`.";
            Err(Error::field("#/algorithm", "invalid", detail))
        }
    }
}
