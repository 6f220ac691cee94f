//! What goes wrong, in the words of a transfer: a stable code, a sentence, a hint, and whether another try may help.

use std::time::Duration;

use bailee_connect::{Fault, FaultKind, ProbeStepName};
use bailee_core::model::{Error, ErrorKind, TransferFault, TransferOutcome};

use crate::stop::StopReason;

/// Why a try ended early.
#[derive(Debug)]
pub(super) enum Halt {
    /// It was asked to.
    Stopped(StopReason),
    /// Something went wrong.
    Trouble(Box<Trouble>),
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// As the client sees it.
    pub(super) fault: TransferFault,
    /// How the transfer ends if this is its end.
    pub(super) outcome: TransferOutcome,
    /// The same may work later without anybody changing anything.
    pub(super) is_transient: bool,
    /// What was moved so far is worth nothing.
    pub(super) starts_over: bool,
    /// The source is a folder and no file.
    pub(super) names_folder: bool,
    /// How long the far side asked to be left alone.
    pub(super) wait: Option<Duration>,
    /// What it says about the remote that it came from.
    pub(super) verdict: Option<Verdict>,
}

/// What a fault says about a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The remote's name.
    pub(super) remote: String,
    /// How it fares.
    pub(super) word: Word,
}

/// How a remote fares, by one fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It does not answer, or not for long.
    Failing,
    /// It lets nobody in until somebody mends something.
    Refusing,
    /// It answered: the fault is about the thing that was asked for.
    Answering,
}

/// Which end of the transfer is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Where it comes from.
    Source,
    /// Where it goes.
    Destination,
}

/// A far system at one moment of its use, for the words of a fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The remote's name.
    pub(super) remote: &'a str,
    /// Which end it is.
    pub(super) side: Side,
    /// The connection is not made yet.
    pub(super) is_opening: bool,
}

impl From<StopReason> for Halt {
    fn from(reason: StopReason) -> Self {
        Self::Stopped(reason)
    }
}

impl From<Trouble> for Halt {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(Box::new(trouble))
    }
}

impl Trouble {
    /// A permanent one.
    pub(super) fn new(code: &str, message: impl Into<String>, hint: &str) -> Self {
        let fault = TransferFault {
            code: code.to_owned(),
            message: message.into(),
            hint: Some(hint.to_owned()),
        };
        Self {
            fault,
            outcome: TransferOutcome::Error,
            is_transient: false,
            starts_over: false,
            names_folder: false,
            wait: None,
            verdict: None,
        }
    }

    /// The same, worth another try.
    pub(super) fn transient(mut self) -> Self {
        self.is_transient = true;
        self
    }

    /// The same, from the beginning.
    pub(super) fn starting_over(mut self) -> Self {
        self.starts_over = true;
        self
    }

    /// The same as the last word after `attempts` tries.
    pub(super) fn exhausted(self, attempts: u32) -> TransferFault {
        let TransferFault {
            code,
            message,
            hint,
        } = self.fault;
        let tries = if attempts == 1 {
            "1 attempt".to_owned()
        } else {
            format!("{attempts} attempts")
        };
        // These say more about what to do than that the tries are used up.
        let keeps_code = matches!(
            code.as_str(),
            "remote_unreachable" | "source_changed" | "digest_mismatch"
        );
        TransferFault {
            code: if keeps_code {
                code
            } else {
                "retries_exhausted".to_owned()
            },
            message: format!("{} That was the last of {tries}.", message.trim_end()),
            hint,
        }
    }
}

/// The source is not what it was, or did not stay the same while it was read.
pub(super) fn source_changed(what: impl std::fmt::Display) -> Halt {
    let hint = "Have the writer use a temporary name and rename at the end, or start later with `start_at`.";
    Trouble::new(
        "source_changed",
        format!("The source changed while it was read: {what}."),
        hint,
    )
    .transient()
    .starting_over()
    .into()
}

