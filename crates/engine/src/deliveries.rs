//! Handing one event to one webhook: begin, post, settle.

use bailee_connect::{Fault, PostAnswer, PostRequest, RetryAfter};
use bailee_core::model::{ErrorKind, Lease, Timestamp, limit};
use bailee_core::{DeliveryAnswer, Sending};

use crate::Shared;
use crate::limit::ANSWER_GRACE;
use crate::stop::{Stop, StopReason};

/// Runs one delivery. When this node stops, a receiver that was asked has a moment to answer; after that the delivery is
/// handed back and goes out again under the same id, which at-least-once allows.
pub(crate) async fn run(shared: &Shared, lease: &Lease, stop: &Stop) {
    let core = &shared.core;
    if stop.check().is_err() {
        return hand_back(shared, lease).await;
    }
    let sending = match core.deliveries().begin(lease).await {
        Ok(Some(sending)) => sending,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(job.id = %lease.job.id, error = %error, "a delivery could not begin");
            return;
        }
    };
    let answer = tokio::select! {
        biased;
        answer = post(shared, &sending) => answer,
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

/// Gives the delivery to the next runner.
async fn hand_back(shared: &Shared, lease: &Lease) {
    let given = shared
        .core
        .jobs()
        .postpone(lease, shared.core.clock().now())
        .await;
    if let Err(error) = given {
        tracing::debug!(job.id = %lease.job.id, error = %error, "a delivery goes on when its lease ends");
    }
}

async fn post(shared: &Shared, sending: &Sending) -> DeliveryAnswer {
    let begun = tokio::time::Instant::now();
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
        body: Some(String::from_utf8_lossy(&answer.body_start).replace('\0', "\u{fffd}")),
        error: None,
        duration_ms: answer.duration_ms,
        retry_after_seconds: answer.retry_after.map(|after| match after {
            RetryAfter::Seconds(seconds) => seconds,
            RetryAfter::At(time) => time.since(now).as_secs(),
        }),
    }
}

fn unanswered(fault: &Fault, duration_ms: u64) -> DeliveryAnswer {
    let error = format!("{}. {}", fault.message().trim_end_matches('.'), fault.fix());
    DeliveryAnswer {
        status: None,
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
