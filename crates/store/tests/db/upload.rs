//! Uploads on the real schema: what parts, the running hash and the end of their upload ask of each other.

use std::collections::BTreeMap;

use bailee_model::{
    BlobId, Extent, Part, Placement, PrincipalId, Tenant, TenantSettings, TenantState, Timestamp,
    Upload, UploadId, UploadState, UserId,
};
use bailee_store::{Change, DbError, HashedPrefix, MIGRATIONS, Progress, Store, conflict};

use crate::kit::{ACME, NOW, Place};

const UPLOAD: UploadId = UploadId::from_bits(1);
const SIZE_MAX: u64 = 1_000_000;

/// Stores with a tenant and an open upload.
async fn stores(place: &Place) -> Vec<(Store, Tenant)> {
    let sqlite = place.sqlite();
    sqlite.migrate(MIGRATIONS, NOW).await.unwrap();
    let mut all = vec![sqlite];
    if let Some((owner, app)) = place.postgres().await {
        owner.migrate(MIGRATIONS, NOW).await.unwrap();
        all.push(app);
    }
    let tenant = Tenant {
        id: ACME,
        name: "acme".to_owned(),
        state: TenantState::Active,
        quota_bytes: None,
        quota_files: None,
        settings: TenantSettings::default(),
        created_at: NOW,
    };
    let mut stores = Vec::new();
    for db in all {
        let store = Store::new(db);
        let mut change = store.identity().change(ACME);
        change.insert_tenant(&tenant, b"wrapped", &[]);
        change.insert_upload(&upload(UploadState::Open), b"wrapped");
        change.commit().await.unwrap();
        stores.push((store, tenant.clone()));
    }
    stores
}

fn upload(state: UploadState) -> Upload {
    Upload {
        id: UPLOAD,
        path: "/f".parse().unwrap(),
        size_bytes: None,
        part_size: 1,
        overwrite: false,
        content_type: None,
        hash: None,
        tags: Vec::new(),
        metadata: BTreeMap::new(),
        state,
        file: None,
        created_by: PrincipalId::User(UserId::from_bits(1)),
        created_at: NOW,
        expires_at: NOW,
    }
}

fn part(number: u32, blob: u128) -> Part {
    Part {
        number,
        blob: BlobId::from_bits(blob),
        size_bytes: 10,
        hash: String::new(),
    }
}

/// What a part brings, as often as wanted.
fn add(change: &mut Change, tenant: &Tenant, part: &Part) {
    change
        .extend_upload(&Upload {
            expires_at: NOW.plus(std::time::Duration::from_secs(1)),
            ..upload(UploadState::Open)
        })
        .grow_upload(UPLOAD, 10, SIZE_MAX)
        .insert_blob(&Extent {
            blob: part.blob,
            size_bytes: 10,
            placement: Placement::Stored,
        })
        .insert_part(UPLOAD, part)
        .add_usage(10, 0, tenant);
}

fn change(store: &Store) -> Change {
    store.queue().change(ACME)
}

async fn progress(store: &Store) -> Progress {
    let found = store.queue().reader(ACME).upload(UPLOAD).await;
    found.unwrap().unwrap().2
}

async fn used(store: &Store) -> u64 {
    let usage = store.queue().reader(ACME).usage().await.unwrap();
    usage.bytes
}

fn is_conflict(result: Result<(), DbError>, name: &str) -> bool {
    matches!(result, Err(DbError::Conflict(found)) if found == name)
}

#[tokio::test]
async fn an_upload_is_completed_only_as_it_was_read() {
    let place = Place::new();
    for (store, tenant) in stores(&place).await {
        let read = progress(&store).await;
        let mut adding = change(&store);
        add(&mut adding, &tenant, &part(0, 1));
        adding.commit().await.unwrap();
        let ended = upload(UploadState::Completed);
        let mut late = change(&store);
        late.complete_upload(&ended, read.revision);
        assert!(is_conflict(late.commit().await, conflict::UPLOAD_MOVED));
        let read = progress(&store).await;
        assert_eq!(read.size_bytes, 10);
        let mut completing = change(&store);
        completing.complete_upload(&ended, read.revision);
        completing.commit().await.unwrap();
        let mut adding = change(&store);
        add(&mut adding, &tenant, &part(1, 2));
        assert!(is_conflict(adding.commit().await, conflict::UPLOAD_OPEN));
        store.close().await;
    }
}

