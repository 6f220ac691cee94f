//! Problems (RFC 9457): errors as the client sees them, and the one table from error kind to status, title and hint.

use std::collections::BTreeMap;

use bailee_model::{DecisionId, Error, ErrorKind, RequestId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of every error answer, `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "type": "https://files.example.com/docs/problems/credential_invalid/", "title": "The credential is not valid", "status": 401,
    "code": "credential_invalid", "detail": "No API key matches the one sent.", "instance": "/v1/auth/validate",
    "request_id": "req_01m7yp4sg1e35rw9hmckwyqppc", "retryable": false, "retry_after": null,
    "hint": "Check BAILEE_API_KEY, or make a key with `bailee key create`.", "decision_id": null, "errors": []
}))]
pub struct Problem {
    /// A page about this code, on this server.
    #[serde(rename = "type")]
    pub type_url: String,
    /// The code in plain words; the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A stable word for programs.
    pub code: String,
    /// What went wrong this time.
    pub detail: String,
    /// The path that was asked for.
    pub instance: String,
    /// Names the request, for logs and support.
    #[schema(value_type = String, example = "req_01m7yp4sg1e35rw9hmckwyqppc")]
    pub request_id: RequestId,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// When to try again, in seconds.
    #[schema(required)]
    pub retry_after: Option<u32>,
    /// What to do next.
    pub hint: String,
    /// The policy decision behind a 403.
    #[schema(value_type = Option<String>, example = "dec_01m7yp4sg1e35rw9hmckwyqppc", required)]
    pub decision_id: Option<DecisionId>,
    /// The fields at fault.
    pub errors: Vec<ProblemField>,
    /// Members that belong to the code: `missing`, `violated_policies`, `oldest_sequence`.
    #[serde(flatten)]
    #[schema(value_type = BTreeMap<String, Value>)]
    pub extra: BTreeMap<String, serde_json::Value>,
}

/// One field of a request that could not be taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProblemField {
    /// JSON pointer as fragment (RFC 6901).
    #[schema(example = "#/destination")]
    pub pointer: String,
    /// A stable word for the cause.
    pub code: String,
    /// What is wrong, for people.
    pub detail: String,
}

/// Where a problem occurred.
#[derive(Clone, Copy, Debug)]
pub struct ProblemPlace<'a> {
    /// Scheme and host of this server without a trailing slash; pages of codes are below it.
    pub origin: &'a str,
    /// The path that was asked for, in its `/v1` form.
    pub instance: &'a str,
    /// Names the request.
    pub request_id: RequestId,
}

impl Problem {
    /// The problem that `error` is to the caller. Causes stay behind: only kind, detail, fields and members are shown.
    pub fn new(error: &Error, place: ProblemPlace<'_>) -> Self {
        let kind = problem_kind(error.kind());
        let code = kind.kind.code();
        Self {
            type_url: format!("{}/docs/problems/{code}/", place.origin),
            title: kind.title.to_owned(),
            status: kind.status,
            code: code.to_owned(),
            detail: error.detail().to_owned(),
            instance: place.instance.to_owned(),
            request_id: place.request_id,
            retryable: kind.retryable,
            retry_after: error.retry_after_seconds(),
            hint: kind.hint.to_owned(),
            decision_id: error.decision(),
            errors: error
                .fields()
                .iter()
                .map(|field| ProblemField {
                    pointer: field.pointer.clone(),
                    code: field.code.to_owned(),
                    detail: field.detail.clone(),
                })
                .collect(),
            extra: error
                .extra()
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        }
    }
}

/// What is the same for every problem of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProblemKind {
    /// The kind of failure; its `code()` is the wire's.
    pub kind: ErrorKind,
    /// HTTP status.
    pub status: u16,
    /// The code in plain words.
    pub title: &'static str,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// What to do next.
    pub hint: &'static str,
}

/// Makes [`problem_kind`]: an exhaustive match, so that a new kind does not compile without its row.
macro_rules! problem_kinds {
    ($($kind:ident $status:literal $retry:ident $title:literal $hint:literal;)*) => {
        /// Status, title, retry advice and hint of a kind.
        pub fn problem_kind(kind: ErrorKind) -> &'static ProblemKind {
            match kind {
                $(ErrorKind::$kind => &ProblemKind {
                    kind: ErrorKind::$kind,
                    status: $status,
                    title: $title,
                    retryable: problem_kinds!(@ $retry),
                    hint: $hint,
                },)*
            }
        }
    };
    (@ once) => { false };
    (@ again) => { true };
}

problem_kinds! {
    MalformedRequest 400 once "The request cannot be read" "Send what the API reference shows for this route.";
    UnknownParameter 400 once "The query has an unknown parameter" "Check the spelling; `errors` names the parameter.";
    InvalidParameter 400 once "A parameter has a value that it cannot have" "Correct the parameter named in `errors`.";
    InvalidCursor 400 once "The cursor is not valid" "Start the list again without `cursor`, with the same filters throughout.";
    InvalidPath 400 once "The path is not valid" "Use a path such as `/reports/a.csv`, without `.` and `..` and backslashes.";
    CredentialMissing 401 once "A credential is needed" "Send `Authorization: Bearer <api key>`.";
    CredentialInvalid 401 once "The credential is not valid" "Check BAILEE_API_KEY, or make a key with `bailee key create`.";
    CredentialExpired 401 once "The credential has expired" "Make a new key with `bailee key create`, and note its `expires_at`.";
    CredentialRevoked 401 once "The credential was revoked" "Make a new key with `bailee key create`.";
    SignatureInvalid 401 once "The signature is not valid" "Sign `webhook-id`, `webhook-timestamp` and the body with the flow's secret, at the time of sending.";
    InsufficientScope 403 once "The credential lacks a scope" "Use a key that has the scope named in `detail`.";
    PolicyDenied 403 once "Policy refuses this" "Ask an administrator of the tenant for the role that allows it.";
    NetworkNotAllowed 403 once "The credential is not taken from this network" "Call from an allowed network, or extend the key's `allowed_networks`.";
    PrincipalDisabled 403 once "The principal is disabled" "Ask an administrator of the tenant to enable it.";
    TenantSuspended 403 once "The tenant is suspended" "Ask the operator of this installation.";
    NotFound 404 once "There is no such object" "Check the id and the tenant that the credential belongs to.";
    FolderNotFound 404 once "There is no such folder" "Check the path, or make the folder with `POST /v1/folders`.";
    MethodNotAllowed 405 once "The route does not know this method" "Use one of the methods in the `Allow` header.";
    RequestTimeout 408 again "The request came too slowly" "Send it again; use `/v1/uploads` for large files on slow lines.";
    FileExists 409 once "There is a file at this path already" "Choose another name, or set `overwrite` to make a new version.";
    FolderNotEmpty 409 once "The folder is not empty" "Remove what it holds first, or set `recursive=true`.";
    PartsMissing 409 once "Parts of the upload are missing" "Send the parts listed in `missing`, then complete again.";
    StateConflict 409 once "The object is in a state that does not allow this" "Read the object again and decide by its `state`.";
    NameTaken 409 once "The name is taken" "Choose another name.";
    InUse 409 once "The object is in use" "End or change what uses it first; `detail` names it.";
    IdempotencyKeyInProgress 409 again "The first request with this idempotency key is still running" "Wait `retry_after` seconds and send the same request again.";
    UploadExpired 410 once "The upload session has expired" "Open a new session with `POST /v1/uploads` and send the parts again.";
    EventsExpired 410 once "These events are no longer kept" "Go on from `oldest_sequence`; the audit journal still has the older entries.";
    EtagMismatch 412 once "The object has changed meanwhile" "Read it again, apply the change to what is there now, and send its new ETag.";
    PreconditionRequired 428 once "The change needs If-Match" "Read the object and send its ETag as `If-Match`.";
    FileTooLarge 413 once "The file is too large" "Split the file, or ask the operator for a higher limit.";
    PartTooLarge 413 once "The part is too large" "Send parts of at most `max_part_size` bytes.";
    BodyTooLarge 413 once "The request body is too large" "Send less at once; bytes of files go to the upload routes.";
    QuotaExceeded 413 once "The tenant's quota is used up" "Delete files, empty the trash, or ask for a larger quota.";
    UnsupportedMediaType 415 once "The body has a media type that this route does not take" "Set `Content-Type` as the API reference shows.";
    UnsupportedContentCoding 415 once "The body has a content coding" "Send the body without `Content-Encoding`.";
    HeadersTooLarge 431 once "The request's headers are too large" "Send fewer and shorter headers; look for stray cookies.";
    RangeNotSatisfiable 416 once "The range lies outside the file" "Compare the range with the size in `Content-Range`; a whole local file needs no resume.";
    ValidationFailed 422 once "The request holds values that cannot be taken" "Correct the fields named in `errors`.";
    UnknownField 422 once "The request holds an unknown field" "Remove or correct the field named in `errors`.";
    NameNotAllowed 422 once "The tenant's name rule refuses this name" "Use ASCII letters, digits, `_`, `-` and `.` only, or change the setting `name_rule`.";
    DigestMismatch 422 once "The bytes do not have the digest that was declared" "Compute the digest again and send the bytes again.";
    SizeMismatch 422 once "The bytes do not have the size that was declared" "Check that the source did not change while it was sent.";
    ContentTypeMismatch 422 once "The content contradicts its declared type" "Declare the true type, or change the setting `refuse_type_mismatch`.";
    IdempotencySecretShown 409 once "The secret was shown when this request was first answered" "Use the object named in `made_id`; if its secret is lost, rotate or replace it.";
    IdempotencyKeyReused 422 once "The idempotency key was used for another request" "Use a new key for each new request.";
    AddressNotAllowed 422 once "The address is not allowed" "Use a public `https://` address, or ask the operator for an egress entry.";
    RemoteUnknown 422 once "There is no remote of this name" "Check the name with `bailee remote list`.";
    SecretUnreadable 502 once "A secret that the remote refers to cannot be read" "Correct the secret, or what it refers to; `detail` says why.";
    SecretUnavailable 503 again "The store of a secret does not answer" "Try again after `retry_after` seconds; look at the secret's store if it lasts.";
    RateLimited 429 again "Too many requests" "Wait `retry_after` seconds; the `RateLimit` header shows what is left.";
    InternalError 500 once "The server could not complete the request" "Report the `request_id` to the operator.";
    RemoteFailed 502 again "The remote answered with an error" "Run `bailee remote test` for the remote.";
    RemoteTimeout 504 again "The remote did not answer in time" "Run `bailee remote test` for the remote.";
    Unavailable 503 again "The service is not available" "Try again after `retry_after` seconds.";
    Overloaded 503 again "The server is overloaded" "Try again after `retry_after` seconds, with fewer requests at once.";
    Draining 503 again "The server is shutting down" "Try again after `retry_after` seconds; another node takes over.";
    StorageFull 507 once "The store is full" "The operator has to make room before anything can be written.";
}