/// The destination is occupied.
pub(super) fn destination_exists(path: impl std::fmt::Display) -> Halt {
    let hint = "Choose another name, or set `on_conflict` to `replace`, `rename` or `skip`.";
    Trouble::new(
        "destination_exists",
        format!("There is a file at `{path}` already."),
        hint,
    )
    .into()
}

/// A path that the far side's rules refuse.
pub(super) fn bad_path(path: &str, why: impl std::fmt::Display) -> Halt {
    Trouble::new(
        "invalid_path",
        format!("The path `{path}` cannot be used: {why}."),
        "Correct the path.",
    )
    .into()
}

/// A far system's fault, in the words of a transfer.
pub(super) fn from_far(fault: &Fault, place: Place<'_>) -> Halt {
    if fault.kind() == &FaultKind::Changed && place.side == Side::Source {
        return source_changed(fault.message());
    }
    let remote = place.remote;
    let code = code(fault.kind(), place);
    let said = fault.message().trim_end_matches('.');
    let message = match code {
        "remote_unreachable" => format!("Remote `{remote}` did not answer: {said}."),
        _ => format!("Remote `{remote}`: {said}."),
    };
    let message = match fault.seen_host_key() {
        Some(key) if !message.contains(&key.fingerprint) => {
            format!("{message} It showed {}.", key.fingerprint)
        }
        _ => message,
    };
    let hint = match (code, fault.kind()) {
        ("remote_unreachable", _) => format!("Run `bailee remote test {remote}`."),
        (_, FaultKind::HostKeyUnknown { .. }) => {
            "Compare the fingerprint with the partner's, then pin it with `bailee remote trust`."
                .to_owned()
        }
        ("folder_not_found", _) => {
            "Make the folder at the remote, or correct the destination.".to_owned()
        }
        _ => fault.fix().to_owned(),
    };
    let trouble = Trouble {
        wait: fault.wait(),
        verdict: verdict(fault.kind(), place),
        ..Trouble::new(code, message, &hint)
    };
    let starts_over = matches!(
        fault.kind(),
        FaultKind::OffsetBeyondEnd | FaultKind::Changed
    );
    match (fault.is_transient(), starts_over) {
        (_, true) => trouble.transient().starting_over(),
        (true, false) => trouble.transient(),
        (false, false) => trouble,
    }
    .into()
}

fn verdict(kind: &FaultKind, place: Place<'_>) -> Option<Verdict> {
    let word = match kind {
        FaultKind::Unreachable
        | FaultKind::Timeout
        | FaultKind::ConnectionLost
        | FaultKind::Busy => Word::Failing,
        FaultKind::AuthFailed
        | FaultKind::HostKeyChanged { .. }
        | FaultKind::HostKeyUnknown { .. }
        | FaultKind::CertificateInvalid => Word::Refusing,
        // Of this machine's own rules and of the configuration it says nothing.
        FaultKind::AddressNotAllowed | FaultKind::Invalid => return None,
        _ if place.is_opening => return None,
        _ => Word::Answering,
    };
    Some(Verdict {
        remote: place.remote.to_owned(),
        word,
    })
}

/// The code of a fault that a test of a remote met, as if a transfer to it had.
pub(crate) fn probe_code(kind: &FaultKind, step: ProbeStepName) -> &'static str {
    let is_opening = matches!(
        step,
        ProbeStepName::Resolve
            | ProbeStepName::Connect
            | ProbeStepName::HostKey
            | ProbeStepName::SignIn
    );
    let place = Place {
        remote: "",
        side: Side::Destination,
        is_opening,
    };
    code(kind, place)
}

