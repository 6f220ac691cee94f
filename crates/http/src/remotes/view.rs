use axum::response::Response;
use bailee_api::{Links, Remote, SecretText};
use bailee_core::RemoteSecret;
use bailee_model::{self as model, Error, RemoteAddress, RemoteSecretKind};
use secrecy::SecretString;

use crate::answer::{Body, tagged};

/// A remote as clients see it: its secret never comes out.
pub(super) fn view(remote: &model::Remote) -> Remote {
    let mut view = Remote {
        remote_id: remote.id,
        name: remote.name.to_string(),
        kind: remote.kind().into(),
        host: None,
        port: None,
        username: None,
        host_key: None,
        base_path: None,
        folder: None,
        has_password: remote.secret_kind == Some(RemoteSecretKind::Password),
        has_private_key: remote.secret_kind == Some(RemoteSecretKind::PrivateKey),
        concurrency: remote.concurrency,
        created_at: remote.created_at,
        links: Links::to("remotes", remote.id),
    };
    match &remote.address {
        RemoteAddress::Sftp {
            host,
            port,
            username,
            host_key,
            base_path,
        } => {
            view.host = Some(host.clone());
            view.port = Some(*port);
            view.username = Some(username.clone());
            view.host_key.clone_from(host_key);
            view.base_path = Some(base_path.clone());
        }
        RemoteAddress::Local { folder } => view.folder = Some(folder.clone()),
    }
    view
}

/// 200 with a remote and its ETag.
pub(super) fn found(remote: &model::Remote) -> Response {
    tagged(&remote.revision.to_string(), Body(view(remote)))
}

/// The credential of a wish: a password or a private key, not both.
pub(super) fn secret(
    password: Option<SecretText>,
    private_key: Option<SecretText>,
    passphrase: Option<SecretText>,
) -> Result<Option<RemoteSecret>, Error> {
    let text = |secret: SecretText| SecretString::from(secret.reveal().to_owned());
    match (password, private_key, passphrase) {
        (Some(_), Some(_), _) => {
            let detail = "Give `password` or `private_key`, not both.";
            Err(Error::field("#/private_key", "conflicting", detail))
        }
        (_, None, Some(_)) => {
            let detail = "A `passphrase` belongs to a `private_key`.";
            Err(Error::field("#/passphrase", "conflicting", detail))
        }
        (Some(password), None, None) => Ok(Some(RemoteSecret::Password(text(password)))),
        (None, Some(pem), passphrase) => Ok(Some(RemoteSecret::PrivateKey {
            pem: text(pem),
            passphrase: passphrase.map(text),
        })),
        (None, None, None) => Ok(None),
    }
}
