//! What an FTPS server needs to be opened.

use std::time::Duration;

use secrecy::SecretString;

use crate::limit;
use crate::path::RemotePath;
use crate::tls::TlsOptions;

/// When TLS begins. There is no way without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FtpsMode {
    /// By the command `AUTH TLS`, before anything else: port 21 as a rule.
    #[default]
    Explicit,
    /// With the first byte: port 990 as a rule.
    Implicit,
}

/// An FTPS server and how to sign in there. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct FtpsConfig {
    /// Name or address. The certificate must be for it.
    pub host: String,
    /// TCP port of the control connection: 21 or 990 as a rule.
    pub port: u16,
    /// When TLS begins.
    pub mode: FtpsMode,
    /// The account's name.
    pub user: String,
    /// The account's password. A server that takes the client certificate for it does not ask.
    pub password: Option<SecretString>,
    /// The folder beneath which all paths are taken; `None` for the far system's own view.
    pub base: Option<RemotePath>,
    /// Whom to trust, and the client certificate.
    pub tls: TlsOptions,
    /// How long things may take.
    pub times: FtpsTimes,
}

impl FtpsConfig {
    /// The account `user` at `host` with explicit TLS, with nothing to sign in with yet.
    pub fn new(host: impl Into<String>, port: u16, user: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port,
            mode: FtpsMode::default(),
            user: user.into(),
            password: None,
            base: None,
            tls: TlsOptions::default(),
            times: FtpsTimes::default(),
        }
    }
}

/// How long an FTPS server is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FtpsTimes {
    /// Until a connection is open, of control or of data: 10 s.
    pub connect: Duration,
    /// For greeting, handshake and sign-in together: 20 s.
    pub sign_in: Duration,
    /// For the next answer, or the next bytes, within an operation: 30 s.
    pub idle: Duration,
}

impl Default for FtpsTimes {
    fn default() -> Self {
        Self {
            connect: limit::CONNECT_TIME_MAX,
            sign_in: limit::SIGN_IN_TIME_MAX,
            idle: limit::IDLE_TIME_MAX,
        }
    }
}
