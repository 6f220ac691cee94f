use axum::extract::State;
use bailee_api::{Connector, ConnectorCapabilities, ConnectorList};
use bailee_core::{ConnectorAbilities, Core};

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;

/// List the kinds of remotes, each with what it can do and what it is made of
#[utoipa::path(get, path = "/connectors", operation_id = "connectors.list", tag = "remotes",
    responses((status = 200, description = "All kinds", body = ConnectorList)))]
pub(crate) async fn list(
    State(core): State<Core>,
    caller: Authenticated,
) -> Answer<Body<ConnectorList>> {
    let kinds = core.connectors().list(&caller).await?;
    let data = kinds
        .into_iter()
        .map(|(kind, can)| Connector::new(kind.into(), view(can)))
        .collect();
    Ok(Body(ConnectorList { data }))
}

fn view(can: ConnectorAbilities) -> ConnectorCapabilities {
    ConnectorCapabilities {
        can_read_at: can.can_read_at,
        can_write_at: can.can_write_at,
        can_write: can.can_write,
        can_list: can.can_list,
        can_rename: can.can_rename,
        can_remove: can.can_remove,
        can_copy: can.can_copy,
        has_folders: can.has_folders,
        replaces_atomically: can.replaces_atomically,
        appears_whole: can.appears_whole,
    }
}
