use std::time::Duration;

use axum::extract::State;
use bailee_api::{Alert, SnoozeAlert};
use bailee_core::{Core, Sleep};
use bailee_model::{AlertId, Error};

use super::found;
use crate::answer::Answer;
use crate::caller::Authenticated;
use crate::extract::{Id, Json};

/// Leave an alert alone for a time
///
/// If it is not over then, it fires again.
#[utoipa::path(post, path = "/alerts/{alert_id}/snooze", operation_id = "alerts.snooze", tag = "alerts",
    params(("alert_id" = String, Path, description = "The alert")),
    request_body = SnoozeAlert,
    responses((status = 200, description = "The alert as it is now", body = Alert)))]
pub(crate) async fn snooze(
    State(core): State<Core>,
    caller: Authenticated,
    Id(id): Id<AlertId>,
    Json(wish): Json<SnoozeAlert>,
) -> Answer {
    let sleep = match (wish.until, wish.seconds) {
        (Some(until), None) => Sleep::Until(until),
        (None, Some(seconds)) => Sleep::For(Duration::from_secs(seconds)),
        _ => {
            let detail = "Say until when: `until`, or `seconds`.";
            return Err(Error::field("#/until", "missing", detail).into());
        }
    };
    let asked = (sleep, wish.note);
    let alert = core.alerts().snooze(&caller, id, asked).await?;
    Ok(found(&alert))
}
