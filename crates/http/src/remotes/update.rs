use axum::extract::State;
use bailee_api::{ChangeRemote, Patch, Remote, SecretText};
use bailee_core::{Core, RemoteChange};
use bailee_model::{Error, RemoteAddress, RemoteId};

use super::view::{found, secret};
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Guard, Id, Json};

/// Change a remote
///
/// A field of another kind is refused. A new host or port forgets the pinned host key, unless a new one is given.
#[utoipa::path(patch, path = "/remotes/{remote_id}", operation_id = "remotes.update", tag = "remotes",
    params(("remote_id" = String, Path, description = "The remote")),
    request_body = ChangeRemote,
    responses((status = 200, description = "The remote as it is now", body = Remote)))]
pub(crate) async fn update(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<RemoteId>,
    Guard(guard): Guard,
    Json(wish): Json<ChangeRemote>,
) -> Answer {
    let now = core.remotes().get(&caller, id).await?;
    let remote = core
        .remotes()
        .update(&caller, id, change(wish, &now.address)?, guard)
        .await?;
    Ok(found(&remote))
}

fn change(wish: ChangeRemote, now: &RemoteAddress) -> Result<RemoteChange, Error> {
    let address = match now {
        RemoteAddress::Sftp { .. } => sftp(&wish, now)?,
        RemoteAddress::Local { folder } => local(&wish, folder)?,
    };
    Ok(RemoteChange {
        name: None,
        address: (address != *now).then_some(address),
        secret: secret(
            set(wish.password, "#/password")?,
            set(wish.private_key, "#/private_key")?,
            set(wish.passphrase, "#/passphrase")?,
        )?,
        concurrency: wish.concurrency,
    })
}

fn sftp(wish: &ChangeRemote, now: &RemoteAddress) -> Result<RemoteAddress, Error> {
    let mut new = now.clone();
    if wish.folder.is_some() {
        return Err(of_other_kind("#/folder", "local"));
    }
    if let RemoteAddress::Sftp {
        host,
        port,
        username,
        host_key,
        base_path,
    } = &mut new
    {
        let is_moved = wish.host.as_ref().is_some_and(|wish| wish != host)
            || wish.port.is_some_and(|wish| wish != *port);
        if is_moved {
            // Another machine has another key.
            *host_key = None;
        }
        host.clone_from(wish.host.as_ref().unwrap_or(&host.clone()));
        *port = wish.port.unwrap_or(*port);
        username.clone_from(wish.username.as_ref().unwrap_or(&username.clone()));
        wish.host_key.clone().apply(host_key);
        match &wish.base_path {
            Patch::Keep => {}
            Patch::Clear => ".".clone_into(base_path),
            Patch::Set(path) => base_path.clone_from(path),
        }
    }
    Ok(new)
}

fn local(wish: &ChangeRemote, folder: &str) -> Result<RemoteAddress, Error> {
    let foreign = [
        ("#/host", wish.host.is_some()),
        ("#/port", wish.port.is_some()),
        ("#/username", wish.username.is_some()),
        ("#/password", !wish.password.is_keep()),
        ("#/private_key", !wish.private_key.is_keep()),
        ("#/passphrase", !wish.passphrase.is_keep()),
        ("#/host_key", !wish.host_key.is_keep()),
        ("#/base_path", !wish.base_path.is_keep()),
    ];
    if let Some((pointer, _)) = foreign.iter().find(|(_, is_given)| *is_given) {
        return Err(of_other_kind(pointer, "sftp"));
    }
    Ok(RemoteAddress::Local {
        folder: wish.folder.clone().unwrap_or_else(|| folder.to_owned()),
    })
}

fn of_other_kind(pointer: &str, kind: &str) -> Error {
    Error::field(
        pointer,
        "other_kind",
        format!("Only remotes of kind `{kind}` have this field."),
    )
}

/// A secret can be replaced and not removed: a remote without one cannot sign in.
fn set(wish: Patch<SecretText>, pointer: &str) -> Result<Option<SecretText>, Error> {
    match wish {
        Patch::Keep => Ok(None),
        Patch::Set(secret) => Ok(Some(secret)),
        Patch::Clear => Err(Error::field(
            pointer,
            "not_supported",
            "A secret is replaced by another, not removed.",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn address() -> RemoteAddress {
        RemoteAddress::Sftp {
            host: "a".to_owned(),
            port: 22,
            username: "u".to_owned(),
            host_key: Some("SHA256:x".to_owned()),
            base_path: "/in".to_owned(),
        }
    }

    fn changed(text: &str) -> Result<RemoteChange, Error> {
        change(serde_json::from_str(text).unwrap(), &address())
    }

    #[test]
    fn another_host_forgets_the_key_unless_a_new_one_comes() {
        let RemoteAddress::Sftp { host, host_key, .. } =
            changed(r#"{"host":"b"}"#).unwrap().address.unwrap()
        else {
            unreachable!("a remote keeps its kind")
        };
        assert_eq!((host.as_str(), host_key), ("b", None));
        let with_key = changed(r#"{"host":"b","host_key":"SHA256:y"}"#)
            .unwrap()
            .address
            .unwrap();
        assert!(matches!(
            with_key,
            RemoteAddress::Sftp {
                host_key: Some(_),
                ..
            }
        ));
    }

    #[test]
    fn nothing_changes_that_is_not_named() {
        let change = changed("{}").unwrap();
        assert!(
            change.address.is_none() && change.secret.is_none() && change.concurrency.is_none()
        );
        assert!(changed(r#"{"host":"a"}"#).unwrap().address.is_none());
    }

    #[test]
    fn fields_of_the_other_kind_are_refused() {
        let error = changed(r#"{"folder":"/srv"}"#).unwrap_err();
        assert_eq!(error.fields().first().unwrap().pointer, "#/folder");
        let local = RemoteAddress::Local {
            folder: "/srv".to_owned(),
        };
        let error =
            change(serde_json::from_str(r#"{"password":"x"}"#).unwrap(), &local).unwrap_err();
        assert_eq!(error.fields().first().unwrap().pointer, "#/password");
    }
}
