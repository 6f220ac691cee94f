use axum::extract::State;
use axum::response::Response;
use bailee_api::{CreateRemote, CreateSftpRemote, Remote};
use bailee_core::{Core, NewRemote};
use bailee_model::{Error, RemoteAddress, RemoteName};

use super::view::{secret, view};
use crate::answer::{Answer, Created, tagged};
use crate::caller::Authenticated;
use crate::extract::Json;

/// The port of SSH (RFC 4253).
const SFTP_PORT: u16 = 22;
/// The folder after sign-in.
const SIGN_IN_FOLDER: &str = ".";

/// Make a remote
///
/// Nothing is connected to; `remotes.test` does that.
#[utoipa::path(post, path = "/remotes", operation_id = "remotes.create", tag = "remotes",
    request_body = CreateRemote,
    responses((status = 201, description = "The remote", body = Remote)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Json(wish): Json<CreateRemote>,
) -> Answer<Response> {
    let remote = core.remotes().create(&caller, command(wish)?).await?;
    let body = view(&remote);
    let location = body.links.own.clone();
    Ok(tagged(
        &remote.revision.to_string(),
        Created { location, body },
    ))
}

fn command(wish: CreateRemote) -> Result<NewRemote, Error> {
    match wish {
        CreateRemote::Local(wish) => Ok(NewRemote {
            name: name(&wish.name)?,
            address: RemoteAddress::Local {
                folder: wish.folder,
            },
            secret: None,
            concurrency: wish.concurrency,
        }),
        CreateRemote::Sftp(wish) => sftp(wish),
    }
}

fn sftp(wish: CreateSftpRemote) -> Result<NewRemote, Error> {
    Ok(NewRemote {
        name: name(&wish.name)?,
        address: RemoteAddress::Sftp {
            host: wish.host,
            port: wish.port.unwrap_or(SFTP_PORT),
            username: wish.username,
            host_key: wish.host_key,
            base_path: wish.base_path.unwrap_or_else(|| SIGN_IN_FOLDER.to_owned()),
        },
        secret: secret(wish.password, wish.private_key, wish.passphrase)?,
        concurrency: wish.concurrency,
    })
}

fn name(text: &str) -> Result<RemoteName, Error> {
    text.parse().map_err(|detail: &str| {
        Error::field(
            "#/name",
            "invalid_name",
            format!("It is not a name: {detail}."),
        )
    })
}
