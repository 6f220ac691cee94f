//! The pages about problem codes, embedded: the server answers them below `/docs/problems/`.

/// Makes [`problem_page`] and the list of its codes, from one list.
macro_rules! pages {
    ($($code:literal),* $(,)?) => {
        /// Every code that has a page, sorted.
        pub const PROBLEM_PAGES: &[&str] = &[$($code,)*];

        /// The page about a problem code or a transfer's `error_code`, in Markdown; `None` for an unknown code.
        pub fn problem_page(code: &str) -> Option<&'static str> {
            match code {
                $($code => Some(include_str!(concat!("../../../docs/problems/", $code, ".md"))),)*
                _ => None,
            }
        }
    };
}

pages!(
    "address_not_allowed",
    "agent_offline",
    "body_too_large",
    "cancelled",
    "content_type_mismatch",
    "credential_expired",
    "credential_invalid",
    "credential_missing",
    "credential_revoked",
    "deadline_exceeded",
    "destination_exists",
    "digest_mismatch",
    "draining",
    "etag_mismatch",
    "events_expired",
    "file_exists",
    "file_too_large",
    "folder_not_empty",
    "folder_not_found",
    "headers_too_large",
    "host_key_changed",
    "idempotency_key_in_progress",
    "idempotency_key_reused",
    "idempotency_secret_shown",
    "in_use",
    "insufficient_scope",
    "internal_error",
    "invalid_cursor",
    "invalid_parameter",
    "invalid_path",
    "malformed_request",
    "method_not_allowed",
    "name_not_allowed",
    "name_taken",
    "network_not_allowed",
    "not_found",
    "overloaded",
    "part_too_large",
    "parts_missing",
    "policy_denied",
    "precondition_required",
    "principal_disabled",
    "quota_exceeded",
    "range_not_satisfiable",
    "rate_limited",
    "rejected",
    "remote_auth_failed",
    "remote_certificate_invalid",
    "remote_failed",
    "remote_out_of_space",
    "remote_permission_denied",
    "remote_timeout",
    "remote_unknown",
    "remote_unreachable",
    "request_timeout",
    "retries_exhausted",
    "size_mismatch",
    "source_changed",
    "source_not_found",
    "state_conflict",
    "storage_full",
    "tenant_suspended",
    "unavailable",
    "unknown_field",
    "unknown_parameter",
    "unsupported_content_coding",
    "unsupported_media_type",
    "upload_expired",
    "validation_failed",
);
