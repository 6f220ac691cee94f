//! From a TCP stream to an SFTP session, in the steps that a test of a remote shows.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{Config, Handle};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Disconnect, Preferred, cipher, compression, kex, mac};
use russh_sftp::client::RawSftpSession;
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::client::rawsession::{Limits, SftpResult};
use russh_sftp::protocol::{File, Packet, StatusCode, Version};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::DropGuard;

use super::config::SftpConfig;
use super::error;
use super::host_key::{HostKeyCheck, Pin};
use super::{sign_in, stream};
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;
use crate::path::RemotePath;

const POSIX_RENAME: &str = "posix-rename@openssh.com";
const FSYNC: &str = "fsync@openssh.com";
const LIMITS: &str = "limits@openssh.com";

const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_GEX_SHA256,
    kex::DH_G18_SHA512,
    kex::DH_G16_SHA512,
    kex::DH_G14_SHA256,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];
const MACS: &[mac::Name] = &[
    mac::HMAC_SHA512_ETM,
    mac::HMAC_SHA256_ETM,
    mac::HMAC_SHA512,
    mac::HMAC_SHA256,
];
const COMPRESSIONS: &[compression::Name] = &[compression::NONE];
const HOST_KEYS: &[Algorithm] = &[
    Algorithm::Ed25519,
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP256,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP384,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP521,
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha256),
    },
];

/// Keys exchanged, and the server's key is the pinned one.
pub(crate) struct Shaken {
    ssh: Handle<HostKeyCheck>,
    line: DropGuard,
    deadline: Instant,
}

impl Shaken {
    /// Exchanges keys over `stream`. Handshake and sign-in share the configured time.
    pub(crate) async fn shake_hands(stream: TcpStream, config: &SftpConfig) -> Result<Self> {
        let pin = config.host_key.as_deref().map(Pin::parse).transpose()?;
        let ssh_config = Arc::new(ssh_config(pin.as_ref()));
        let check = HostKeyCheck {
            pin,
            pinned: config.host_key.clone().unwrap_or_default(),
        };
        let deadline = Instant::now() + config.times.sign_in;
        let (stream, line) = stream::bound(stream);
        let shake = russh::client::connect_stream(ssh_config, stream, check);
        match tokio::time::timeout_at(deadline, shake).await {
            Ok(Ok(ssh)) => Ok(Self {
                ssh,
                line,
                deadline,
            }),
            Ok(Err(fault)) => Err(fault.into()),
            Err(_) => Err(Fault::timeout("the SSH handshake")),
        }
    }

    /// Proves who we are.
    pub(crate) async fn sign_in(self, config: &SftpConfig) -> Result<SignedIn> {
        let Self {
            mut ssh,
            line,
            deadline,
        } = self;
        match tokio::time::timeout_at(deadline, sign_in::sign_in(&mut ssh, config)).await {
            Ok(Ok(())) => Ok(SignedIn { ssh, line }),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(Fault::timeout("signing in")),
        }
    }
}

/// Signed in, without a session yet.
pub(crate) struct SignedIn {
    ssh: Handle<HostKeyCheck>,
    line: DropGuard,
}

impl SignedIn {
    /// Starts the SFTP subsystem and learns what the server offers.
    pub(super) async fn start_sftp(self, config: &SftpConfig) -> Result<Session> {
        let start = async {
            let channel = self.ssh.channel_open_session().await.map_err(error::ssh)?;
            channel
                .request_subsystem(true, "sftp")
                .await
                .map_err(error::ssh)?;
            let packets = russh_sftp::client::Config {
                max_packet_len: limit::SFTP_PACKET_BYTES_MAX,
                request_timeout_secs: limit::SFTP_REQUEST_TIME_MAX.as_secs(),
                ..russh_sftp::client::Config::default()
            };
            let mut raw = RawSftpSession::new_with_config(channel.into_stream(), packets);
            let version = raw.init().await.map_err(no_sftp)?;
            let offers = Offers::of(&version);
            let chunk_bytes = if version.extensions.contains_key(LIMITS) {
                agree(&mut raw).await?
            } else {
                None
            };
            Ok::<_, Fault>((raw, offers, chunk_bytes.unwrap_or(limit::SFTP_CHUNK_BYTES)))
        };
        let (raw, offers, chunk_bytes) = tokio::time::timeout(config.times.idle, start)
            .await
            .map_err(|_| Fault::timeout("starting SFTP"))??;
        Ok(Session {
            raw: Arc::new(raw),
            offers,
            chunk_bytes,
            idle_time: config.times.idle,
            base: config.base.clone(),
            ssh: self.ssh,
            _line: self.line,
        })
    }
}

/// Without a subsystem, a server just closes the channel.
fn no_sftp(error: SftpError) -> Fault {
    Fault::new(
        FaultKind::Unsupported,
        "the SSH server does not start SFTP for this user",
    )
    .because(error)
}

/// Takes over the server's limits; returns the bytes of a read or write request.
async fn agree(raw: &mut RawSftpSession) -> Result<Option<usize>> {
    let limits = Limits::from(raw.limits().await.map_err(error::sftp)?);
    raw.set_limits(limits);
    let stated = [
        limits.read_len,
        limits.write_len,
        limits.packet_len.map(|bytes| bytes.saturating_sub(1024)),
    ];
    let Some(least) = stated.into_iter().flatten().min() else {
        return Ok(None);
    };
    if least == 0 {
        return Err(Fault::protocol(
            "the SFTP server states limits that leave no room for data",
        ));
    }
    Ok(Some(
        usize::try_from(least)
            .unwrap_or(usize::MAX)
            .min(limit::SFTP_CHUNK_BYTES_MAX),
    ))
}

