//! Open connectors that wait for the next file of the same remote: signing in again for each of many small files takes
//! longer than the files.
//!
//! A connector belongs to a remote as it was configured; another revision gets another one. Only what met no fault that
//! puts its connection in doubt comes back here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bailee_connect::Connector;
use bailee_core::model::{Remote, RemoteId, RemoteKind};
use tokio::time::Instant;

use crate::limit;

/// The idle connectors of one node.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<Vec<Idle>>);

/// Which connectors may stand in for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    remote: RemoteId,
    revision: u64,
}

#[derive(Debug)]
struct Idle {
    key: Key,
    connector: Arc<dyn Connector>,
    since: Instant,
}

impl Key {
    /// For a remote; `None` where opening costs nothing.
    pub(crate) fn of(remote: &Remote) -> Option<Self> {
        (remote.kind() != RemoteKind::Local).then_some(Self {
            remote: remote.id,
            revision: remote.revision,
        })
    }
}

impl Pool {
    /// A connector that was used a moment ago.
    pub(crate) fn take(&self, key: Key) -> Option<Arc<dyn Connector>> {
        self.sweep();
        let mut idle = self.lock();
        let at = idle.iter().rposition(|idle| idle.key == key)?;
        Some(idle.remove(at).connector)
    }

    /// Keeps a connector for whoever comes next, if there is room.
    pub(crate) fn put(&self, key: Key, connector: Arc<dyn Connector>) {
        let mut idle = self.lock();
        if idle.len() < limit::IDLE_CONNECTORS_MAX {
            idle.push(Idle {
                key,
                connector,
                since: Instant::now(),
            });
        }
    }

    /// Hangs up what nobody came for.
    pub(crate) fn sweep(&self) {
        self.lock()
            .retain(|idle| idle.since.elapsed() < limit::IDLE_CONNECTOR_TIME);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use bailee_connect::{ConnectorSpec, EgressGuard, LocalConfig, open};

    use super::*;

    #[tokio::test]
    async fn a_connector_comes_back_for_the_same_remote_only() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_owned();
        let spec = ConnectorSpec::Local(LocalConfig {
            folder: place.clone(),
            allowed_roots: vec![place],
        });
        let far: Arc<dyn Connector> = Arc::from(open(spec, &EgressGuard::strict()).await.unwrap());
        let key = |revision| Key {
            remote: RemoteId::from_bits(7),
            revision,
        };
        let pool = Pool::default();
        pool.put(key(1), Arc::clone(&far));
        assert!(pool.take(key(2)).is_none(), "it was changed since");
        assert!(pool.take(key(1)).is_some());
        assert!(pool.take(key(1)).is_none(), "somebody has it");
        for _ in 0..=limit::IDLE_CONNECTORS_MAX {
            pool.put(key(1), Arc::clone(&far));
        }
        assert_eq!(pool.lock().len(), limit::IDLE_CONNECTORS_MAX);
    }
}
