//! What a [`crate::Core`] shares between its clones. Public for the compiler's sake only: nobody outside can name it.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use bailee_auth::Policies;
use bailee_model::{Chance, Clock};
use bailee_store::Store;
use bailee_vault::Vault;

use crate::identify::Credentials;
use crate::keyring::Keyring;
use crate::secrets::SecretCache;
use crate::staging::Staging;
use crate::transfers::Room;
use crate::uploads::Hashing;
use crate::{CoreSettings, ObjectView, RemoteProber, SecretStores, SigningKey, TransferPlanner};

pub struct Inner {
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) policies: Policies,
    pub(crate) keyring: Keyring,
    pub(crate) credentials: Credentials,
    pub(crate) signer: SigningKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) settings: CoreSettings,
    pub(crate) prober: OnceLock<Arc<dyn RemoteProber>>,
    pub(crate) planner: OnceLock<Arc<dyn TransferPlanner>>,
    pub(crate) view: OnceLock<Arc<dyn ObjectView>>,
    pub(crate) secret_stores: OnceLock<Arc<dyn SecretStores>>,
    pub(crate) secrets_read: SecretCache,
    pub(crate) hashing: Hashing,
    pub(crate) room: Room,
    pub(crate) staging: Staging,
    pub(crate) draining: AtomicBool,
    /// Names this process among all that ever were, in marks of what it has under way.
    pub(crate) process: String,
}