/// Codes that a transfer can end with, as `error_code`. Some are also problem codes.
pub const TRANSFER_CODES: &[&str] = &[
    "source_not_found",
    "source_changed",
    "destination_exists",
    "remote_unreachable",
    "remote_auth_failed",
    "remote_permission_denied",
    "remote_out_of_space",
    "host_key_changed",
    "remote_certificate_invalid",
    "agent_offline",
    "digest_mismatch",
    "policy_denied",
    "cancelled",
    "rejected",
    "deadline_exceeded",
    "retries_exhausted",
    "secret_unreadable",
];

/// Codes that a step of a flow can end with, beside the codes of problems and transfers.
pub const STEP_CODES: &[&str] = &[
    "archive_damaged",
    "archive_entry_damaged",
    "archive_entry_duplicate",
    "archive_entry_encrypted",
    "archive_entry_link",
    "archive_entry_method",
    "archive_entry_name",
    "archive_entry_overlap",
    "archive_entry_path",
    "archive_entry_special",
    "archive_one_file",
    "archive_too_many_entries",
    "archive_unknown",
    "checksum_contradiction",
    "checksum_file_missing",
    "checksum_line",
    "checksum_mismatch",
    "checksum_missing",
    "checksum_not_listed",
    "checksum_too_many_lines",
    "content_abandoned",
    "content_broken",
    "content_invalid",
    "content_too_dense",
    "content_too_large",
    "content_unreadable",
    "content_unwritable",
    "output_name_taken",
    "pgp_bad_signature",
    "pgp_damaged",
    "pgp_failed",
    "pgp_key_cannot_encrypt",
    "pgp_key_cannot_sign",
    "pgp_key_expired",
    "pgp_key_not_yet_valid",
    "pgp_key_revoked",
    "pgp_key_unknown",
    "pgp_key_untrusted",
    "pgp_key_weak",
    "pgp_key_without_secret",
    "pgp_layers",
    "pgp_not_a_message",
    "pgp_not_a_signature",
    "pgp_not_encrypted",
    "pgp_not_for_us",
    "pgp_not_signed",
    "pgp_signature_missing",
    "pgp_too_many",
    "pgp_unknown_signer",
    "pgp_unprotected",
    "pgp_weak_algorithm",
    "rule_csv",
    "rule_pattern",
    "rule_schema",
];
