//! What bounds people and programs, and what is judged by rows that others change at the same time.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bailee_auth::KeyText;
use bailee_core::{
    Begin, Caller, Core, CoreParts, CoreSettings, Door, EventQuery, Facts, KeyChange, NewKey,
    NewRemote, NewTransfer, NewWebhook, Precondition, RemoteChange, RemoteSecret, TransferFilter,
    parse_end,
};
use bailee_model::{
    Chance, Clock, ErrorKind, KeyLimits, OnConflict, PageRequest, RemoteAddress, RetryRule, Scope,
    Scopes, TenantId, TenantState, Timestamp, Verify, limit,
};
use bailee_store::{Db, MIGRATIONS, SqliteOptions, Store};
use bailee_vault::{Disk, RootKey, Vault, VaultLimits};

struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.fetch_add(1, Ordering::Relaxed))
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

struct Site {
    folder: tempfile::TempDir,
    store: Store,
    clock: Arc<Ticking>,
    core: Core,
    tenant: TenantId,
    admin: Caller,
}

impl Site {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions {
            create: true,
            ..SqliteOptions::default()
        };
        let db = Db::open_sqlite(&folder.path().join("bailee.db"), options).unwrap();
        let clock = Arc::new(Ticking(AtomicI64::new(1_795_252_440_000)));
        db.migrate(MIGRATIONS, clock.now()).await.unwrap();
        let store = Store::new(db);
        let core = open(&store, &folder, &clock, 1).await;
        let first = core.first_tenant("demo").await.unwrap().unwrap();
        let admin = identify(&core, &first.key).await.unwrap();
        Self {
            folder,
            store,
            clock,
            core,
            tenant: first.tenant.id,
            admin,
        }
    }

    /// Another process on the same rows.
    async fn restarted(&self) -> Core {
        open(&self.store, &self.folder, &self.clock, 99).await
    }

    async fn key(
        &self,
        by: &Caller,
        scopes: &[Scope],
        limits: KeyLimits,
    ) -> bailee_model::Result<KeyText> {
        let new = NewKey {
            name: "a key".to_owned(),
            principal: None,
            scopes: scopes.iter().copied().collect::<Scopes>(),
            limits,
            expires_at: None,
        };
        self.core.keys().create(by, new).await.map(|(_, text)| text)
    }

    async fn bound(&self, limits: KeyLimits) -> Caller {
        let key = self
            .key(&self.admin, &[Scope::Admin], limits)
            .await
            .unwrap();
        identify(&self.core, &key).await.unwrap()
    }
}

async fn open(store: &Store, folder: &tempfile::TempDir, clock: &Arc<Ticking>, seed: u64) -> Core {
    Core::open(CoreParts {
        store: store.clone(),
        vault: Vault::new(Disk::open(folder.path()).unwrap(), VaultLimits::default()),
        root_key: RootKey::from_bytes([7; 32]),
        clock: clock.clone(),
        chance: Arc::new(Counting(AtomicU64::new(seed))),
        settings: CoreSettings::default(),
    })
    .await
    .unwrap()
}

async fn identify(core: &Core, key: &KeyText) -> bailee_model::Result<Caller> {
    let facts = Facts {
        address: "10.1.2.3".parse().ok(),
        request: core.new_request_id(),
        now: core.clock().now(),
        door: Door::Rest,
    };
    let credential = format!("Bearer {}", key.reveal());
    core.identify(Some(&credential), facts).await
}

fn all() -> PageRequest {
    PageRequest {
        limit: limit::PAGE_MAX,
        after: None,
    }
}

fn hook(path_prefix: Option<&str>) -> NewWebhook {
    NewWebhook {
        url: "https://receiver.example/hook".to_owned(),
        types: vec!["*".to_owned()],
        path_prefix: path_prefix.map(|path| path.parse().unwrap()),
        body_hmac: false,
    }
}

fn below(path: &str) -> KeyLimits {
    KeyLimits {
        path_prefixes: vec![path.parse().unwrap()],
        ..KeyLimits::default()
    }
}

