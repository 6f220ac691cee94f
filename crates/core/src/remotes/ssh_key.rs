//! Key pairs of SSH that are made here: the partner gets the public half, the private one never leaves.

use bailee_auth::{Action, Caller};
use bailee_model::{
    Error, ErrorKind, Remote, RemoteId, RemoteKind, RemoteSecretField, Result, SshKey,
    SshKeyAlgorithm,
};

use super::{Remotes, opened};
use crate::files::Precondition;
use crate::idempotency::earlier;
use crate::ports::RemoteSecret;

/// Key pairs of which the public half is shown: the newest, and the one before it.
const KEYS_SHOWN_MAX: usize = 2;

impl Remotes<'_> {
    /// Makes a key pair for a remote. It is tried from now on, and what signed in before after it: so nothing stops until
    /// the partner knows the new key, and the old one can be dropped then.
    pub async fn new_ssh_key(
        &self,
        caller: &Caller,
        id: RemoteId,
        algorithm: SshKeyAlgorithm,
    ) -> Result<Remote> {
        const OPERATION: &str = "remotes.new_ssh_key";
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let (_, remote) = self
            .find(caller, OPERATION, Action::RemoteManage, id)
            .await?;
        if remote.kind() != RemoteKind::Sftp {
            let detail = "A remote of this kind does not sign in with keys of SSH.";
            return Err(Error::new(ErrorKind::StateConflict, detail));
        }
        let comment = format!("bailee-{}", remote.name);
        let pair = self.core.reach()?.new_ssh_key(algorithm, &comment).await?;
        let key = SshKey {
            algorithm,
            public_key: pair.public_key,
            fingerprint: pair.fingerprint,
            created_at: self.core.clock.now(),
        };
        self.write(
            caller,
            id,
            (OPERATION, &Precondition::Unasked),
            |remote, known| {
                let mut secret = opened(remote, known)?;
                let old = secret.field(RemoteSecretField::PrivateKey).cloned();
                secret = secret.with(RemoteSecretField::PrivateKey, pair.private_key.clone());
                if let Some(old) = old {
                    secret = secret.with(RemoteSecretField::PreviousPrivateKey, old);
                }
                remote.ssh_keys.insert(0, key.clone());
                remote.ssh_keys.truncate(KEYS_SHOWN_MAX);
                self.keep(remote, &secret, known)
            },
        )
        .await
    }
}

/// Forgets the public halves of keys that are no longer there.
pub(super) fn prune(remote: &mut Remote, secret: &RemoteSecret, given: &RemoteSecret) {
    let has = |field| secret.field(field).is_some();
    if given.signs_in() || !has(RemoteSecretField::PrivateKey) {
        remote.ssh_keys.clear();
    }
    if !has(RemoteSecretField::PreviousPrivateKey) {
        remote.ssh_keys.truncate(1);
    }
}
