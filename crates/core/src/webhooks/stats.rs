//! How well a receiver does.

use bailee_auth::Caller;
use bailee_model::{DeliveryId, Result, Timestamp, WebhookId, limit};

use super::{ID_CLOCK, Webhooks};
use crate::error;

/// The deliveries of the last [`limit::WEBHOOK_STATS_SPAN`], in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryStats {
    /// How many are in which state.
    pub counts: Vec<(String, u64)>,
    /// Answer times of the newest ones in milliseconds, shortest first.
    pub times_ms: Vec<u64>,
    /// Since when every one fails.
    pub failing_since: Option<Timestamp>,
}

impl DeliveryStats {
    /// How many are in a state.
    pub fn count(&self, state: &str) -> u64 {
        let mut counts = self.counts.iter();
        let found = counts.find(|(known, _)| known == state);
        found.map_or(0, |(_, count)| *count)
    }

    /// The answer time that so many of a hundred stayed within.
    pub fn within_ms(&self, percent: usize) -> Option<u64> {
        let at = (self.times_ms.len() * percent).div_ceil(100).max(1) - 1;
        self.times_ms.get(at).copied()
    }
}

impl Webhooks<'_> {
    /// How the deliveries to a webhook went lately.
    pub async fn stats(&self, caller: &Caller, id: WebhookId) -> Result<DeliveryStats> {
        let permit = self.enter(caller, "webhooks.stats").await?;
        let webhook = self.find(caller, &permit, id).await?;
        let from = self.core.clock.now().minus(limit::WEBHOOK_STATS_SPAN);
        let first = DeliveryId::from_bits(u128::from(from.ms().max(0).unsigned_abs()) * ID_CLOCK);
        let reader = self.core.store.reader(&permit);
        let counts = reader.delivery_counts(id, first).await;
        let times = reader.delivery_times(id, first, limit::WEBHOOK_TIMES_MAX);
        let mut times_ms = times.await.map_err(error::from_db)?;
        times_ms.sort_unstable();
        Ok(DeliveryStats {
            counts: counts.map_err(error::from_db)?,
            times_ms,
            failing_since: webhook.failing_since,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_stays_within_the_time_of_its_last() {
        let stats = |times_ms: Vec<u64>| DeliveryStats {
            times_ms,
            ..DeliveryStats::default()
        };
        assert_eq!(stats(Vec::new()).within_ms(50), None);
        assert_eq!(stats(vec![7]).within_ms(95), Some(7));
        let hundred = stats((1..=100).collect());
        assert_eq!(hundred.within_ms(50), Some(50));
        assert_eq!(hundred.within_ms(95), Some(95));
        assert_eq!(hundred.within_ms(100), Some(100));
    }
}
