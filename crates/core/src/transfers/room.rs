//! How many transfers of a tenant may be open at once: counted in the database now and then, and here in between.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bailee_auth::Permit;
use bailee_model::{Error, ErrorKind, Result, TenantId, Timestamp, limit};

use super::Transfers;
use crate::error;

/// Most tenants whose count is kept; past it the memory starts over.
const TENANTS_KEPT_MAX: usize = 10_000;
/// When to ask again after a refusal.
const RETRY_AFTER_SECONDS: u32 = 5;

/// Open transfers by tenant, as of a moment ago, with those that were submitted here since.
#[derive(Debug, Default)]
pub(crate) struct Room(Mutex<HashMap<TenantId, (Timestamp, u64)>>);

impl Room {
    /// Counts one more; the count before it, if it is still good.
    fn enter(&self, tenant: TenantId, now: Timestamp) -> Option<u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (counted_at, count) = counts.get_mut(&tenant)?;
        let is_fresh = now >= *counted_at && now.since(*counted_at) < limit::CREDENTIAL_CACHE;
        let before = *count;
        *count += 1;
        is_fresh.then_some(before)
    }

    fn learn(&self, tenant: TenantId, now: Timestamp, count: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= TENANTS_KEPT_MAX {
            counts.clear();
        }
        counts.insert(tenant, (now, count));
    }
}

impl Transfers<'_> {
    /// Refuses one transfer too many: a program that runs wild must not fill the queue of everybody.
    pub(super) async fn check_room(&self, permit: &Permit) -> Result<()> {
        let (tenant, now) = (permit.tenant(), self.core.clock.now());
        let most = self.core.settings.transfers_open_max;
        if self
            .core
            .room
            .enter(tenant, now)
            .is_some_and(|count| count < most)
        {
            return Ok(());
        }
        let reader = self.core.store.reader(permit);
        let count = reader
            .count_open_transfers()
            .await
            .map_err(error::from_db)?;
        if count >= most {
            let detail = format!(
                "The tenant has {count} transfers that have not ended; {most} may be open at once."
            );
            let error = Error::new(ErrorKind::Overloaded, detail);
            return Err(error.retry_after(RETRY_AFTER_SECONDS));
        }
        self.core.room.learn(tenant, now, count + 1);
        Ok(())
    }
}
