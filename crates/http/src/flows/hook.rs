use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use bailee_api::{HookedRun, Links};
use bailee_core::{HookCall, SignedCall};
use bailee_model::{Error, ErrorKind, FlowId, limit};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::answer::{Accepted, Answer};
use crate::body;
use crate::extract::{Id, check_media_type};
use crate::middleware::{RequestFacts, asking, guesses, refuse_if_over, say_replayed};
use crate::site::Site;

/// Start a flow without a key, by a signed call
///
/// For flows with a trigger of kind `hook`. The call is signed with the flow's secret as Standard Webhooks are
/// (`POST /flows/{flow_id}/rotate-secret` makes it); its time may be five minutes off. Calls of one `webhook-id` start
/// one run. The body, of at most 64 KiB, is what the run knows as `${trigger.body.…}`. Whatever does not fit is told
/// alike: 401.
#[utoipa::path(post, path = "/flows/{flow_id}/hook", operation_id = "flows.hook", tag = "flows",
    params(
        ("flow_id" = String, Path, description = "The flow"),
        ("webhook-id" = String, Header, description = "Names the call; the same on each try."),
        ("webhook-timestamp" = String, Header, description = "When it is made, in seconds since 1970."),
        ("webhook-signature" = String, Header, description = "`v1,…`; several with spaces between."),
    ),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 202, description = "The run", body = HookedRun)))]
pub(crate) async fn hook(
    State(site): State<Site>,
    Id(id): Id<FlowId>,
    request: Request,
) -> Answer<Response> {
    let missing = || Error::internal("a request without facts");
    let (head, content) = request.into_parts();
    let facts = head.extensions.get::<RequestFacts>().ok_or_else(missing)?;
    body::check_declared(&head.headers, limit::FLOW_HOOK_BODY_BYTES_MAX)?;
    let content = body::collect(content, limit::FLOW_HOOK_BODY_BYTES_MAX).await?;
    let call = proven(&site, (facts, &head.headers), (id, &content)).await?;
    check_media_type(&head.headers)?;
    let hooks = site.core().flow_hooks();
    let (run, is_known) = hooks.start(call, json(&content)?, asking(facts)).await?;
    let links = Links::to("flow-runs", run.id);
    let location = links.own.clone();
    let run_id = run.id;
    let body = HookedRun { run_id, links };
    let mut answer = Accepted { location, body }.into_response();
    if is_known {
        say_replayed(&mut answer);
    }
    Ok(answer)
}

/// The call, if it is signed with the flow's secret. Refusals are counted against their address before they are journalled,
/// and guessing is stopped before it costs a look into the database.
async fn proven(
    site: &Site,
    (facts, headers): (&RequestFacts, &HeaderMap),
    (flow, content): (FlowId, &Bytes),
) -> Result<SignedCall, Error> {
    let claim = guesses(site, facts)?;
    refuse_if_over(Some(site.limiter().peek(claim, facts.now)))?;
    let call = HookCall {
        id: one(headers, "webhook-id"),
        timestamp: one(headers, "webhook-timestamp"),
        signatures: one(headers, "webhook-signature"),
        body: content,
    };
    let (hooks, asking) = (site.core().flow_hooks(), asking(facts));
    match hooks.check(flow, call, &asking).await? {
        Ok(call) => Ok(call),
        Err(refusal) => {
            refuse_if_over(Some(site.limiter().take(claim, facts.now)))?;
            Err(hooks.journal_refusal(refusal, &asking).await?)
        }
    }
}

/// The text of a header that is there once; nothing otherwise, which no signature fits.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    }
}

fn json(content: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(content).map_err(|error| {
        let detail = format!("The body is not JSON: {error}.");
        Error::new(ErrorKind::MalformedRequest, detail)
    })
}
