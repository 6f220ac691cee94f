//! What others change at the same time, or leave behind.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bailee_core::{Begin, Caller, Core, EventQuery, TransferFilter};
use bailee_model::ErrorKind;

use crate::kit::*;

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
