//! What an SFTP server needs to be opened.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use crate::limit;
use crate::path::RemotePath;

/// An SFTP server and how to sign in there. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct SftpConfig {
    /// Name or address.
    pub host: String,
    /// TCP port, 22 as a rule.
    pub port: u16,
    /// The account's name.
    pub user: String,
    /// Tried after the key if the server wants or allows it; also answers keyboard-interactive questions.
    pub password: Option<SecretString>,
    /// Tried first.
    pub private_key: Option<PrivateKey>,
    /// Tried after it: the one before, while the partner may not know the new one yet.
    pub previous_key: Option<PrivateKey>,
    /// The pinned host key: `SHA256:…`, or a public key in OpenSSH's one-line form. `None` refuses every key and tells
    /// which one was seen.
    pub host_key: Option<String>,
    /// The folder beneath which all paths are taken; `None` for the far system's own view.
    pub base: Option<RemotePath>,
    /// How long things may take.
    pub times: SftpTimes,
}

impl SftpConfig {
    /// The account `user` at `host`, with nothing to sign in with and no key pinned yet.
    pub fn new(host: impl Into<String>, port: u16, user: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port,
            user: user.into(),
            password: None,
            private_key: None,
            previous_key: None,
            host_key: None,
            base: None,
            times: SftpTimes::default(),
        }
    }
}

/// How long an SFTP server is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SftpTimes {
    /// Until the connection is open: 10 s.
    pub connect: Duration,
    /// For handshake and sign-in together: 20 s.
    pub sign_in: Duration,
    /// For the next answer within an operation: 30 s.
    pub idle: Duration,
}

impl Default for SftpTimes {
    fn default() -> Self {
        Self {
            connect: limit::CONNECT_TIME_MAX,
            sign_in: limit::SIGN_IN_TIME_MAX,
            idle: limit::IDLE_TIME_MAX,
        }
    }
}

/// A private key to sign in with.
#[derive(Clone)]
pub struct PrivateKey {
    /// OpenSSH, PKCS#8 or PKCS#1 PEM: Ed25519, ECDSA or RSA.
    pub pem: SecretString,
    /// Opens an encrypted key.
    pub passphrase: Option<SecretString>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PrivateKey(…)")
    }
}