fn code(kind: &FaultKind, place: Place<'_>) -> &'static str {
    match kind {
        FaultKind::Unreachable => "remote_unreachable",
        FaultKind::Timeout | FaultKind::ConnectionLost if place.is_opening => "remote_unreachable",
        FaultKind::Timeout => "remote_timeout",
        FaultKind::Busy => "remote_busy",
        FaultKind::AuthFailed => "remote_auth_failed",
        FaultKind::HostKeyChanged { .. } | FaultKind::HostKeyUnknown { .. } => "host_key_changed",
        FaultKind::NotFound if place.side == Side::Source => "source_not_found",
        FaultKind::NotFound if !place.is_opening => "folder_not_found",
        FaultKind::PermissionDenied => "remote_permission_denied",
        FaultKind::OutOfSpace => "remote_out_of_space",
        FaultKind::Exists => "destination_exists",
        FaultKind::AddressNotAllowed => "address_not_allowed",
        FaultKind::CertificateInvalid => "remote_certificate_invalid",
        FaultKind::NotFound
        | FaultKind::OffsetBeyondEnd
        | FaultKind::Changed
        | FaultKind::ConnectionLost
        | FaultKind::Protocol
        | FaultKind::Unsupported
        | FaultKind::Invalid
        | FaultKind::Io => "remote_failed",
    }
}

/// What the core refused or failed to do, in the words of a transfer.
pub(super) fn from_core(error: &Error, side: Side) -> Halt {
    let detail = error.detail();
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::FolderNotFound if side == Side::Source => Trouble::new(
            "source_not_found",
            detail,
            "Check the source; it may have been deleted.",
        )
        .into(),
        ErrorKind::FileExists => {
            let hint =
                "Choose another name, or set `on_conflict` to `replace`, `rename` or `skip`.";
            Trouble::new("destination_exists", detail, hint).into()
        }
        ErrorKind::CredentialMissing
        | ErrorKind::CredentialInvalid
        | ErrorKind::CredentialExpired
        | ErrorKind::CredentialRevoked
        | ErrorKind::InsufficientScope
        | ErrorKind::PolicyDenied
        | ErrorKind::NetworkNotAllowed
        | ErrorKind::PrincipalDisabled
        | ErrorKind::TenantSuspended => {
            let hint = "The rights of whoever asked for this transfer do not allow it; give them and submit it again.";
            Trouble {
                outcome: TransferOutcome::Rejected,
                ..Trouble::new("policy_denied", detail, hint)
            }
            .into()
        }
        ErrorKind::InternalError
        | ErrorKind::Unavailable
        | ErrorKind::Overloaded
        | ErrorKind::Draining => {
            // What went wrong inside is for the log; the client can only wait.
            tracing::warn!(error = %error, cause = ?std::error::Error::source(error), "a transfer met an error inside");
            let code = error.kind().code();
            Trouble::new(
                code,
                detail,
                "It is tried again; if it persists, ask the operator.",
            )
            .transient()
            .into()
        }
        ErrorKind::UploadExpired | ErrorKind::PartsMissing | ErrorKind::StateConflict => {
            Trouble::new(
                error.kind().code(),
                detail,
                "It is tried again from the beginning.",
            )
            .transient()
            .starting_over()
            .into()
        }
        ErrorKind::SizeMismatch => source_changed("it has another size than it said"),
        kind => Trouble::new(
            kind.code(),
            detail,
            "Correct the cause and submit the transfer again.",
        )
        .into(),
    }
}

#[cfg(test)]
#[expect(clippy::panic, reason = "tests fail by panicking")]
mod tests {
    use bailee_connect::HostKey;

    use super::*;

    fn trouble(halt: Halt) -> Trouble {
        match halt {
            Halt::Trouble(trouble) => *trouble,
            Halt::Stopped(reason) => panic!("stopped: {reason:?}"),
        }
    }

    fn far(kind: FaultKind, side: Side, is_opening: bool) -> Trouble {
        let place = Place {
            remote: "bank",
            side,
            is_opening,
        };
        trouble(from_far(&Fault::new(kind, "the far side said so"), place))
    }

