//! From SSH's and SFTP's errors to faults.

use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::{Status, StatusCode};

use crate::fault::{Fault, FaultKind, far_words};

/// What ends an SSH connection from our side of it.
#[derive(Debug)]
pub(super) enum SshFault {
    /// Our own decision, such as a host key that is not the pinned one.
    Ours(Fault),
    /// Everything that the SSH library reports.
    Ssh(russh::Error),
}

impl From<russh::Error> for SshFault {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl From<SshFault> for Fault {
    fn from(fault: SshFault) -> Self {
        match fault {
            SshFault::Ours(fault) => fault,
            SshFault::Ssh(error) => ssh(error),
        }
    }
}

/// What an error of the SSH connection means.
pub(super) fn ssh(error: russh::Error) -> Fault {
    use russh::Error as E;
    let (kind, message) = match &error {
        E::IO(_) | E::HUP | E::Disconnect | E::SendError | E::Join(_) => (
            FaultKind::ConnectionLost,
            "the SSH connection ended".to_owned(),
        ),
        E::ConnectionTimeout | E::KeepaliveTimeout | E::InactivityTimeout | E::Elapsed(_) => (
            FaultKind::Timeout,
            "the SSH server stopped answering".to_owned(),
        ),
        E::NoCommonAlgo { kind, theirs, .. } => {
            let theirs = far_words(&theirs.join(", "));
            (
                FaultKind::Unsupported,
                format!("the SSH server offers no safe {kind:?} algorithm, only: {theirs}"),
            )
        }
        E::Version => (
            FaultKind::Protocol,
            "what answered is not an SSH 2 server".to_owned(),
        ),
        E::ChannelOpenFailure(_) => (
            FaultKind::Unsupported,
            "the SSH server opened no session".to_owned(),
        ),
        _ => (
            FaultKind::Protocol,
            "the SSH server broke the rules of the protocol".to_owned(),
        ),
    };
    Fault::new(kind, message).because(error)
}

/// What an error of an SFTP request means.
pub(super) fn sftp(error: SftpError) -> Fault {
    match error {
        SftpError::Status(status) => refusal(&status),
        SftpError::Timeout => Fault::timeout("the SFTP server's answer"),
        SftpError::UnexpectedPacket => {
            Fault::protocol("the SFTP server sent the wrong kind of answer")
        }
        SftpError::Limited(_) => {
            Fault::protocol("the request exceeds the limits that the SFTP server stated")
                .because(error)
        }
        // The library has no kind of its own for a connection that ended, by cut or by a broken packet.
        SftpError::IO(_) | SftpError::UnexpectedBehavior(_) => {
            Fault::new(FaultKind::ConnectionLost, "the SFTP connection ended").because(error)
        }
    }
}

fn refusal(status: &Status) -> Fault {
    let said = far_words(&status.error_message);
    let lower = said.to_lowercase();
    let is_full = ["space", "quota", "disk full"]
        .iter()
        .any(|word| lower.contains(word));
    let kind = match status.status_code {
        StatusCode::NoSuchFile => FaultKind::NotFound,
        StatusCode::PermissionDenied => FaultKind::PermissionDenied,
        StatusCode::OpUnsupported => FaultKind::Unsupported,
        StatusCode::NoConnection | StatusCode::ConnectionLost => FaultKind::ConnectionLost,
        StatusCode::Failure if is_full => FaultKind::OutOfSpace,
        StatusCode::Failure if lower.contains("exist") => FaultKind::Exists,
        StatusCode::Failure => FaultKind::Io,
        StatusCode::Ok | StatusCode::Eof | StatusCode::BadMessage => FaultKind::Protocol,
    };
    Fault::new(
        kind,
        format!("the SFTP server refused: {} ({said})", status.status_code),
    )
}
