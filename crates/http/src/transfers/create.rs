use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bailee_api::{CreateTransfer, Transfer, TransferAnswer, TransferEnd, TransferRetry};
use bailee_core::{Caller, Core, NewTransfer, parse_end};
use bailee_model as model;
use bailee_model::{End, Error, Glob, RemoteName, RetryRule};
use tokio::time::Instant;

use super::{accepted, view};
use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::{Json, PREFERENCE_APPLIED, Prefer, file_path};

/// Submit a transfer
///
/// Syntax, policy on both ends and a source inside Bailee are checked at once; far ends by the transfer itself. With
/// `dry_run` nothing is made: the answer says what would be moved. With `Prefer: wait=20` the answer is held until the
/// transfer ends, if that is soon.
#[utoipa::path(post, path = "/transfers", operation_id = "transfers.create", tag = "transfers",
    request_body = CreateTransfer, params(Prefer),
    responses(
        (status = 200, description = "The plan, with `dry_run`; or how it ended within the time of `Prefer: wait`",
            body = TransferAnswer),
        (status = 202, description = "It is queued, durably", body = Transfer)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    prefer: Prefer,
    Json(wish): Json<CreateTransfer>,
) -> Answer<Response> {
    if wish.dry_run {
        let plan = core.transfers().plan(&caller, command(wish)?).await?;
        return Ok(Body(view::plan(&plan)).into_response());
    }
    let made = core.transfers().submit(&caller, command(wish)?).await?;
    let Some(wait) = prefer.wait() else {
        return Ok(accepted(&made).into_response());
    };
    let transfer = ended_within(&core, &caller, made, wait).await?;
    let applied = [(PREFERENCE_APPLIED, prefer.applied())];
    if transfer.state.is_final() {
        return Ok((applied, Body(view::view(&transfer))).into_response());
    }
    Ok((applied, accepted(&transfer)).into_response())
}

/// The transfer at its end, or when time is up.
async fn ended_within(
    core: &Core,
    caller: &Caller,
    mut transfer: model::Transfer,
    wait: Duration,
) -> Result<model::Transfer, Error> {
    let end = Instant::now() + wait;
    while !transfer.state.is_final() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || core.is_draining() {
            break;
        }
        transfer = core
            .transfers()
            .wait_for_own(caller, &transfer, left)
            .await?;
    }
    Ok(transfer)
}

pub(crate) fn command(wish: CreateTransfer) -> Result<NewTransfer, Error> {
    let mut sources = Vec::with_capacity(wish.sources.len());
    for (at, source) in wish.sources.into_iter().enumerate() {
        sources.push(end(source, &format!("#/sources/{at}"))?);
    }
    let source = match (wish.source, sources.first()) {
        (Some(source), None) => end(source, "#/source")?,
        (None, Some(first)) => first.clone(),
        (Some(_), Some(_)) => {
            let detail = "Name `source` or `sources`, not both.";
            return Err(Error::field("#/sources", "conflict", detail));
        }
        (None, None) => {
            let detail = "Say where it comes from: `source`, or `sources`.";
            return Err(Error::field("#/source", "missing", detail));
        }
    };
    Ok(NewTransfer {
        sources,
        include: globs(&wish.include, "#/include")?,
        exclude: globs(&wish.exclude, "#/exclude")?,
        same: wish.sync,
        delete_source: wish.delete_source,
        preserve_time: wish.preserve_time,
        bandwidth: wish.bandwidth,
        label: wish.label,
        priority: wish.priority.unwrap_or(0),
        verify: wish.verify.unwrap_or_default(),
        on_conflict: wish.on_conflict.unwrap_or_default(),
        retry: wish.retry.map(retry).unwrap_or_default(),
        deadline: wish.deadline,
        start_at: wish.start_at,
        notify_on_completion: wish.notify_on_completion,
        metadata: wish.metadata,
        ..NewTransfer::new(source, end(wish.destination, "#/destination")?)
    })
}

fn globs(texts: &[String], pointer: &str) -> Result<Vec<Glob>, Error> {
    let read = |(at, text): (usize, &String)| {
        text.parse::<Glob>().map_err(|why| {
            let detail = format!("`{text}`: {why}.");
            Error::field(&format!("{pointer}/{at}"), "invalid_pattern", detail)
        })
    };
    texts.iter().enumerate().map(read).collect()
}

fn retry(wish: TransferRetry) -> RetryRule {
    let usual = RetryRule::default();
    RetryRule {
        max_attempts: wish.max_attempts.unwrap_or(usual.max_attempts),
        initial_delay_seconds: wish
            .initial_delay_seconds
            .unwrap_or(usual.initial_delay_seconds),
        max_delay_seconds: wish.max_delay_seconds.unwrap_or(usual.max_delay_seconds),
    }
}

fn end(wish: TransferEnd, pointer: &str) -> Result<End, Error> {
    match wish {
        TransferEnd::Text(text) => parse_end(&text),
        TransferEnd::File(end) => Ok(End::File { file: end.file_id }),
        TransferEnd::Path(end) if end.path.ends_with('/') => Ok(End::Folder {
            path: end.path.parse()?,
        }),
        TransferEnd::Path(end) => Ok(End::Path {
            path: file_path(&end.path)?,
        }),
        TransferEnd::Remote(end) => {
            let name: RemoteName = end.remote.parse().map_err(|detail: &str| {
                Error::field(&format!("{pointer}/remote"), "invalid", detail)
            })?;
            // The short form has the rules of remote paths.
            parse_end(&format!("{name}:{}", end.path))
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn an_end_reads_the_same_in_both_forms() {
        let read = |text: &str| end(serde_json::from_str(text).unwrap(), "#/source").unwrap();
        assert_eq!(
            read(r#""bank:/in/a.csv""#),
            read(r#"{"remote":"bank","path":"/in/a.csv"}"#)
        );
        assert_eq!(
            read(r#""reports/a.csv""#),
            read(r#"{"path":"/reports/a.csv"}"#)
        );
        let id = "fil_01m7yp4jy0emq8k9w39qsaekf4";
        assert_eq!(
            read(&format!("\"{id}\"")),
            read(&format!(r#"{{"file_id":"{id}"}}"#))
        );
    }

    #[test]
    fn a_remote_of_no_possible_name_is_named_by_pointer() {
        let wish = serde_json::from_str(r#"{"remote":"No!","path":"/a"}"#).unwrap();
        let error = end(wish, "#/source").unwrap_err();
        assert_eq!(error.fields().first().unwrap().pointer, "#/source/remote");
    }
}
