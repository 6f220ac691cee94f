//! The rules: what can be done in Bailee, whatever the door and whatever the database.
//!
//! Each noun has its use cases in one file, taking a [`Caller`] first. [`gate`](crate) alone turns a caller into a
//! permit; a change to rows, its journal entry and the jobs that follow are one transaction. No protocol, no HTTP
//! answer and no SQL is known here.
#![warn(missing_docs)]

mod alert_rules;
mod alerts;
mod audit;
mod bytes;
mod calendars;
mod channels;
mod checkpoint;
mod checks;
mod connectors;
mod deliveries;
mod error;
mod events;
mod export;
mod files;
mod flows;
mod folders;
mod gate;
mod idempotency;
mod identify;
mod inner;
mod jobs;
mod journal;
mod keyring;
mod keys;
mod merkle;
mod pgp_keys;
mod places;
mod ports;
mod principals;
mod proofs;
mod receipts;
mod references;
mod remotes;
mod runs;
mod schedules;
mod secrets;
mod settings;
mod setup;
mod signature;
mod staging;
mod tenants;
mod transfers;
mod upkeep;
mod uploads;
mod webhooks;

pub use alert_rules::{AlertRules, NewAlertRule};
pub use alerts::{Alerts, Sleep};
pub use audit::{Audit, JournalFault, VerifyJournal};
pub use bailee_auth::{
    Action, Caller, Door, Facts, KeyEnv, KeyText, VerifiedCredential, Via, decision_table,
};
pub use bailee_model as model;
pub use bailee_store::{AlertFilter, AuditFilter, DeliveryFilter, RunFilter, TransferFilter};
pub use bytes::{ByteStream, Staged};
pub use calendars::{Calendars, NewCalendar};
pub use channels::{ChannelChange, Channels, NewChannel, NewSubscriber, SubscriberChange};
pub use checkpoint::SigningKey;
pub use connectors::Connectors;
pub use deliveries::{Deliveries, DeliveryAnswer, Sending};
pub use events::{EventPage, EventQuery, Events, event_body};
pub use export::{ExportLine, JournalExport};
pub use files::{
    CopyFile, FileChange, FileQuery, FileRef, Files, NewFile, OpenFile, Placed, Precondition,
    Purge, RandomRead, RestoreFile, VerifyReport,
};
pub use flows::{
    ContentRules, FlowBegun, FlowChange, FlowHooks, FlowWatches, FlowWork, FlowWorks, Flows,
    HookCall, HookRefusal, NewRun, Rerun, RunLog, RunView, SeenFile, SignedCall, TriggeredRun,
    Verdict, WatchLook, WatchTurn, WatchedFlow, flow_file,
};
pub use folders::{Child, Folders, Recursive};
pub use idempotency::{Begin, Idempotency, IdempotencySlot, StoredAnswer};
pub use identify::{Identity, Refusal};
pub use jobs::{Jobs, LeaseRequest};
pub use keys::{KeyChange, Keys, NewKey};
pub use merkle::{Frontier, leaf_hash};
pub use pgp_keys::{
    ImportPgpKey, MakePgpKey, OpenPgpKey, PgpAlgorithm, PgpKeyChange, PgpKeyFile, PgpKeys,
    PgpRefusal, PgpUseError,
};
pub use ports::{
    ConnectorAbilities, ObjectView, ProbeReport, ProbeStep, RemoteChild, RemoteFolder,
    RemoteProber, RemoteSecret, RemoteTarget, SecretAsk, SecretFault, SecretStores, SshKeyPair,
    TransferPlanner,
};
pub use principals::{NewPrincipal, PrincipalChange, Principals};
pub use proofs::{ConsistencyProof, InclusionProof};
pub use remotes::{NewRemote, RemoteChange, RemoteFinding, RemoteUse, RemoteWatch, Remotes};
pub use runs::{Begun, Run, RunEnd, Runs};
pub use schedules::{NewSchedule, NewTarget, Schedules, scheduled_transfer};
pub use secrets::{NewSecret, Secrets};
pub use settings::Settings;
pub use setup::{FirstTenant, SYSTEM_TENANT};
pub use signature::{hex_signature, standard_signature};
pub use tenants::{NewTenant, TenantChange, Tenants};
pub use transfers::{
    FoundFile, FoundFiles, NewTransfer, PlanRequest, PlannedFate, PlannedFile, RetryFiles,
    TransferChange, TransferPlan, Transfers, parse_end,
};
pub use upkeep::{ScrubReport, SweepReport, Upkeep};
pub use uploads::{HeldUpload, NewPart, NewUpload, UploadView, Uploads};
pub use webhooks::{
    DeliveryStats, EventBounds, NewWebhook, WebhookChange, Webhooks, example_event,
};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bailee_auth::Policies;
use bailee_model::{Chance, Clock, Error, ErrorKind, RequestId, Result};
use bailee_store::Store;
use bailee_vault::{RootKey, Vault};

