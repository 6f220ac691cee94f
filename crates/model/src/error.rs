use std::fmt;

use crate::DecisionId;

/// What core functions answer with when they fail.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        /// Every way in which an operation can fail, closed: a new one needs a code, a page and a status.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorKind {
            $($(#[$doc])* #[doc = concat!("`", $code, "`")] $name,)*
        }

        impl ErrorKind {
            /// All kinds, in catalogue order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code on the wire.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

kinds! {
    MalformedRequest = "malformed_request";
    UnknownParameter = "unknown_parameter";
    InvalidParameter = "invalid_parameter";
    InvalidCursor = "invalid_cursor";
    InvalidPath = "invalid_path";
    CredentialMissing = "credential_missing";
    CredentialInvalid = "credential_invalid";
    CredentialExpired = "credential_expired";
    CredentialRevoked = "credential_revoked";
    SignatureInvalid = "signature_invalid";
    InsufficientScope = "insufficient_scope";
    PolicyDenied = "policy_denied";
    NetworkNotAllowed = "network_not_allowed";
    PrincipalDisabled = "principal_disabled";
    TenantSuspended = "tenant_suspended";
    NotFound = "not_found";
    FolderNotFound = "folder_not_found";
    MethodNotAllowed = "method_not_allowed";
    RequestTimeout = "request_timeout";
    FileExists = "file_exists";
    FolderNotEmpty = "folder_not_empty";
    PartsMissing = "parts_missing";
    StateConflict = "state_conflict";
    NameTaken = "name_taken";
    InUse = "in_use";
    IdempotencyKeyInProgress = "idempotency_key_in_progress";
    UploadExpired = "upload_expired";
    EventsExpired = "events_expired";
    EtagMismatch = "etag_mismatch";
    PreconditionRequired = "precondition_required";
    FileTooLarge = "file_too_large";
    PartTooLarge = "part_too_large";
    BodyTooLarge = "body_too_large";
    QuotaExceeded = "quota_exceeded";
    UnsupportedMediaType = "unsupported_media_type";
    UnsupportedContentCoding = "unsupported_content_coding";
    HeadersTooLarge = "headers_too_large";
    RangeNotSatisfiable = "range_not_satisfiable";
    ValidationFailed = "validation_failed";
    UnknownField = "unknown_field";
    NameNotAllowed = "name_not_allowed";
    DigestMismatch = "digest_mismatch";
    SizeMismatch = "size_mismatch";
    ContentTypeMismatch = "content_type_mismatch";
    IdempotencySecretShown = "idempotency_secret_shown";
    IdempotencyKeyReused = "idempotency_key_reused";
    AddressNotAllowed = "address_not_allowed";
    RemoteUnknown = "remote_unknown";
    SecretUnreadable = "secret_unreadable";
    SecretUnavailable = "secret_unavailable";
    RateLimited = "rate_limited";
    InternalError = "internal_error";
    RemoteFailed = "remote_failed";
    RemoteTimeout = "remote_timeout";
    Unavailable = "unavailable";
    Overloaded = "overloaded";
    Draining = "draining";
    StorageFull = "storage_full";
}

/// One field of a request that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer as fragment: `#/destination`.
    pub pointer: String,
    /// A stable word for the cause.
    pub code: &'static str,
    /// What is wrong, for people.
    pub detail: String,
}

/// A failure on its way up: a kind, a sentence for the caller, and a cause that only logs see.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    detail: String,
    fields: Vec<FieldError>,
    retry_after_seconds: Option<u32>,
    decision: Option<DecisionId>,
    extra: Vec<(&'static str, serde_json::Value)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of `kind`; `detail` is shown to the caller and holds no secret, path of the server or statement.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: detail.into(),
            fields: Vec::new(),
            retry_after_seconds: None,
            decision: None,
            extra: Vec::new(),
            source: None,
        }))
    }

    /// Something that should not happen; the caller sees no more than that.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(
            ErrorKind::InternalError,
            "The server could not complete the request.",
        )
        .caused_by(source)
    }

    /// A field that could not be taken: `validation_failed` with a pointer.
    pub fn field(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::new(ErrorKind::ValidationFailed, detail.clone()).with_field(pointer, code, detail)
    }

    /// The object is not there, or is not for this caller to know of.
    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("There is no such {what}."))
    }

    /// Adds the field at fault.
    pub fn with_field(
        mut self,
        pointer: &str,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        self.0.fields.push(FieldError {
            pointer: pointer.to_owned(),
            code,
            detail: detail.into(),
        });
        self
    }

    /// The same about a part of the request: its fields are those of the member `name`.
    pub fn within(mut self, name: &str) -> Self {
        for field in &mut self.0.fields {
            let inner = field.pointer.trim_start_matches('#');
            field.pointer = format!("#/{name}{inner}");
        }
        self
    }

    /// Says when a retry makes sense, in seconds.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// Names the policy decision behind a refusal.
    pub fn decided_by(mut self, decision: DecisionId) -> Self {
        self.0.decision = Some(decision);
        self
    }

    /// Adds a member that belongs to this kind (`missing`, `oldest_sequence`, …).
    pub fn with(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.0.extra.push((name, value.into()));
        self
    }

    /// Keeps the cause for the log.
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Which kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence for the caller.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The fields at fault.
    pub fn fields(&self) -> &[FieldError] {
        &self.0.fields
    }

    /// When a retry makes sense, in seconds.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.0.retry_after_seconds
    }

    /// The policy decision behind a refusal.
    pub fn decision(&self) -> Option<DecisionId> {
        self.0.decision
    }

    /// Members that belong to the kind.
    pub fn extra(&self) -> &[(&'static str, serde_json::Value)] {
        &self.0.extra
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.0.detail, self.0.kind.code())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl From<crate::PathError> for Error {
    fn from(error: crate::PathError) -> Self {
        let kind = match error {
            crate::PathError::Rule => ErrorKind::NameNotAllowed,
            _ => ErrorKind::InvalidPath,
        };
        Self::new(kind, format!("{error}."))
    }
}
