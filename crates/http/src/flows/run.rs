use axum::extract::State;
use bailee_api::{FlowRun, StartFlow};
use bailee_core::{Core, FileRef, NewRun};
use bailee_model::{Error, FlowId};

use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::{Id, JsonOrEmpty, file_path};

/// Start a flow
///
/// The run is queued when this answers; whether it waits for others is the flow's `concurrency` rule. 409: the rule takes
/// no other run now.
#[utoipa::path(post, path = "/flows/{flow_id}/runs", operation_id = "flows.run", tag = "flows",
    params(("flow_id" = String, Path, description = "The flow")),
    request_body = Option<StartFlow>,
    responses((status = 202, description = "The run", body = FlowRun)))]
pub(crate) async fn run(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<FlowId>,
    JsonOrEmpty(wish): JsonOrEmpty<StartFlow>,
) -> Answer<Accepted<FlowRun>> {
    let run = core.flows().start(&caller, id, command(wish)?).await?;
    let body = FlowRun::from(&run);
    Ok(Accepted {
        location: body.links.own.clone(),
        body,
    })
}

fn command(wish: StartFlow) -> Result<NewRun, Error> {
    let files = wish.files.iter().enumerate().map(|(at, text)| {
        if let Ok(id) = text.parse() {
            return Ok(FileRef::Id(id));
        }
        let path = file_path(text);
        path.map(FileRef::Path)
            .map_err(|error| Error::field(&format!("#/files/{at}"), "invalid", error.detail()))
    });
    Ok(NewRun {
        files: files.collect::<Result<_, _>>()?,
        params: wish.params,
    })
}
