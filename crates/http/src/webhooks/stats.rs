use axum::extract::State;
use bailee_api::WebhookStats;
use bailee_core::{Core, DeliveryStats};
use bailee_model::{WebhookId, limit};

use crate::answer::{Answer, Body};
use crate::caller::Authenticated;
use crate::extract::Id;

/// Read how a receiver did in the last 24 hours
#[utoipa::path(get, path = "/webhooks/{webhook_id}/stats", operation_id = "webhooks.stats", tag = "webhooks",
    params(("webhook_id" = String, Path, description = "The webhook")),
    responses((status = 200, description = "Counts and times", body = WebhookStats)))]
pub(crate) async fn stats(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<WebhookId>,
) -> Answer<Body<WebhookStats>> {
    let stats = core.webhooks().stats(&caller, id).await?;
    Ok(Body(view(id, &stats)))
}

fn view(webhook_id: WebhookId, stats: &DeliveryStats) -> WebhookStats {
    let seconds = |percent| stats.within_ms(percent).map(|ms| ms as f64 / 1000.0);
    let [scheduled, succeeded, failed, abandoned] =
        ["scheduled", "succeeded", "failed", "abandoned"].map(|state| stats.count(state));
    let tried = succeeded + failed + abandoned;
    WebhookStats {
        webhook_id,
        span_seconds: limit::WEBHOOK_STATS_SPAN.as_secs(),
        scheduled,
        succeeded,
        failed,
        abandoned,
        success_rate: (tried > 0).then(|| succeeded as f64 / tried as f64),
        p50_seconds: seconds(50),
        p95_seconds: seconds(95),
        max_seconds: seconds(100),
        failing_since: stats.failing_since,
    }
}