fn transfer() -> NewTransfer {
    NewTransfer {
        source: parse_end("bank:/in/a.csv").unwrap(),
        destination: parse_end("/in/a.csv").unwrap(),
        label: None,
        priority: 0,
        verify: Verify::default(),
        on_conflict: OnConflict::default(),
        retry: RetryRule::default(),
        deadline: None,
        start_at: None,
        notify_on_completion: false,
        metadata: std::collections::BTreeMap::default(),
    }
}

fn remote() -> NewRemote {
    NewRemote {
        name: "bank".parse().unwrap(),
        address: sftp("bank.example"),
        secret: Some(RemoteSecret::Password("hunter2".to_owned().into())),
        concurrency: None,
    }
}

fn sftp(host: &str) -> RemoteAddress {
    RemoteAddress::Sftp {
        host: host.to_owned(),
        port: 22,
        username: "u".to_owned(),
        host_key: None,
        base_path: ".".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspension_is_not_undone_by_a_change_of_settings() {
    let site = Site::start().await;
    let key = site.core.first_operator().await.unwrap().unwrap();
    let operator = identify(&site.core, &key).await.unwrap();
    for round in 0..20 {
        let (core, admin) = (site.core.clone(), site.admin.clone());
        let change = tokio::spawn(async move {
            let settings = core.settings();
            let change = settings.change(&admin, |found| found.trash_seconds = Some(1000 + round));
            change.await
        });
        site.core
            .tenants()
            .suspend(&operator, site.tenant)
            .await
            .unwrap();
        change.await.unwrap().unwrap();
        let found = site
            .core
            .tenants()
            .get(&operator, site.tenant)
            .await
            .unwrap();
        assert_eq!(found.state, TenantState::Suspended, "round {round}");
        site.core
            .tenants()
            .activate(&operator, site.tenant)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_key_makes_no_wider_one() {
    let site = Site::start().await;
    let bounds = KeyLimits {
        networks: vec!["10.0.0.0/8".to_owned()],
        reads_per_minute: Some(10),
        ..KeyLimits::default()
    };
    let caller = site.bound(bounds.clone()).await;
    let made = |limits: KeyLimits| site.key(&caller, &[Scope::Admin], limits);
    let kind = |made: bailee_model::Result<KeyText>| made.err().map(|error| error.kind());
    let wider = Some(ErrorKind::ValidationFailed);
    assert_eq!(kind(made(KeyLimits::default()).await), wider);
    let elsewhere = KeyLimits {
        networks: vec!["0.0.0.0/0".to_owned()],
        ..bounds.clone()
    };
    assert_eq!(kind(made(elsewhere).await), wider);
    let faster = KeyLimits {
        reads_per_minute: Some(11),
        ..bounds.clone()
    };
    assert_eq!(kind(made(faster).await), wider);
    assert_eq!(kind(made(bounds).await), None);
    let Some(own) = site.core.whoami(&caller).await.unwrap() else {
        return;
    };
    let lifted = KeyChange {
        limits: Some(KeyLimits::default()),
        ..KeyChange::default()
    };
    let lifted = site.core.keys().update(&caller, own.key, lifted).await;
    assert_eq!(lifted.unwrap_err().kind(), ErrorKind::ValidationFailed);
}

#[tokio::test]
async fn live_keys_are_counted() {
    let site = Site::start().await;
    // The first key is one of them.
    for _ in 1..limit::LIVE_KEYS_MAX {
        site.key(&site.admin, &[Scope::FilesRead], KeyLimits::default())
            .await
            .unwrap();
    }
    let next = || site.key(&site.admin, &[Scope::FilesRead], KeyLimits::default());
    assert_eq!(next().await.err().unwrap().kind(), ErrorKind::QuotaExceeded);
    let keys = site
        .core
        .keys()
        .list(&site.admin, None, all())
        .await
        .unwrap();
    site.core
        .keys()
        .revoke(&site.admin, keys.data[0].0.id)
        .await
        .unwrap();
    next().await.unwrap();
}

#[tokio::test]
async fn a_revoked_key_is_told_so() {
    let site = Site::start().await;
    let key = site
        .key(&site.admin, &[Scope::FilesRead], KeyLimits::default())
        .await
        .unwrap();
    identify(&site.core, &key).await.unwrap();
    site.core
        .keys()
        .revoke(&site.admin, key.id())
        .await
        .unwrap();
    let error = identify(&site.core, &key).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialRevoked);
}

#[tokio::test]
async fn webhooks_stay_within_the_folders_of_a_key() {
    let site = Site::start().await;
    let caller = site.bound(below("/a")).await;
    let webhooks = site.core.webhooks();
    let (open_one, _) = webhooks.create(&site.admin, hook(None)).await.unwrap();
    for prefix in [None, Some("/b"), Some("/")] {
        let error = webhooks.create(&caller, hook(prefix)).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::ValidationFailed, "{prefix:?}");
    }
    let (own, _) = webhooks.create(&caller, hook(Some("/a/b"))).await.unwrap();
    let shown = webhooks.list(&caller, all()).await.unwrap().data;
    assert_eq!(
        shown.iter().map(|hook| hook.id).collect::<Vec<_>>(),
        [own.id]
    );
    let hidden = webhooks
        .rotate(&caller, open_one.id, None)
        .await
        .err()
        .unwrap();
    assert_eq!(hidden.kind(), ErrorKind::NotFound);
    let kind = bailee_model::EventType::Ping;
    let delivery = webhooks.test(&site.admin, open_one.id, kind).await.unwrap();
    let deliveries = site.core.deliveries();
    let hidden = deliveries.get(&caller, delivery.id).await.unwrap_err();
    assert_eq!(hidden.kind(), ErrorKind::NotFound);
    let shown = deliveries
        .list(&caller, bailee_core::DeliveryFilter::default(), all())
        .await;
    assert!(shown.unwrap().data.is_empty());
}

#[tokio::test]
async fn events_reach_as_many_webhooks_as_there_may_be() {
    let site = Site::start().await;
    for _ in 0..limit::WEBHOOKS_MAX {
        site.core
            .webhooks()
            .create(&site.admin, hook(None))
            .await
            .unwrap();
    }
    let one_more = site.core.webhooks().create(&site.admin, hook(None)).await;
    assert_eq!(one_more.err().unwrap().kind(), ErrorKind::QuotaExceeded);
    site.core
        .remotes()
        .create(&site.admin, remote())
        .await
        .unwrap();
    for _ in 0..60 {
        site.core
            .transfers()
            .submit(&site.admin, transfer())
            .await
            .unwrap();
    }
    while site.core.upkeep().seal_journal().await.unwrap() > 0 {}
    while site.core.upkeep().dispatch_events().await.unwrap() > 0 {}
    let last = site
        .core
        .transfers()
        .list(&site.admin, TransferFilter::default(), all())
        .await;
    let last = last.unwrap().data[0].id.to_string();
    let found = site.core.deliveries();
    let found = found
        .list(&site.admin, bailee_core::DeliveryFilter::default(), all())
        .await;
    let of_last = found
        .unwrap()
        .data
        .iter()
        .filter(|one| one.body.contains(&last))
        .count();
    assert_eq!(of_last as u64, limit::WEBHOOKS_MAX);
}

#[tokio::test]
async fn a_receiver_is_not_link_local() {
    let site = Site::start().await;
    for url in [
        "https://169.254.169.254/x",
        "https://[fe80::1]/",
        "https://0.0.0.0/",
    ] {
        let new = NewWebhook {
            url: url.to_owned(),
            ..hook(None)
        };
        let error = site
            .core
            .webhooks()
            .create(&site.admin, new)
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::AddressNotAllowed, "{url}");
    }
}

#[tokio::test]
async fn a_moved_remote_needs_its_credential_again() {
    let site = Site::start().await;
    let remotes = site.core.remotes();
    let made = remotes.create(&site.admin, remote()).await.unwrap();
    let moved = RemoteChange {
        address: Some(sftp("other.example")),
        ..RemoteChange::default()
    };
    let none = || Precondition::None;
    let error = remotes
        .update(&site.admin, made.id, moved.clone(), none())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ValidationFailed);
    let moved = RemoteChange {
        secret: Some(RemoteSecret::Password("hunter2".to_owned().into())),
        ..moved
    };
    remotes
        .update(&site.admin, made.id, moved, none())
        .await
        .unwrap();
}

