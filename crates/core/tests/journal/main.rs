//! What somebody with the database in hand can do to a journal, and what verification says of it.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bailee_core::{
    AuditFilter, Caller, Core, CoreParts, CoreSettings, Door, EventQuery, Facts, VerifyJournal,
};
use bailee_model::{Chance, Clock, ErrorKind, FolderPath, RequestId, TenantId, Timestamp};
use bailee_store::{Db, MIGRATIONS, SqliteOptions, Store};
use bailee_vault::{Disk, RootKey, Vault, VaultLimits};
use rusqlite::Connection;

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

/// An installation whose demo tenant has a journal of ten entries, a checkpoint at the eighth.
struct Site {
    folder: tempfile::TempDir,
    core: Core,
    tenant: TenantId,
    credential: String,
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
        let core = Core::open(CoreParts {
            store: Store::new(db),
            vault: Vault::new(Disk::open(folder.path()).unwrap(), VaultLimits::default()),
            root_key: RootKey::from_bytes([7; 32]),
            clock: clock.clone(),
            chance: Arc::new(Counting(AtomicU64::new(1))),
            settings: CoreSettings::default(),
        })
        .await
        .unwrap();
        let first = core.first_tenant("demo").await.unwrap().unwrap();
        let credential = format!("Bearer {}", first.key.reveal());
        let facts = Facts {
            address: None,
            request: RequestId::from_bits(1),
            now: clock.now(),
            door: Door::Rest,
        };
        let caller = core.identify(Some(&credential), facts).await.unwrap();
        for number in 2..=10 {
            let path: FolderPath = format!("/folder-{number}").parse().unwrap();
            core.folders().create(&caller, path).await.unwrap();
            core.upkeep().seal_journal().await.unwrap();
            if number == 8 {
                core.upkeep().sign_checkpoints().await.unwrap();
            }
        }
        let tenant = first.tenant.id;
        Self {
            folder,
            core,
            tenant,
            credential,
        }
    }

    async fn caller(&self) -> Caller {
        let facts = Facts {
            address: None,
            request: RequestId::from_bits(2),
            now: Timestamp::from_ms(1_795_252_450_000),
            door: Door::Rest,
        };
        let caller = self.core.identify(Some(&self.credential), facts).await;
        caller.unwrap()
    }

    /// Changes rows behind the server's back.
    fn tamper(&self, statement: &str) {
        let db = Connection::open(self.folder.path().join("bailee.db")).unwrap();
        let tenant = self.tenant.to_string();
        assert!(db.execute(statement, [tenant]).unwrap() > 0);
    }

    async fn verdict(&self) -> VerifyJournal {
        self.core.verify_journal_of(self.tenant).await.unwrap()
    }

    async fn first_bad(&self) -> u64 {
        let verdict = self.verdict().await;
        assert!(!verdict.ok);
        verdict.first_bad.unwrap().sequence
    }
}

#[tokio::test]
async fn an_untouched_journal_is_good() {
    let site = Site::start().await;
    let verdict = site.verdict().await;
    assert_eq!(verdict.first_bad, None);
    assert!(verdict.ok && verdict.records == 10 && verdict.tree_size == 10);
    assert!(verdict.checkpoint.unwrap().contains("\n8\n"));
}

#[tokio::test]
async fn an_edited_entry_is_named() {
    for column in ["operation", "user_label", "data", "subject_path", "status"] {
        let site = Site::start().await;
        let value = if column == "status" { "denied" } else { "x" };
        site.tamper(&format!(
            "UPDATE journal SET {column} = '{value}' WHERE tenant_id = ?1 AND sequence = 4"
        ));
        assert_eq!(site.first_bad().await, 4, "{column}");
    }
}

#[tokio::test]
async fn a_deleted_entry_is_named() {
    let site = Site::start().await;
    site.tamper("DELETE FROM journal WHERE tenant_id = ?1 AND sequence = 5");
    assert_eq!(site.first_bad().await, 5);
}

#[tokio::test]
async fn swapped_entries_are_named() {
    let site = Site::start().await;
    site.tamper("UPDATE journal SET sequence = -3 WHERE tenant_id = ?1 AND sequence = 3");
    site.tamper("UPDATE journal SET sequence = 3 WHERE tenant_id = ?1 AND sequence = 6");
    site.tamper("UPDATE journal SET sequence = 6 WHERE tenant_id = ?1 AND sequence = -3");
    // The leaf hashes went along, so each entry by itself is good; the checkpoint over eight of them is not.
    assert_eq!(site.first_bad().await, 8);
}

#[tokio::test]
async fn an_inserted_entry_is_named() {
    let site = Site::start().await;
    site.tamper(
        "INSERT INTO journal (tenant_id, sequence, id, kind, made_at, operation, user_label, status, data, leaf) \
         SELECT tenant_id, 11, 'aud_00000000000000000000000001', kind, made_at, operation, user_label, status, data, leaf \
         FROM journal WHERE tenant_id = ?1 AND sequence = 9",
    );
    assert_eq!(site.first_bad().await, 11);
}

#[tokio::test]
async fn a_cut_tail_is_named() {
    let site = Site::start().await;
    site.tamper("DELETE FROM journal WHERE tenant_id = ?1 AND sequence > 9");
    assert_eq!(site.first_bad().await, 10);
}

#[tokio::test]
async fn a_cut_tail_with_a_forged_head_is_found_by_the_checkpoint() {
    let site = Site::start().await;
    site.tamper("DELETE FROM journal WHERE tenant_id = ?1 AND sequence > 6");
    site.tamper("UPDATE journal_head SET size = 6 WHERE tenant_id = ?1");
    assert_eq!(site.first_bad().await, 7);
}

#[tokio::test]
async fn a_forged_checkpoint_is_found() {
    let site = Site::start().await;
    site.tamper("UPDATE checkpoint SET note = replace(note, '8', '9') WHERE tenant_id = ?1");
    assert_eq!(site.first_bad().await, 8);
}

#[tokio::test]
async fn every_entry_is_proven_and_a_tampered_one_is_not() {
    let site = Site::start().await;
    let reader = site.caller().await;
    let audit = site.core.audit();
    let page = bailee_model::PageRequest {
        limit: 100,
        after: None,
    };
    let all = audit
        .search(&reader, AuditFilter::default(), page)
        .await
        .unwrap();
    assert_eq!(all.data.len(), 10);
    for sealed in &all.data {
        let proof = audit.proof(&reader, sealed.entry.id, None).await.unwrap();
        assert_eq!(proof.entry.sequence, sealed.sequence);
        assert!(proof.tree_size >= sealed.sequence);
    }
    let proof = audit.consistency(&reader, None, None).await.unwrap();
    assert_eq!((proof.from.0, proof.to.0), (8, 10));
    site.tamper("UPDATE journal SET data = '{\"a\":1}' WHERE tenant_id = ?1 AND sequence = 4");
    let fourth = all.data.iter().find(|sealed| sealed.sequence == 4).unwrap();
    audit
        .proof(&reader, fourth.entry.id, None)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn a_feed_that_stood_still_for_too_long_is_told_where_to_go_on() {
    let site = Site::start().await;
    let reader = site.caller().await;
    let events = site.core.events();
    let read = |after| {
        let query = EventQuery {
            after: Some(after),
            limit: 10,
            ..EventQuery::default()
        };
        events.read(&reader, query)
    };
    read(0).await.unwrap();
    site.tamper(
        "UPDATE journal SET made_at = made_at - 2700000000 WHERE tenant_id = ?1 AND sequence < 5",
    );
    let error = read(2).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::EventsExpired);
    read(4).await.unwrap();
}