/// What an installation sets for all tenants.
#[derive(Clone, Debug)]
pub struct CoreSettings {
    /// Largest file, in bytes.
    pub file_bytes_max: u64,
    /// Transfers of one tenant that may be open at once.
    pub transfers_open_max: u64,
    /// How far the event feed goes back.
    pub events_kept: Duration,
    /// Whether webhooks may go to `http://` receivers on this machine (development only).
    pub plain_http_receivers: bool,
    /// Whether new keys begin with `bailee_dev_`.
    pub key_env: KeyEnv,
    /// Folders below which remotes of kind `local` may be.
    pub local_folders: Vec<String>,
    /// Variables of the environment that secrets may refer to.
    pub secret_variables: Vec<String>,
    /// Files that secrets may refer to, and folders below which they may be.
    pub secret_files: Vec<String>,
}

impl Default for CoreSettings {
    fn default() -> Self {
        Self {
            file_bytes_max: bailee_model::limit::FILE_BYTES_MAX,
            transfers_open_max: bailee_model::limit::OPEN_TRANSFERS_MAX,
            events_kept: bailee_model::limit::EVENTS_KEPT,
            plain_http_receivers: false,
            key_env: KeyEnv::Live,
            local_folders: Vec::new(),
            secret_variables: Vec::new(),
            secret_files: Vec::new(),
        }
    }
}

/// What a core is made of.
pub struct CoreParts {
    /// Rows.
    pub store: Store,
    /// Bytes.
    pub vault: Vault,
    /// The key above all keys.
    pub root_key: RootKey,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub chance: Arc<dyn Chance>,
    /// What the operator set.
    pub settings: CoreSettings,
}

/// The use cases of one installation. Cheap to clone.
#[derive(Clone)]
pub struct Core(Arc<inner::Inner>);

impl std::ops::Deref for Core {
    type Target = inner::Inner;

    fn deref(&self) -> &inner::Inner {
        &self.0
    }
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident: $handle:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(&self) -> $handle<'_> {
            $handle { core: self }
        }
    )*};
}

impl Core {
    /// Over a store whose schema is up to date; makes what a first start needs.
    pub async fn open(parts: CoreParts) -> Result<Self> {
        let signer = setup::open(&parts).await?;
        let mut process = [0_u8; 16];
        parts.chance.fill(&mut process);
        Ok(Self(Arc::new(inner::Inner {
            policies: Policies::builtin().map_err(Error::internal)?,
            store: parts.store,
            vault: parts.vault,
            keyring: keyring::Keyring::new(parts.root_key),
            credentials: identify::Credentials::default(),
            signer,
            clock: parts.clock,
            chance: parts.chance,
            settings: parts.settings,
            prober: std::sync::OnceLock::new(),
            planner: std::sync::OnceLock::new(),
            view: std::sync::OnceLock::new(),
            room: transfers::Room::default(),
            secret_stores: std::sync::OnceLock::new(),
            secrets_read: secrets::SecretCache::default(),
            hashing: uploads::Hashing::default(),
            staging: staging::Staging::default(),
            draining: AtomicBool::new(false),
            process: hex::encode(process),
        })))
    }

    /// Time.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Time, for those who keep it.
    pub fn shared_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Randomness.
    pub fn chance(&self) -> &dyn Chance {
        &*self.chance
    }