async fn begin(core: &Core, caller: &Caller) -> bailee_model::Result<Begin> {
    core.idempotency()
        .begin(caller, "transfers.create", "k", "f")
        .await
}

#[tokio::test]
async fn a_run_whose_process_died_is_taken_over_and_cannot_do_its_work_any_more() {
    let site = Site::start().await;
    site.core
        .remotes()
        .create(&site.admin, remote())
        .await
        .unwrap();
    let Begin::Fresh(old) = begin(&site.core, &site.admin).await.unwrap() else {
        unreachable!()
    };
    let core = site.restarted().await;
    let error = begin(&core, &site.admin).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IdempotencyKeyInProgress);
    site.clock
        .0
        .fetch_add(Duration::from_secs(6).as_millis() as i64, Ordering::Relaxed);
    let Begin::Fresh(new) = begin(&core, &site.admin).await.unwrap() else {
        unreachable!()
    };
    let late = site
        .core
        .transfers()
        .submit(&old.caller(), transfer())
        .await;
    assert_eq!(
        late.unwrap_err().kind(),
        ErrorKind::IdempotencyKeyInProgress
    );
    // The old run's end does not touch the new one's mark.
    site.core.idempotency().release(*old).await.unwrap();
    let made = core
        .transfers()
        .submit(&new.caller(), transfer())
        .await
        .unwrap();
    // The answer is lost: the repetition gets what was made.
    let Begin::Fresh(again) = begin(&site.core, &site.admin).await.unwrap() else {
        unreachable!()
    };
    let same = site
        .core
        .transfers()
        .submit(&again.caller(), transfer())
        .await
        .unwrap();
    assert_eq!(same.id, made.id);
    let found = site
        .core
        .transfers()
        .list(&site.admin, TransferFilter::default(), all())
        .await;
    assert_eq!(found.unwrap().data.len(), 1);
}

