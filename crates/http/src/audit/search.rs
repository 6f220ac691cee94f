use axum::extract::State;
use axum::response::Response;
use bailee_api::AuditRecordList;
use bailee_core::{AuditFilter, Core};
use bailee_model::TransferId;
use serde::Deserialize;

use super::view::record;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{PageQuery, Paging, Query, folder_path_or_none, one_of, time};

/// How an operation can end.
const STATUSES: [&str; 3] = ["success", "denied", "error"];

/// Which records.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// Only of this operation.
    #[param(example = "transfers.complete")]
    operation: Option<String>,
    /// Only by this principal, by label.
    #[param(example = "svc:nightly")]
    user: Option<String>,
    /// Only with this status: `success`, `denied` or `error`.
    status: Option<String>,
    /// Only about this transfer.
    #[param(value_type = Option<String>)]
    transfer_id: Option<TransferId>,
    /// Only from this address.
    ip_address: Option<String>,
    /// Only of this request.
    request_id: Option<String>,
    /// Only about the thing with this id.
    subject_id: Option<String>,
    /// Only about paths in this folder and below.
    path_prefix: Option<String>,
    /// Only at or after this time.
    created_after: Option<String>,
    /// Only before this time.
    created_before: Option<String>,
}

/// Search the audit records, newest first
#[utoipa::path(get, path = "/audit", operation_id = "audit.search", tag = "audit", params(SearchQuery, PageQuery),
    responses((status = 200, description = "A page of records", body = AuditRecordList)))]
pub(crate) async fn search(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<SearchQuery>,
    paging: Paging,
) -> Answer<Response> {
    let path = folder_path_or_none(query.path_prefix.as_deref())?;
    let filter = AuditFilter {
        operation: query.operation,
        user: query.user,
        status: one_of("status", query.status, &STATUSES)?,
        ip_address: query.ip_address,
        transfer: query.transfer_id,
        request: query.request_id,
        subject: query.subject_id,
        path: path
            .filter(|path| !path.is_root())
            .map(|path| path.to_string()),
        after: time("created_after", query.created_after.as_deref())?,
        before: time("created_before", query.created_before.as_deref())?,
    };
    let page = core
        .audit()
        .search(&caller, filter, paging.request.clone())
        .await?;
    Ok(paging.answer(page, |entry| record(caller.tenant(), &entry)))
}
