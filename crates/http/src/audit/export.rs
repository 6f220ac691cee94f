use std::convert::Infallible;
use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bailee_core::{Core, ExportLine, JournalExport};
use bailee_model::LEAF_NAMES;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream as streams};
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Query, one_of};

/// Name and version of the form. FORMAT: whatever changes here needs another.
const EXPORT_FORMAT: &str = "bailee-audit-export-v1";
/// The forms of an export.
const FORMATS: [&str; 2] = ["jsonl", "csv"];

/// What is exported, and how.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// `jsonl`, which can be verified offline, or `csv` for spreadsheets; `jsonl` when absent.
    format: Option<String>,
    /// Only records behind this sequence; all when absent.
    after: Option<u64>,
}

/// Export the journal as a stream
///
/// All records from a place on up to a checkpoint that is signed now, oldest first. As JSON lines it holds what
/// `bailee audit verify FILE` needs to prove offline that none is missing or changed.
#[utoipa::path(get, path = "/audit/export", operation_id = "audit.export", tag = "audit", params(ExportQuery),
    responses((status = 200, description = "The journal", content(
        (String = "application/x-ndjson"), (String = "text/csv")))))]
pub(crate) async fn export(
    State(core): State<Core>,
    caller: Authenticated,
    Query(query): Query<ExportQuery>,
) -> Answer<Response> {
    let format = one_of("format", query.format, &FORMATS)?;
    let form = match format.as_deref() {
        Some("csv") => Form::Csv,
        _ => Form::JsonLines,
    };
    let after = query.after.unwrap_or(0);
    let export = core.audit().export(&caller, after).await?;
    let name = format!(
        "attachment; filename=\"journal-{after}-{}.{}\"",
        export.last,
        form.ending()
    );
    let mut answer = Body::from_stream(lines(export, form)).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form.kind()));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(answer)
}

#[derive(Clone, Copy)]
enum Form {
    JsonLines,
    Csv,
}

impl Form {
    const fn kind(self) -> &'static str {
        match self {
            Self::JsonLines => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }

    fn head(self, export: &JournalExport) -> String {
        match self {
            Self::JsonLines => {
                let frontier: Vec<String> = export.frontier.iter().map(hex::encode).collect();
                let head = json!({
                    "format": EXPORT_FORMAT, "tenant_id": export.tenant, "after": export.after, "last": export.last,
                    "frontier": frontier, "key": export.key,
                });
                format!("{head}\n")
            }
            Self::Csv => format!("sequence,{},leaf_hash\r\n", LEAF_NAMES.join(",")),
        }
    }

    fn line(self, export: &JournalExport, line: &ExportLine) -> String {
        match (self, line) {
            (Self::JsonLines, ExportLine::Entry(sealed, leaf)) => {
                let values = sealed.entry.leaf_values(export.tenant);
                let values = values.map(|(name, value)| (name.to_owned(), Value::from(value)));
                let entry = Value::Object(values.into_iter().collect());
                let line =
                    json!({ "sequence": sealed.sequence, "leaf_hash": leaf, "entry": entry });
                format!("{line}\n")
            }
            (Self::JsonLines, ExportLine::Checkpoint(note)) => {
                format!("{}\n", json!({ "checkpoint": note }))
            }
            (Self::Csv, ExportLine::Entry(sealed, leaf)) => {
                let mut row = sealed.sequence.to_string();
                for (_, value) in sealed.entry.leaf_values(export.tenant) {
                    let _ = write!(row, ",{}", cell(value.as_deref().unwrap_or_default()));
                }
                let _ = write!(row, ",{leaf}\r\n");
                row
            }
            (Self::Csv, ExportLine::Checkpoint(_)) => String::new(),
        }
    }
}

/// As RFC 4180 has it. Text that a spreadsheet would take for a formula is told to be text by an apostrophe.
fn cell(text: &str) -> String {
    let text = match text.as_bytes().first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') => format!("'{text}"),
        _ => text.to_owned(),
    };
    if text.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

/// A failure on the way ends the stream without its last checkpoint, so that whoever verifies it sees that it is cut.
fn lines(export: JournalExport, form: Form) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let head = Bytes::from(form.head(&export));
    let head = streams::once(async move { Ok(head) });
    let rest = streams::unfold(export, move |mut export| async move {
        match export.next().await {
            Ok(lines) if lines.is_empty() => None,
            Ok(lines) => {
                let text: String = lines.iter().map(|line| form.line(&export, line)).collect();
                Some((Ok(Bytes::from(text)), export))
            }
            Err(error) => {
                tracing::error!(%error, "an export of the journal broke off");
                None
            }
        }
    });
    head.chain(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_and_never_are_formulas() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("-2\n"), "\"'-2\n\"");
    }
}
