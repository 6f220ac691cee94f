//! What can go wrong with a far system, in words that can be shown to the person who set it up.

use std::fmt;
use std::time::Duration;

use crate::limit;

/// The result of talking to a far system.
pub type Result<T, E = Fault> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A server's host key as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    /// `SHA256:` and the unpadded base64 of the digest.
    pub fingerprint: String,
    /// The key in OpenSSH's one-line form, `ssh-ed25519 AAAA…`.
    pub public_key: String,
}

/// The kind of a [`Fault`]: what a caller may decide by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The name did not resolve, or nothing answered at the address.
    Unreachable,
    /// The far system refused the credential.
    AuthFailed,
    /// The server's key is not the pinned one. Nothing was sent to it.
    HostKeyChanged {
        /// What is pinned, as configured.
        pinned: String,
        /// What the server showed.
        seen: HostKey,
    },
    /// No key is pinned yet. Nothing was sent to the server.
    HostKeyUnknown {
        /// What the server showed, to be pinned after a look.
        seen: HostKey,
    },
    /// There is no such file or folder.
    NotFound,
    /// Signed in, but not allowed to do this.
    PermissionDenied,
    /// The far system's disk or quota is full.
    OutOfSpace,
    /// Something with that name is there already.
    Exists,
    /// The far system holds fewer bytes than the checkpoint says: begin again at zero.
    OffsetBeyondEnd,
    /// The content is not the one that was meant: it changed meanwhile.
    Changed,
    /// The far system is overloaded, or limits how often it may be asked.
    Busy,
    /// The far system took too long.
    Timeout,
    /// The connection ended in the middle.
    ConnectionLost,
    /// The far system broke the rules of its protocol.
    Protocol,
    /// The address is one that this server does not connect to.
    AddressNotAllowed,
    /// The certificate is not trusted, expired, or for another name.
    CertificateInvalid,
    /// The far system, or the connector, cannot do this.
    Unsupported,
    /// What was configured or asked for is not well-formed.
    Invalid,
    /// Reading or writing failed for another reason, given in the message.
    Io,
}

/// A failed operation on a far system. The message is in plain words and holds no secret.
#[derive(Debug)]
pub struct Fault {
    kind: FaultKind,
    message: String,
    /// What few faults have is kept apart: results carry a fault's size everywhere.
    more: Option<Box<More>>,
}

#[derive(Debug, Default)]
struct More {
    retry_after: Option<Duration>,
    source: Option<Source>,
}

impl Fault {
    /// A fault of `kind` with a message for people.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            more: None,
        }
    }

    /// The same fault with the error it came from.
    pub fn because(mut self, source: impl Into<Source>) -> Self {
        self.more.get_or_insert_default().source = Some(source.into());
        self
    }

    /// The same fault, with the time that the far system asked to be left alone.
    #[must_use]
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        if wait.is_some() {
            self.more.get_or_insert_default().retry_after = wait;
        }
        self
    }

    /// How long the far system asked to be left alone.
    pub fn wait(&self) -> Option<Duration> {
        self.more.as_ref()?.retry_after
    }

    /// What kind of fault this is.
    pub fn kind(&self) -> &FaultKind {
        &self.kind
    }

    /// What happened, for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::Unreachable
                | FaultKind::Busy
                | FaultKind::Timeout
                | FaultKind::ConnectionLost
        )
    }

    /// The host key that the server showed, where that is what the fault is about.
    pub fn seen_host_key(&self) -> Option<&HostKey> {
        match &self.kind {
            FaultKind::HostKeyChanged { seen, .. } | FaultKind::HostKeyUnknown { seen } => {
                Some(seen)
            }
            _ => None,
        }
    }

    /// What the person who set this up can do about it.
    pub fn fix(&self) -> &'static str {
        match self.kind {
            FaultKind::Unreachable => "Check host name, port and firewalls on the way.",
            FaultKind::AuthFailed => {
                "Check user name and credential; ask the partner whether the account is active."
            }
            FaultKind::HostKeyChanged { .. } => {
                "Ask the partner whether the key was replaced; pin the new key only then."
            }
            FaultKind::HostKeyUnknown { .. } => {
                "Compare the fingerprint with the partner's and pin it."
            }
            FaultKind::NotFound => "Check the path; paths are case-sensitive on most systems.",
            FaultKind::PermissionDenied => {
                "Ask the partner to grant the account access to this folder."
            }
            FaultKind::OutOfSpace => "Ask the partner to free space or raise the quota.",
            FaultKind::Exists => "Choose another name, or allow replacing.",
            FaultKind::OffsetBeyondEnd => "Start the transfer over.",
            FaultKind::Changed => "Start the transfer over; ask the partner who writes this file.",
            FaultKind::Busy => "Wait, or lower this remote's concurrency.",
            FaultKind::Timeout | FaultKind::ConnectionLost => {
                "Try again; if it persists, check the line and the partner's load."
            }
            FaultKind::Protocol => "Check that host and port belong to this kind of server.",
            FaultKind::AddressNotAllowed => {
                "Use a public address, or have the operator allow this network."
            }
            FaultKind::CertificateInvalid => {
                "Renew the certificate, or add the authority that signed it."
            }
            FaultKind::Unsupported => {
                "Ask the partner what their server supports, or choose another way."
            }
            FaultKind::Invalid => "Correct the configuration.",
            FaultKind::Io => "See the message; the far system's log may say more.",
        }
    }

    pub(crate) fn timeout(what: &str) -> Self {
        Self::new(FaultKind::Timeout, format!("{what} took too long"))
    }

    pub(crate) fn unsupported(what: &str) -> Self {
        Self::new(
            FaultKind::Unsupported,
            format!("{what} is not possible at this kind of far system"),
        )
    }

    pub(crate) fn protocol(what: impl Into<String>) -> Self {
        Self::new(FaultKind::Protocol, what)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.more.as_ref()?.source.as_deref()?;
        Some(source)
    }
}

/// A far system's own words, cut short and without control characters, fit to be shown.
pub(crate) fn far_words(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(limit::FAR_WORDS_CHARS_MAX)
        .collect()
}
