//! An installation with a tenant, and the things that the tests make.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bailee_auth::KeyText;
use bailee_core::{
    Caller, Core, CoreParts, CoreSettings, Door, EventBounds, Facts, NewKey, NewRemote,
    NewTransfer, NewWebhook, RemoteSecret, parse_end,
};
use bailee_model::{
    Chance, Clock, KeyLimits, PageRequest, RemoteAddress, Scope, Scopes, TenantId, Timestamp, limit,
};
use bailee_store::{Db, MIGRATIONS, SqliteOptions, Store};
use bailee_vault::{Disk, RootKey, Vault, VaultLimits};

pub(crate) struct Ticking(pub(crate) AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

pub(crate) struct Counting(pub(crate) AtomicU64);

impl Chance for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = (next >> 56) as u8;
        }
    }
}

pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) clock: Arc<Ticking>,
    pub(crate) core: Core,
    pub(crate) tenant: TenantId,
    pub(crate) admin: Caller,
}

impl Site {
    pub(crate) async fn start() -> Self {
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
    pub(crate) async fn restarted(&self) -> Core {
        open(&self.store, &self.folder, &self.clock, 99).await
    }

    pub(crate) async fn key(
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

    pub(crate) async fn bound(&self, limits: KeyLimits) -> Caller {
        let key = self
            .key(&self.admin, &[Scope::Admin], limits)
            .await
            .unwrap();
        identify(&self.core, &key).await.unwrap()
    }
}

pub(crate) async fn open(
    store: &Store,
    folder: &tempfile::TempDir,
    clock: &Arc<Ticking>,
    seed: u64,
) -> Core {
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

pub(crate) async fn identify(core: &Core, key: &KeyText) -> bailee_model::Result<Caller> {
    let facts = Facts {
        address: "10.1.2.3".parse().ok(),
        request: core.new_request_id(),
        now: core.clock().now(),
        door: Door::Rest,
    };
    let credential = format!("Bearer {}", key.reveal());
    core.identify(Some(&credential), facts).await
}

pub(crate) fn all() -> PageRequest {
    PageRequest {
        limit: limit::PAGE_MAX,
        after: None,
    }
}

pub(crate) fn hook(path_prefix: Option<&str>) -> NewWebhook {
    NewWebhook {
        url: "https://receiver.example/hook".to_owned(),
        types: vec!["*".to_owned()],
        filters: EventBounds {
            path_prefix: path_prefix.map(|path| path.parse().unwrap()),
            ..EventBounds::default()
        },
        ..NewWebhook::default()
    }
}

pub(crate) fn below(path: &str) -> KeyLimits {
    KeyLimits {
        path_prefixes: vec![path.parse().unwrap()],
        ..KeyLimits::default()
    }
}

pub(crate) fn transfer() -> NewTransfer {
    NewTransfer::new(
        parse_end("bank:/in/a.csv").unwrap(),
        parse_end("/in/a.csv").unwrap(),
    )
}

pub(crate) fn remote() -> NewRemote {
    NewRemote {
        name: "bank".parse().unwrap(),
        address: sftp("bank.example"),
        secret: Some(RemoteSecret::password("hunter2")),
        concurrency: None,
        times: bailee_model::RemoteTimes::default(),
    }
}

pub(crate) fn sftp(host: &str) -> RemoteAddress {
    RemoteAddress::Sftp {
        host: host.to_owned(),
        port: 22,
        username: "u".to_owned(),
        host_key: None,
        base_path: ".".to_owned(),
    }
}