    /// Randomness, for those who keep it.
    pub fn shared_chance(&self) -> Arc<dyn Chance> {
        Arc::clone(&self.chance)
    }

    /// A name for a request that has none.
    pub fn new_request_id(&self) -> RequestId {
        RequestId::new(self.clock.now(), &*self.chance)
    }

    /// What the operator set.
    pub fn settings_of_installation(&self) -> &CoreSettings {
        &self.settings
    }

    /// Rises after every durable commit: long polls and the engine wait on it.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.store.committed()
    }

    /// From now on [`Core::ready`] says no.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether this node is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Whether requests can be served: the database answers, there is room for bytes, and no stop is under way.
    pub async fn ready(&self) -> Result<()> {
        if self.is_draining() {
            return Err(Error::new(ErrorKind::Draining, "The server is stopping.").retry_after(5));
        }
        self.store
            .identity()
            .setting("installation")
            .await
            .map_err(error::from_db)?;
        let disk = Arc::clone(self.vault.disk());
        let free = tokio::task::spawn_blocking(move || disk.free_bytes())
            .await
            .map_err(Error::internal)?;
        free.map(drop).map_err(Error::internal)
    }

    /// Gives the core the means to reach remotes; the engine calls it once at start.
    pub fn attach_prober(&self, prober: Arc<dyn RemoteProber>) {
        // A second prober would be the same one; the first stays.
        let _ = self.prober.set(prober);
    }

    /// Gives the core the means to plan transfers; the engine calls it once at start.
    pub fn attach_planner(&self, planner: Arc<dyn TransferPlanner>) {
        let _ = self.planner.set(planner);
    }

    /// Gives the core the API's view of objects, for webhooks that want all of them.
    pub fn attach_view(&self, view: Arc<dyn ObjectView>) {
        let _ = self.view.set(view);
    }

    /// Gives the core the means to read secrets that are kept elsewhere; once at start.
    pub fn attach_secret_stores(&self, stores: Arc<dyn SecretStores>) {
        // The first stays, as with the prober.
        let _ = self.secret_stores.set(stores);
    }

    /// Waits for what is under way and closes the database.
    pub async fn close(&self) {
        self.store.close().await;
    }

    handles! {
        /// Files and their versions.
        files: Files;
        /// Folders.
        folders: Folders;
        /// Uploads by parts.
        uploads: Uploads;
        /// Transfers, as clients see them.
        transfers: Transfers;
        /// The kinds of far systems.
        connectors: Connectors;
        /// Far systems.
        remotes: Remotes;
        /// Which days are worked on.
        calendars: Calendars;
        /// What happens by itself, and when.
        schedules: Schedules;
        /// What needs attention.
        alerts: Alerts;
        /// What raises alerts.
        alert_rules: AlertRules;
        /// OpenPGP keys.
        pgp_keys: PgpKeys;
        /// Secrets that remotes refer to.
        secrets: Secrets;
        /// What is found out about far systems.
        remote_watch: RemoteWatch;
        /// Receivers of events.
        webhooks: Webhooks;
        /// Folders whose files are handed on to many.
        channels: Channels;
        /// Tries to hand events to receivers.
        deliveries: Deliveries;
        /// Flows and their runs.
        flows: Flows;
        /// Runs of flows, as the engine works on them.
        flow_works: FlowWorks;
        /// Calls of flows by those who have no key.
        flow_hooks: FlowHooks;
        /// What flows watch for at remotes, as the engine looks after it.
        flow_watches: FlowWatches;
        /// The journal as auditors read it.
        audit: Audit;
        /// The journal as a feed.
        events: Events;
        /// API keys.
        keys: Keys;
        /// Users and service accounts.
        principals: Principals;
        /// Tenants.
        tenants: Tenants;
        /// Settings of a tenant.
        settings: Settings;
        /// Requests that must not happen twice.
        idempotency: Idempotency;
        /// The queue, for the engine.
        jobs: Jobs;
        /// Transfers, as the engine runs them.
        runs: Runs;
        /// Sealing, sweeping, scrubbing.
        upkeep: Upkeep;
    }
}
