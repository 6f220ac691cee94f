//! Handing one event to one webhook: begin, post, settle.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bailee_connect::{Fault, PostAnswer, PostRequest, RetryAfter};
use bailee_core::model::{ErrorKind, Lease, Timestamp, WebhookId, limit};
use bailee_core::{DeliveryAnswer, Sending};
use tokio::time::Instant;

use crate::Shared;
use crate::limit::{ANSWER_GRACE, LANE_WAIT, LANES_KEPT_MAX, PACE_REST, PACE_WAIT_MAX};
use crate::stop::{Stop, StopReason};

/// In which a bounded number of deliveries begins.
const PACE_SPAN: Duration = Duration::from_secs(1);
/// Most headers of an answer that are kept.
const HEADERS_KEPT_MAX: usize = 32;
/// How much of each of them is.
const HEADER_KEPT_CHARS: usize = 256;

/// When the next delivery may begin to receivers whose rate is bounded. Of this node only, and forgotten at a restart.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<HashMap<WebhookId, Instant>>);

impl Pace {
    /// Takes the next turn; how long to wait for it. `None`: it is too far off, and none was taken.
    fn turn(&self, webhook: WebhookId, per_second: u32) -> Option<Duration> {
        let now = Instant::now();
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= LANES_KEPT_MAX {
            turns.retain(|_, next| *next > now);
        }
        let next = turns.entry(webhook).or_insert(now);
        let wait = next.saturating_duration_since(now);
        if wait > PACE_WAIT_MAX {
            return None;
        }
        *next = now + wait + PACE_SPAN / per_second.max(1);
        Some(wait)
    }
}

/// Runs one delivery. When this node stops, a receiver that was asked has a moment to answer; after that the delivery is
/// handed back and goes out again under the same id, which at-least-once allows.
pub(crate) async fn run(shared: &Shared, lease: &Lease, stop: &Stop) {
    let core = &shared.core;
    if stop.check().is_err() {
        return hand_back(shared, lease).await;
    }
    if lease.job.subject.parse::<WebhookId>().is_ok() {
        return recover(shared, lease, stop).await;
    }
    let sending = match core.deliveries().begin(lease).await {
        Ok(Some(sending)) => sending,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(job.id = %lease.job.id, error = %error, "a delivery could not begin");
            return;
        }
    };
    let has_room = shared.lanes.learn(&lease.job.lane, sending.concurrency);
    if sending.is_strict && !has_room {
        return later(shared, lease, LANE_WAIT).await;
    }
    let webhook = sending.delivery.webhook;
    let turn = match sending.per_second {
        Some(per_second) => shared.pace.turn(webhook, per_second),
        None => Some(Duration::ZERO),
    };
    let Some(turn) = turn else {
        shared.lanes.rest(&lease.job.lane, PACE_REST);
        return later(shared, lease, PACE_WAIT_MAX).await;
    };
    let answer = tokio::select! {
        biased;
        answer = async {
            if !turn.is_zero() {
                tokio::time::sleep(turn).await;
            }
            post(shared, &sending).await
        } => answer,
        () = cut(stop) => return hand_back(shared, lease).await,
    };
    let is_good = answer
        .status
        .is_some_and(|status| (200..300).contains(&status));
    let outcome = if is_good { "succeeded" } else { "failed" };
    metrics::counter!("bailee_webhook_deliveries_total", "outcome" => outcome).increment(1);
    match core.deliveries().settle(lease, sending, answer).await {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::StateConflict => {
            tracing::debug!(job.id = %lease.job.id, "another runner has the delivery");
        }
        Err(error) => {
            tracing::warn!(job.id = %lease.job.id, error = %error, "a delivery could not be settled");
        }
    }
}

/// Returns when the request under way is to be given up.
async fn cut(stop: &Stop) {
    if stop.stopped().await == StopReason::Drain {
        tokio::time::sleep(ANSWER_GRACE).await;
    }
}

/// Queues what a webhook missed, step by step.
async fn recover(shared: &Shared, lease: &Lease, stop: &Stop) {
    loop {
        if stop.check().is_err() {
            return hand_back(shared, lease).await;
        }
        match shared.core.webhooks().recover_step(lease).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(job.id = %lease.job.id, error = %error, "a recovery goes on later");
                return later(shared, lease, PACE_WAIT_MAX).await;
            }
        }
    }
}

