use axum::extract::State;
use axum::response::Response;
use bailee_api::{Flow, FlowDocument};
use bailee_core::Core;

use crate::answer::{Answer, Created, tagged};
use crate::caller::Authenticated;
use crate::extract::Document;

/// Make a flow
///
/// The body is its document, in JSON or YAML. The flow acts in the caller's name, with the rights that the caller has
/// at each step.
#[utoipa::path(post, path = "/flows", operation_id = "flows.create", tag = "flows",
    request_body(content(
        (FlowDocument = "application/json"),
        (String = "application/yaml"),
    )),
    responses((status = 201, description = "The flow", body = Flow)))]
pub(crate) async fn create(
    State(core): State<Core>,
    caller: Authenticated,
    Document(document): Document,
) -> Answer<Response> {
    let flow = core.flows().create(&caller, document).await?;
    let body = Flow::from(&flow);
    let location = body.links.own.clone();
    Ok(tagged(
        &flow.revision.to_string(),
        Created { location, body },
    ))
}
