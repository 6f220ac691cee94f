use axum::extract::State;
use bailee_api::{Links, RemoteUser, RemoteUserList, RemoteUserType, WebhookState};
use bailee_core::{Core, RemoteUse};
use bailee_model::RemoteId;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// List what uses a remote: transfers that have not ended, flows, schedules and webhooks
#[utoipa::path(get, path = "/remotes/{remote_id}/used-by", operation_id = "remotes.used_by", tag = "remotes",
    params(("remote_id" = String, Path, description = "The remote")),
    responses((status = 200, description = "Its users", body = RemoteUserList)))]
pub(crate) async fn used_by(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<RemoteId>,
) -> Answer<Body<RemoteUserList>> {
    let (uses, has_more) = core.remotes().used_by(&caller, id).await?;
    let data = uses.iter().map(view).collect();
    Ok(Body(RemoteUserList { data, has_more }))
}

fn view(found: &RemoteUse) -> RemoteUser {
    match found {
        RemoteUse::Transfer(transfer) => RemoteUser {
            user_type: RemoteUserType::Transfer,
            id: transfer.id.to_string(),
            summary: format!("{} → {}", transfer.source, transfer.destination),
            state: transfer.state.public().to_owned(),
            links: Links::to("transfers", transfer.id),
        },
        RemoteUse::Flow(flow) => RemoteUser {
            user_type: RemoteUserType::Flow,
            id: flow.id.to_string(),
            summary: format!("flow {}", flow.name),
            state: if flow.is_enabled {
                "enabled"
            } else {
                "disabled"
            }
            .to_owned(),
            links: Links::to("flows", flow.id),
        },
        RemoteUse::Schedule(schedule) => RemoteUser {
            user_type: RemoteUserType::Schedule,
            id: schedule.id.to_string(),
            summary: format!("schedule {}", schedule.name),
            state: if schedule.is_paused {
                "paused"
            } else {
                "active"
            }
            .to_owned(),
            links: Links::to("schedules", schedule.id),
        },
        RemoteUse::Webhook(webhook) => RemoteUser {
            user_type: RemoteUserType::Webhook,
            id: webhook.id.to_string(),
            summary: format!("events to {}", webhook.url),
            state: WebhookState::from(webhook.state).to_string(),
            links: Links::to("webhooks", webhook.id),
        },
    }
}