#[tokio::test]
async fn a_key_bound_to_folders_hears_of_its_own_transfers_only() {
    let site = Site::start().await;
    site.core
        .remotes()
        .create(&site.admin, remote())
        .await
        .unwrap();
    let caller = site.bound(below("/in")).await;
    site.core
        .transfers()
        .submit(&site.admin, transfer())
        .await
        .unwrap();
    let own = site
        .core
        .transfers()
        .submit(&caller, transfer())
        .await
        .unwrap();
    while site.core.upkeep().seal_journal().await.unwrap() > 0 {}
    let query = EventQuery {
        after: Some(0),
        limit: 100,
        ..EventQuery::default()
    };
    let page = site.core.events().read(&caller, query).await.unwrap();
    let about: Vec<_> = page
        .events
        .iter()
        .map(|event| event.entry.transfer)
        .collect();
    assert_eq!(about, [Some(own.id)]);
}

#[tokio::test]
async fn a_damaged_journal_stops_nobody_elses() {
    let site = Site::start().await;
    while site.core.upkeep().seal_journal().await.unwrap() > 0 {}
    let rows = rusqlite::Connection::open(site.folder.path().join("bailee.db")).unwrap();
    let damage = "UPDATE journal_head SET frontier = 'x' WHERE tenant_id = ?1";
    rows.execute(damage, [site.tenant.to_string()]).unwrap();
    site.core
        .remotes()
        .create(&site.admin, remote())
        .await
        .unwrap();
    let other = site.core.first_tenant("other").await.unwrap().unwrap();
    assert_eq!(site.core.upkeep().seal_journal().await.unwrap(), 1);
    site.core.upkeep().sign_checkpoints().await.unwrap();
    let other = identify(&site.core, &other.key).await.unwrap();
    let signed = site
        .core
        .audit()
        .checkpoints(&other, u64::MAX >> 1, 1)
        .await;
    assert_eq!(signed.unwrap().len(), 1);
}
