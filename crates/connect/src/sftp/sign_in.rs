//! Proving who we are: key first, then password, as far as the server wants.

use std::sync::Arc;

use russh::MethodKind;
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Answer};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, decode_secret_key};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::config::{PrivateKey, SftpConfig};
use super::error;
use super::host_key::HostKeyCheck;
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;

type Ssh = Handle<HostKeyCheck>;

/// Signs in with what `config` has. A server may ask for key and password.
pub(super) async fn sign_in(ssh: &mut Ssh, config: &SftpConfig) -> Result<()> {
    let mut wants_more = false;
    for key in [&config.private_key, &config.previous_key]
        .into_iter()
        .flatten()
    {
        match with_key(ssh, &config.user, key).await? {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure {
                partial_success, ..
            } => wants_more = partial_success,
        }
        if wants_more {
            break;
        }
    }
    let Some(password) = &config.password else {
        return Err(match (&config.private_key, wants_more) {
            (None, _) => Fault::new(
                FaultKind::Invalid,
                "neither a password nor a private key is configured",
            ),
            (Some(_), true) => refused("the server took the key and wants a password, too"),
            (Some(_), false) => refused("the server refused the key for this user"),
        });
    };
    let answer = ssh
        .authenticate_password(&config.user, password.expose_secret())
        .await
        .map_err(error::ssh)?;
    match answered(ssh, answer).await? {
        AuthResult::Success => Ok(()),
        AuthResult::Failure {
            remaining_methods, ..
        } if remaining_methods.contains(&MethodKind::KeyboardInteractive) => {
            by_questions(ssh, &config.user, password).await
        }
        AuthResult::Failure { .. } => Err(refused("the server refused the password for this user")),
    }
}

async fn with_key(ssh: &mut Ssh, user: &str, key: &PrivateKey) -> Result<AuthResult> {
    let passphrase = key.passphrase.as_ref().map(ExposeSecret::expose_secret);
    // The library's error may quote the key, so it goes no further.
    let key = decode_secret_key(key.pem.expose_secret(), passphrase).map_err(|_| {
        Fault::new(
            FaultKind::Invalid,
            "the private key cannot be read; check its form and passphrase",
        )
    })?;
    let hash = if key.algorithm().is_rsa() {
        Some(rsa_hash(ssh).await?)
    } else {
        None
    };
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
    let answer = ssh
        .authenticate_publickey(user, key)
        .await
        .map_err(error::ssh)?;
    answered(ssh, answer).await
}

/// What the server answered, if it did. The library tells of a connection that ended under way as of a refusal that
/// names no other method, and a sign-in that was cut is tried again, where one that was refused is not.
async fn answered(ssh: &mut Ssh, answer: AuthResult) -> Result<AuthResult> {
    match &answer {
        AuthResult::Failure {
            remaining_methods, ..
        } if remaining_methods.is_empty() && has_ended(ssh).await => Err(Fault::new(
            FaultKind::ConnectionLost,
            "the SSH connection ended while signing in",
        )),
        _ => Ok(answer),
    }
}

/// Whether the connection is gone, or about to be.
async fn has_ended(ssh: &mut Ssh) -> bool {
    ssh.is_closed() || timeout(limit::SIGN_IN_END, ssh).await.is_ok()
}

/// The hash to sign with. SHA-1 is never used; a server that does not say is taken to know SHA-512.
async fn rsa_hash(ssh: &Ssh) -> Result<HashAlg> {
    match ssh.best_supported_rsa_hash().await.map_err(error::ssh)? {
        Some(Some(hash)) => Ok(hash),
        None => Ok(HashAlg::Sha512),
        Some(None) => Err(Fault::new(
            FaultKind::Unsupported,
            "the server takes RSA keys with SHA-1 only, which is not safe",
        )),
    }
}

/// Many servers ask for the password this way only. It is given to hidden questions, once.
async fn by_questions(ssh: &mut Ssh, user: &str, password: &SecretString) -> Result<()> {
    let mut answer = ssh
        .authenticate_keyboard_interactive_start(user, None::<String>)
        .await
        .map_err(error::ssh)?;
    let mut is_given = false;
    for _ in 0..limit::SIGN_IN_ROUNDS_MAX {
        let prompts = match answer {
            Answer::Success => return Ok(()),
            Answer::Failure { .. } => break,
            Answer::InfoRequest { prompts, .. } => prompts,
        };
        let hidden = prompts.iter().filter(|prompt| !prompt.echo).count();
        if prompts.len() > limit::SIGN_IN_PROMPTS_MAX
            || hidden != prompts.len()
            || hidden > 1
            || (is_given && hidden > 0)
        {
            return Err(refused(
                "the server asks questions that a password does not answer",
            ));
        }
        is_given |= hidden > 0;
        let replies = prompts
            .iter()
            .map(|_| password.expose_secret().to_owned())
            .collect();
        answer = ssh
            .authenticate_keyboard_interactive_respond(replies)
            .await
            .map_err(error::ssh)?;
    }
    match answer {
        Answer::Success => Ok(()),
        _ => Err(refused("the server refused the password for this user")),
    }
}

fn refused(message: &str) -> Fault {
    Fault::new(FaultKind::AuthFailed, message)
}
