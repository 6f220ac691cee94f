use axum::extract::State;
use bailee_api::Delivery;
use bailee_core::Core;
use bailee_model::DeliveryId;

use crate::answer::{Accepted, Answer};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Try a delivery again now
#[utoipa::path(post, path = "/deliveries/{delivery_id}/redeliver", operation_id = "deliveries.redeliver",
    tag = "deliveries",
    params(("delivery_id" = String, Path, description = "The delivery")),
    responses((status = 202, description = "The new delivery", body = Delivery)))]
pub(crate) async fn redeliver(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<DeliveryId>,
) -> Answer<Accepted<Delivery>> {
    let delivery = core.deliveries().redeliver(&caller, id).await?;
    let body = Delivery::from(&delivery);
    Ok(Accepted {
        location: body.links.own.clone(),
        body,
    })
}
