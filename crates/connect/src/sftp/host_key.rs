//! The pinned host key, judged before anything is sent to the server.

use russh::client::Handler;
use russh::keys::{Algorithm, HashAlg, PublicKey, PublicKeyOrCertificate};

use super::error::SshFault;
use crate::fault::{Fault, FaultKind, HostKey, Result};

/// What a server's key is compared with.
#[derive(Clone, Debug)]
pub(super) enum Pin {
    Fingerprint(String),
    Key(Box<PublicKey>),
}

impl Pin {
    /// Reads `SHA256:…` or a public key in OpenSSH's one-line form.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Some(digest) = text.strip_prefix("SHA256:") {
            return Ok(Self::Fingerprint(format!(
                "SHA256:{}",
                digest.trim_end_matches('=')
            )));
        }
        let key = PublicKey::from_openssh(text).map_err(|error| {
            Fault::new(
                FaultKind::Invalid,
                "the pinned host key is neither `SHA256:…` nor a public key",
            )
            .because(error)
        })?;
        Ok(Self::Key(Box::new(key)))
    }

    /// The algorithm that must be asked for, where the pin tells: a server has several keys and shows one.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::Fingerprint(_) => None,
            Self::Key(key) => Some(key.algorithm()),
        }
    }

    fn is_for(&self, key: &PublicKey) -> bool {
        match self {
            Self::Fingerprint(print) => *print == key.fingerprint(HashAlg::Sha256).to_string(),
            Self::Key(pinned) => pinned.key_data() == key.key_data(),
        }
    }
}

/// Compares the server's key with the pin, at first and at each re-keying.
#[derive(Debug)]
pub(super) struct HostKeyCheck {
    pub(super) pin: Option<Pin>,
    /// The pin as configured, to be shown beside a changed key.
    pub(super) pinned: String,
}

impl Handler for HostKeyCheck {
    type Error = SshFault;

    async fn check_server_key(&mut self, seen: &PublicKeyOrCertificate) -> Result<bool, SshFault> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = seen else {
            return Err(SshFault::Ours(Fault::new(
                FaultKind::Unsupported,
                "the SSH server showed a certificate",
            )));
        };
        match &self.pin {
            Some(pin) if pin.is_for(key) => Ok(true),
            pin => Err(SshFault::Ours(refusal(pin.is_some(), &self.pinned, key))),
        }
    }
}

fn refusal(is_pinned: bool, pinned: &str, key: &PublicKey) -> Fault {
    let seen = HostKey {
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
        public_key: key.to_openssh().unwrap_or_default(),
    };
    let print = &seen.fingerprint;
    if is_pinned {
        let message =
            format!("the SSH server's host key changed: it is now {print}; nothing was sent to it");
        return Fault::new(
            FaultKind::HostKeyChanged {
                pinned: pinned.to_owned(),
                seen,
            },
            message,
        );
    }
    let message =
        format!("the SSH server's host key {print} is not pinned yet; nothing was sent to it");
    Fault::new(FaultKind::HostKeyUnknown { seen }, message)
}