#[tokio::test]
async fn a_hash_that_was_started_over_is_not_moved_on_from_its_old_state() {
    let state = |parts: u32, text: &str| HashedPrefix {
        parts,
        state: text.as_bytes().to_vec(),
    };
    let place = Place::new();
    for (store, tenant) in stores(&place).await {
        let mut adding = change(&store);
        for number in 0..2 {
            add(&mut adding, &tenant, &part(number, u128::from(number) + 1));
        }
        adding.advance_hash(UPLOAD, &state(0, ""), &state(1, "first"));
        adding.commit().await.unwrap();
        let read = progress(&store).await.hashed;
        // Part 0 is replaced, and its new bytes are hashed, before the reader of part 1 comes back.
        let mut replacing = change(&store);
        replacing.insert_blob(&Extent {
            blob: BlobId::from_bits(9),
            size_bytes: 10,
            placement: Placement::Stored,
        });
        replacing
            .replace_part(UPLOAD, &part(0, 9), BlobId::from_bits(1))
            .forget_hash(UPLOAD, 0);
        replacing.commit().await.unwrap();
        let mut again = change(&store);
        again.advance_hash(UPLOAD, &state(0, ""), &state(1, "again"));
        again.commit().await.unwrap();
        let mut stale = change(&store);
        stale
            .advance_hash(UPLOAD, &read, &state(2, "of bytes that are gone"))
            .hold_part(UPLOAD, &part(1, 2));
        assert!(is_conflict(stale.commit().await, conflict::PART_RACE));
        assert_eq!(progress(&store).await.hashed, state(1, "again"));
        store.close().await;
    }
}

#[tokio::test]
async fn an_upload_of_any_number_of_parts_is_given_up_and_given_back() {
    let place = Place::new();
    for (store, tenant) in stores(&place).await {
        for start in (0..5000).step_by(500) {
            let mut adding = change(&store);
            for number in start..start + 500 {
                add(&mut adding, &tenant, &part(number, u128::from(number) + 1));
            }
            adding.commit().await.unwrap();
        }
        assert_eq!(used(&store).await, 50_000);
        // A part has come since the upload was found expired.
        let mut expiring = change(&store);
        expiring.expire_upload(&upload(UploadState::Expired));
        assert!(is_conflict(expiring.commit().await, conflict::UPLOAD_OPEN));
        let due = NOW.plus(std::time::Duration::from_mins(1));
        let mut ending = change(&store);
        ending
            .abort_upload(&upload(UploadState::Aborted))
            .discard_parts(UPLOAD, due)
            .give_back_upload(UPLOAD);
        ending.commit().await.unwrap();
        assert_eq!(used(&store).await, 0);
        let later = due.plus(std::time::Duration::from_secs(1));
        let garbage = store.queue().garbage(later, 10_000).await.unwrap();
        assert_eq!(garbage.len(), 5000);
        store.close().await;
    }
}

#[tokio::test]
async fn an_upload_grows_to_the_largest_file_and_no_further() {
    let place = Place::new();
    for (store, _) in stores(&place).await {
        let grow = async |bytes| {
            let mut growing = change(&store);
            growing.grow_upload(UPLOAD, bytes, 100);
            growing.commit().await
        };
        grow(100).await.unwrap();
        assert!(is_conflict(grow(1).await, conflict::UPLOAD_TOO_LARGE));
        grow(-1).await.unwrap();
        grow(1).await.unwrap();
        store.close().await;
    }
}

#[tokio::test]
async fn a_blob_that_is_given_up_again_rests_again() {
    let place = Place::new();
    for (store, _) in stores(&place).await {
        let blob = BlobId::from_bits(1);
        let due = async |ms| {
            let found = store.queue().garbage(Timestamp::from_ms(ms), 10).await;
            found.unwrap().len()
        };
        for at in [100, 300, 200] {
            let mut discarding = change(&store);
            discarding.discard_blob(blob, Timestamp::from_ms(at));
            discarding.commit().await.unwrap();
        }
        assert_eq!((due(300).await, due(301).await), (0, 1));
        store.close().await;
    }
}