/// Gives the delivery to the next runner.
async fn hand_back(shared: &Shared, lease: &Lease) {
    later(shared, lease, Duration::ZERO).await;
}

/// Gives the delivery back for a while.
async fn later(shared: &Shared, lease: &Lease, wait: Duration) {
    let at = shared.core.clock().now().plus(wait);
    let given = shared.core.jobs().postpone(lease, at).await;
    if let Err(error) = given {
        tracing::debug!(job.id = %lease.job.id, error = %error, "a delivery goes on when its lease ends");
    }
}

async fn post(shared: &Shared, sending: &Sending) -> DeliveryAnswer {
    let begun = Instant::now();
    let request = PostRequest {
        url: sending.url.clone(),
        headers: sending.headers.clone(),
        body: sending.body.clone().into(),
        timeout: limit::DELIVERY_TIMEOUT,
    };
    match shared.poster.post(request).await {
        Ok(answer) => answered(&answer, shared.core.clock().now()),
        Err(fault) => unanswered(
            &fault,
            u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        ),
    }
}

fn answered(answer: &PostAnswer, now: Timestamp) -> DeliveryAnswer {
    DeliveryAnswer {
        status: Some(answer.status),
        head: kept_head(&answer.head),
        body: Some(String::from_utf8_lossy(&answer.body_start).replace('\0', "\u{fffd}")),
        error: None,
        duration_ms: answer.duration_ms,
        retry_after_seconds: answer.retry_after.map(|after| match after {
            RetryAfter::Seconds(seconds) => seconds,
            RetryAfter::At(time) => time.since(now).as_secs(),
        }),
    }
}

/// The first headers of an answer, each cut to a length that a row can hold.
fn kept_head(head: &[(String, String)]) -> Vec<(String, String)> {
    let cut = |text: &String| text.chars().take(HEADER_KEPT_CHARS).collect();
    let kept = head.iter().take(HEADERS_KEPT_MAX);
    kept.map(|(name, value)| (name.clone(), cut(value)))
        .collect()
}

fn unanswered(fault: &Fault, duration_ms: u64) -> DeliveryAnswer {
    let error = format!("{}. {}", fault.message().trim_end_matches('.'), fault.fix());
    DeliveryAnswer {
        status: None,
        head: Vec::new(),
        body: None,
        error: Some(error),
        duration_ms,
        retry_after_seconds: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_spread_over_the_second() {
        let (pace, webhook) = (Pace::default(), WebhookId::from_bits(1));
        assert_eq!(pace.turn(webhook, 1), Some(Duration::ZERO));
        let second = pace.turn(webhook, 1).unwrap_or_default();
        assert!(second > Duration::from_millis(500), "{second:?}");
        let third = pace.turn(webhook, 1).unwrap_or_default();
        assert!(third > second);
        assert_eq!(pace.turn(webhook, 1), None);
        assert_eq!(pace.turn(WebhookId::from_bits(2), 1), Some(Duration::ZERO));
    }

    #[test]
    fn a_receivers_wish_is_seconds_from_now() {
        let answer = |retry_after| PostAnswer {
            status: 503,
            head: Vec::new(),
            body_start: b"busy\0\xff".to_vec(),
            is_body_cut: false,
            duration_ms: 3,
            address: ([127, 0, 0, 1], 443).into(),
            retry_after,
        };
        let now = Timestamp::from_ms(1_000_000);
        let later = RetryAfter::At(Timestamp::from_ms(1_090_000));
        assert_eq!(
            answered(&answer(Some(later)), now).retry_after_seconds,
            Some(90)
        );
        assert_eq!(
            answered(&answer(Some(RetryAfter::Seconds(7))), now).retry_after_seconds,
            Some(7)
        );
        let past = answered(&answer(Some(RetryAfter::At(Timestamp::from_ms(0)))), now);
        assert_eq!(past.retry_after_seconds, Some(0));
        assert_eq!(past.body.as_deref(), Some("busy\u{fffd}\u{fffd}"));
    }
}
