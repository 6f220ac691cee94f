use axum::extract::State;
use bailee_api::Delivery;
use bailee_core::Core;
use bailee_model::DeliveryId;

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read a delivery
#[utoipa::path(get, path = "/deliveries/{delivery_id}", operation_id = "deliveries.get", tag = "deliveries",
    params(("delivery_id" = String, Path, description = "The delivery")),
    responses((status = 200, description = "The delivery", body = Delivery)))]
pub(crate) async fn get(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<DeliveryId>,
) -> Answer<Body<Delivery>> {
    let delivery = core.deliveries().get(&caller, id).await?;
    Ok(Body(Delivery::from(&delivery)))
}