    #[test]
    fn every_fault_of_a_far_system_has_its_code() {
        let seen = || HostKey {
            fingerprint: "SHA256:abc".to_owned(),
            public_key: "ssh-ed25519 AAAA".to_owned(),
        };
        let changed = FaultKind::HostKeyChanged {
            pinned: "SHA256:xyz".to_owned(),
            seen: seen(),
        };
        let table = [
            (FaultKind::Unreachable, "remote_unreachable", true),
            (FaultKind::AuthFailed, "remote_auth_failed", false),
            (changed, "host_key_changed", false),
            (
                FaultKind::HostKeyUnknown { seen: seen() },
                "host_key_changed",
                false,
            ),
            (FaultKind::NotFound, "folder_not_found", false),
            (
                FaultKind::PermissionDenied,
                "remote_permission_denied",
                false,
            ),
            (FaultKind::OutOfSpace, "remote_out_of_space", false),
            (FaultKind::Exists, "destination_exists", false),
            (FaultKind::OffsetBeyondEnd, "remote_failed", true),
            (FaultKind::Timeout, "remote_timeout", true),
            (FaultKind::Busy, "remote_busy", true),
            (FaultKind::Changed, "remote_failed", true),
            (FaultKind::ConnectionLost, "remote_failed", true),
            (FaultKind::Protocol, "remote_failed", false),
            (FaultKind::AddressNotAllowed, "address_not_allowed", false),
            (
                FaultKind::CertificateInvalid,
                "remote_certificate_invalid",
                false,
            ),
            (FaultKind::Unsupported, "remote_failed", false),
            (FaultKind::Invalid, "remote_failed", false),
            (FaultKind::Io, "remote_failed", false),
        ];
        for (kind, code, is_transient) in table {
            let name = format!("{kind:?}");
            let found = far(kind, Side::Destination, false);
            assert_eq!(
                (found.fault.code.as_str(), found.is_transient),
                (code, is_transient),
                "{name}"
            );
            assert!(
                found.fault.message.contains("bank") && found.fault.hint.is_some(),
                "{name}"
            );
        }
        assert_eq!(
            far(FaultKind::NotFound, Side::Source, false).fault.code,
            "source_not_found"
        );
        assert_eq!(
            far(FaultKind::Timeout, Side::Source, true).fault.code,
            "remote_unreachable"
        );
        assert!(far(FaultKind::OffsetBeyondEnd, Side::Destination, false).starts_over);
        let key = far(
            FaultKind::HostKeyUnknown { seen: seen() },
            Side::Source,
            true,
        );
        assert!(key.fault.message.contains("SHA256:abc"));
    }

    #[test]
    fn refusals_inside_reject_and_outages_wait() {
        let inside = |kind, side| trouble(from_core(&Error::new(kind, "No."), side));
        assert_eq!(
            inside(ErrorKind::PolicyDenied, Side::Source).outcome,
            TransferOutcome::Rejected
        );
        assert_eq!(
            inside(ErrorKind::CredentialRevoked, Side::Source).outcome,
            TransferOutcome::Rejected
        );
        assert_eq!(
            inside(ErrorKind::NotFound, Side::Source).fault.code,
            "source_not_found"
        );
        assert_eq!(
            inside(ErrorKind::FileExists, Side::Destination).fault.code,
            "destination_exists"
        );
        assert!(inside(ErrorKind::Unavailable, Side::Destination).is_transient);
        assert!(!inside(ErrorKind::QuotaExceeded, Side::Destination).is_transient);
        assert!(inside(ErrorKind::UploadExpired, Side::Destination).starts_over);
    }

    #[test]
    fn the_last_word_says_how_often_it_was_tried() {
        let unreachable = far(FaultKind::Unreachable, Side::Destination, true).exhausted(5);
        assert_eq!(unreachable.code, "remote_unreachable");
        assert!(
            unreachable.message.contains("5 attempts"),
            "{}",
            unreachable.message
        );
        assert_eq!(
            far(FaultKind::Timeout, Side::Destination, false)
                .exhausted(1)
                .code,
            "retries_exhausted"
        );
    }
}
