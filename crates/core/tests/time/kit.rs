//! A core whose clock is moved by hand, and the engine's part played by the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bailee_core::{
    Caller, Core, CoreParts, CoreSettings, Door, Facts, LeaseRequest, NewAlertRule, NewFile,
    Precondition,
};
use bailee_model::{
    Alert, AlertRule, Chance, Clock, JobKind, Lease, PageRequest, Severity, Timestamp, Watch,
};
use bailee_store::{Db, MIGRATIONS, SqliteOptions, Store};
use bailee_vault::{Disk, RootKey, Vault, VaultLimits};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use tempfile::TempDir;

pub struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::Relaxed))
    }
}

struct Counting(AtomicU64);

impl Chance for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = (next >> 56) as u8;
        }
    }
}

pub const PAGE: PageRequest = PageRequest {
    limit: 500,
    after: None,
};

pub struct World {
    pub core: Core,
    pub caller: Caller,
    clock: Arc<HandClock>,
    _folder: TempDir,
}

pub fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

impl World {
    /// A tenant at a time.
    pub async fn at(now: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let options = SqliteOptions {
            create: true,
            ..SqliteOptions::default()
        };
        let db = Db::open_sqlite(&data.join("bailee.db"), options).unwrap();
        db.migrate(MIGRATIONS, time(now)).await.unwrap();
        let chance = Arc::new(Counting(AtomicU64::new(7)));
        let clock = Arc::new(HandClock(AtomicI64::new(time(now).ms())));
        let parts = CoreParts {
            store: Store::new(db),
            vault: Vault::new(Disk::open(data).unwrap(), VaultLimits::default()),
            root_key: RootKey::load_or_create(data.join("root.key"), &*chance).unwrap(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            chance,
            settings: CoreSettings::default(),
        };
        let core = Core::open(parts).await.unwrap();
        let first = core.first_tenant("tests").await.unwrap().unwrap();
        let facts = Facts {
            address: Some("192.0.2.7".parse().unwrap()),
            request: core.new_request_id(),
            now: core.clock().now(),
            door: Door::Rest,
        };
        let credential = format!("Bearer {}", first.key.reveal());
        let caller = core.identify(Some(&credential), facts).await.unwrap();
        Self {
            core,
            caller,
            clock,
            _folder: folder,
        }
    }

    pub fn set(&self, now: &str) {
        self.clock.0.store(time(now).ms(), Ordering::Relaxed);
    }

    pub fn pass(&self, span: Duration) {
        let ms = i64::try_from(span.as_millis()).unwrap();
        self.clock.0.fetch_add(ms, Ordering::Relaxed);
    }

    /// Leases what is due of a kind, as a node would.
    pub async fn lease(&self, kind: JobKind, owner: &str) -> Vec<Lease> {
        let request = LeaseRequest {
            kinds: &[kind],
            limit: 100,
            busy_lanes: &[],
            busy_tenants: &[],
            after_lane: "",
            owner,
        };
        self.core.jobs().lease(request).await.unwrap()
    }

    /// Looks after all schedules that are due. How many there were.
    pub async fn fire(&self) -> usize {
        let leases = self.lease(JobKind::FireSchedule, "one").await;
        for lease in &leases {
            self.core.schedules().fire(lease).await.unwrap();
        }
        leases.len()
    }

    /// Has the journal read, and all rules looked at that are due.
    pub async fn look(&self) {
        self.read().await;
        for lease in self.lease(JobKind::WatchRule, "one").await {
            self.core.alert_rules().look(&lease).await.unwrap();
        }
    }

    /// Has the journal sealed and read.
    pub async fn read(&self) {
        while self.core.upkeep().seal_journal().await.unwrap() > 0 {}
        while self.core.upkeep().watch_journal().await.unwrap() > 0 {}
    }

    /// Moves the clock from one look to the next.
    pub async fn watch_until(&self, until: &str) {
        let until = time(until);
        self.look().await;
        while self.core.clock().now() < until {
            let soon = self.core.clock().now().plus(Duration::from_millis(100));
            let due = self.core.jobs().next_due(JobKind::WatchRule).await.unwrap();
            let at = due.map_or(until, |due| due.clamp(soon, until.max(soon)));
            self.clock.0.store(at.ms(), Ordering::Relaxed);
            self.look().await;
        }
    }

    pub async fn rule(&self, watch: Watch) -> AlertRule {
        let new = NewAlertRule {
            name: watch.kind().as_str().to_owned(),
            description: None,
            severity: Severity::Warning,
            is_enabled: true,
            watch,
            recipients: vec!["ops".to_owned()],
            escalation: None,
        };
        let rule = self.core.alert_rules().create(&self.caller, new).await;
        rule.unwrap()
    }

    /// All alerts, oldest first.
    pub async fn alerts(&self) -> Vec<Alert> {
        let filter = bailee_core::AlertFilter::default();
        let page = self.core.alerts().list(&self.caller, filter, PAGE).await;
        let mut found = page.unwrap().data;
        found.reverse();
        found
    }

    /// `state problem` of each alert, oldest first.
    pub async fn told(&self) -> Vec<String> {
        let found = self.alerts().await;
        let told = found
            .iter()
            .map(|alert| format!("{} {}", alert.state.as_str(), alert.problem));
        told.collect()
    }

    pub async fn upload(&self, path: &str, content: &'static [u8]) {
        let new = NewFile {
            path: path.parse().unwrap(),
            overwrite: true,
            content_type: None,
            hash: None,
            size_bytes: None,
            tags: Vec::new(),
            metadata: std::collections::BTreeMap::default(),
            classification: None,
            operation: "files.upload",
        };
        let bytes = stream::iter([Ok(Bytes::from_static(content))]).boxed();
        let files = self.core.files();
        let placed = files
            .put(&self.caller, new, Precondition::None, bytes)
            .await;
        placed.unwrap();
    }
}