/// Extensions of the protocol that we use and the server may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offers {
    pub(super) has_posix_rename: bool,
    pub(super) has_fsync: bool,
}

impl Offers {
    fn of(version: &Version) -> Self {
        let has = |name: &str| version.extensions.contains_key(name);
        Self {
            has_posix_rename: has(POSIX_RENAME),
            has_fsync: has(FSYNC),
        }
    }
}

/// An SFTP session. Its end, by drop or `close`, ends the connection.
pub(super) struct Session {
    pub(super) raw: Arc<RawSftpSession>,
    pub(super) offers: Offers,
    /// Bytes of a read or write request.
    pub(super) chunk_bytes: usize,
    /// How long the server may stay silent within one operation.
    pub(super) idle_time: Duration,
    base: Option<RemotePath>,
    ssh: Handle<HostKeyCheck>,
    _line: DropGuard,
}

impl fmt::Debug for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Session")
            .field("offers", &self.offers)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Awaits one SFTP request; a server silent for longer than the configured time is a fault.
    pub(super) async fn timed<T>(&self, request: impl Future<Output = SftpResult<T>>) -> Result<T> {
        match tokio::time::timeout(self.idle_time, request).await {
            Ok(answer) => answer.map_err(error::sftp),
            Err(_) => Err(Fault::timeout("the SFTP server's answer")),
        }
    }

    /// The path as the server is to see it.
    pub(super) fn far(&self, path: &RemotePath) -> String {
        let path = self
            .base
            .as_ref()
            .map_or_else(|| path.clone(), |base| base.beneath(path));
        if path.is_start() && !path.is_absolute() {
            ".".to_owned()
        } else {
            path.to_string()
        }
    }

    /// Requests that may be in flight within [`limit::IN_FLIGHT_BYTES_MAX`].
    pub(super) fn requests_max(&self) -> usize {
        (limit::IN_FLIGHT_BYTES_MAX / self.chunk_bytes.max(1))
            .clamp(2, limit::IN_FLIGHT_REQUESTS_MAX)
    }

    /// The next names of an open folder; `None` at its end.
    pub(super) async fn read_folder(&self, handle: &str) -> Result<Option<Vec<File>>> {
        let request = async {
            match self.raw.readdir(handle).await {
                Err(SftpError::Status(status)) if status.status_code == StatusCode::Eof => Ok(None),
                answer => answer.map(Some),
            }
        };
        match self.timed(request).await? {
            // No names and no end would let a server keep us here for ever.
            Some(names) if names.files.is_empty() => Err(Fault::protocol(
                "the SFTP server listed nothing and did not end",
            )),
            names => Ok(names.map(|names| names.files)),
        }
    }

    pub(super) async fn posix_rename(&self, from: &str, to: &str) -> Result<()> {
        let mut body = Vec::with_capacity(from.len() + to.len() + 8);
        for text in [from, to] {
            body.extend_from_slice(&(text.len() as u32).to_be_bytes());
            body.extend_from_slice(text.as_bytes());
        }
        match self.timed(self.raw.extended(POSIX_RENAME, body)).await? {
            Packet::Status(status) if status.status_code == StatusCode::Ok => Ok(()),
            Packet::Status(status) => Err(error::sftp(SftpError::Status(status))),
            _ => Err(error::sftp(SftpError::UnexpectedPacket)),
        }
    }

    pub(super) async fn close(&self) {
        let _ = self.raw.close_session();
        let farewell = self.ssh.disconnect(Disconnect::ByApplication, "", "");
        let _ = tokio::time::timeout(limit::CLOSE_TIME_MAX, farewell).await;
    }
}

/// An open file or folder on the server; given back when dropped.
pub(super) struct OpenHandle {
    session: Arc<Session>,
    text: String,
    is_open: bool,
}

impl OpenHandle {
    /// The handle that the server gave. The codec keeps handles as text, so one that is not text cannot be sent back.
    pub(super) fn new(session: &Arc<Session>, text: String) -> Result<Self> {
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(Fault::new(
                FaultKind::Unsupported,
                "the SFTP server uses binary file handles",
            ));
        }
        Ok(Self {
            session: Arc::clone(session),
            text,
            is_open: true,
        })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    pub(super) async fn close(mut self) -> Result<()> {
        self.is_open = false;
        self.session
            .timed(self.session.raw.close(self.text.as_str()))
            .await
            .map(|_| ())
    }
}

impl Drop for OpenHandle {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if self.is_open {
            let (session, text) = (Arc::clone(&self.session), std::mem::take(&mut self.text));
            runtime.spawn(async move { session.timed(session.raw.close(text)).await.map(|_| ()) });
        }
    }
}

fn ssh_config(pin: Option<&Pin>) -> Config {
    let key = match pin.and_then(Pin::algorithm) {
        None => Cow::Borrowed(HOST_KEYS),
        Some(Algorithm::Rsa { .. }) => HOST_KEYS
            .iter()
            .filter(|known| matches!(known, Algorithm::Rsa { .. }))
            .cloned()
            .collect::<Vec<_>>()
            .into(),
        Some(algorithm) => vec![algorithm].into(),
    };
    Config {
        window_size: limit::SSH_WINDOW_BYTES,
        maximum_packet_size: limit::SSH_PACKET_BYTES,
        keepalive_interval: Some(limit::KEEPALIVE_INTERVAL),
        keepalive_max: limit::KEEPALIVES_UNANSWERED_MAX,
        preferred: Preferred {
            kex: Cow::Borrowed(KEX),
            key,
            host_key_certificates: Cow::Borrowed(&[]),
            cipher: Cow::Borrowed(CIPHERS),
            mac: Cow::Borrowed(MACS),
            compression: Cow::Borrowed(COMPRESSIONS),
        },
        ..Config::default()
    }
}
