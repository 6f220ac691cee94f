//! Tenants and their wrapping keys, kept for a moment so that hot paths need not read and unwrap them each time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bailee_model::{Error, Result, Tenant, TenantId, Timestamp, limit};
use bailee_vault::{RootKey, WrappingKey};

use crate::{Core, error};

/// Most tenants kept; past it the memory starts over.
const TENANTS_KEPT_MAX: usize = 10_000;

/// A tenant with its key, as of a moment ago.
pub(crate) struct Known {
    pub(crate) tenant: Tenant,
    pub(crate) key: WrappingKey,
    read_at: Timestamp,
}

/// The root key, and what it unwrapped lately.
pub(crate) struct Keyring {
    root: RootKey,
    known: Mutex<HashMap<TenantId, Arc<Known>>>,
}

impl Keyring {
    pub(crate) fn new(root: RootKey) -> Self {
        Self {
            root,
            known: Mutex::default(),
        }
    }

    pub(crate) fn root(&self) -> &RootKey {
        &self.root
    }

    /// Forgets a tenant that was changed on this node.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&tenant);
    }

    fn recall(&self, tenant: TenantId, now: Timestamp) -> Option<Arc<Known>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(&tenant)?;
        // A clock that stepped back makes the entry old as well.
        let is_fresh = now >= found.read_at && now.since(found.read_at) < limit::CREDENTIAL_CACHE;
        is_fresh.then(|| Arc::clone(found))
    }

    fn keep(&self, known: &Arc<Known>) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= TENANTS_KEPT_MAX {
            all.clear();
        }
        all.insert(known.tenant.id, Arc::clone(known));
    }
}

impl Core {
    /// The tenant and its wrapping_key, at most [`limit::CREDENTIAL_CACHE`] old.
    pub(crate) async fn tenant(&self, id: TenantId) -> Result<Arc<Known>> {
        let now = self.clock.now();
        if let Some(known) = self.keyring.recall(id, now) {
            return Ok(known);
        }
        let found = self
            .store
            .identity()
            .reader(id)
            .own_tenant()
            .await
            .map_err(error::from_db)?;
        let (tenant, wrapped) = found.ok_or_else(|| Error::not_found("tenant"))?;
        let key = WrappingKey::unwrap_with(&wrapped, self.keyring.root(), &id.to_string())
            .map_err(error::from_key)?;
        let known = Arc::new(Known {
            tenant,
            key,
            read_at: now,
        });
        self.keyring.keep(&known);
        Ok(known)
    }
}
