//! Many scripts at once: shared syncs, lost races, and who hears of commits.

use std::path::Path;
use std::time::Duration;

use bailee_store::{Db, DbError, Durability, Guard, Scope, Script, values};

use crate::kit::{ACME, GROW, MIGRATIONS, NOW, Place, SELECT, ids, insert, size_bytes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_update_is_lost_among_many() {
    let place = Place::new();
    for db in place.each().await {
        db.run(insert(ACME, "a")).await.unwrap();
        db.run(insert(ACME, "b")).await.unwrap();
        let tasks: Vec<_> = (0..64)
            .map(|number| {
                let db = db.clone();
                tokio::spawn(async move {
                    // One in the other order, so that PostgreSQL finds a deadlock (after a second) and scripts are run again.
                    let (first, second) = if number == 32 { ("b", "a") } else { ("a", "b") };
                    let mut script = Script::tenant(ACME);
                    script.push(GROW, values![ACME, first, 1i64], Guard::One, "first");
                    script.push(GROW, values![ACME, second, 1i64], Guard::One, "second");
                    db.run(script).await
                })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => done += 1,
                // After its tries a script gives up and says so; then nothing of it remains.
                Err(error) => assert!(matches!(error, DbError::Unavailable(_)), "{error}"),
            }
        }
        assert_eq!(
            (size_bytes(&db, "a").await, size_bytes(&db, "b").await),
            (done, done)
        );
        db.close().await;
    }
}

/// While another connection holds the write lock, scripts pile up behind the writer; then they are one or two batches.
async fn piled_up(db: &Db, path: &Path, scripts: Vec<Script>) -> Vec<Result<Vec<u64>, DbError>> {
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let tasks: Vec<_> = scripts
        .into_iter()
        .map(|script| {
            let db = db.clone();
            tokio::spawn(async move { db.run(script).await })
        })
        .collect();
    // The test runs on one thread: each yield lets every task reach its wait.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    other.execute_batch("ROLLBACK").unwrap();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn concurrent_scripts_share_syncs() {
    let place = Place::new();
    let db = place.sqlite();
    db.migrate(MIGRATIONS, NOW).await.unwrap();
    let before = db.sync_count();
    let scripts = (0..64)
        .map(|number| insert(ACME, &format!("{number:02}")))
        .collect();
    let answers = piled_up(&db, &place.path(), scripts).await;
    assert!(answers.iter().all(Result::is_ok));
    let syncs = db.sync_count() - before;
    assert!((1..16).contains(&syncs), "{syncs} syncs for 64 scripts");
    assert_eq!(ids(&db, Scope::Tenant(ACME)).await.len(), 64);
}

#[tokio::test]
async fn a_failed_script_does_not_harm_its_batch() {
    let place = Place::new();
    let db = place.sqlite();
    db.migrate(MIGRATIONS, NOW).await.unwrap();
    let scripts = (0..30)
        .map(|number| {
            let mut script = insert(ACME, &format!("{number:02}"));
            let wanted = if number % 3 == 0 { "none" } else { "00" };
            script.push(SELECT, values![ACME, wanted], Guard::Any, "look");
            if number % 3 == 0 {
                script.push(GROW, values![ACME, "none", 1i64], Guard::One, "third");
            }
            script
        })
        .collect();
    let answers = piled_up(&db, &place.path(), scripts).await;
    for (number, answer) in answers.iter().enumerate() {
        let failed = answer == &Err(DbError::Conflict("third"));
        assert_eq!(failed, number % 3 == 0, "{number}: {answer:?}");
    }
    assert_eq!(ids(&db, Scope::Tenant(ACME)).await.len(), 20);
}

#[tokio::test]
async fn a_synced_script_is_acknowledged_after_a_sync() {
    let place = Place::new();
    let db = place.sqlite();
    db.migrate(MIGRATIONS, NOW).await.unwrap();
    for number in 1..=5 {
        db.run(insert(ACME, &number.to_string())).await.unwrap();
        assert_eq!(
            db.sync_count(),
            number,
            "one client alone has a sync for each script"
        );
    }
}

#[tokio::test]
async fn logged_scripts_wait_for_no_sync() {
    let place = Place::new();
    for db in place.each().await {
        let mut committed = db.committed();
        committed.mark_unchanged();
        let before = db.sync_count();
        let mut script = insert(ACME, "a");
        script.durability(Durability::Logged);
        db.run(script).await.unwrap();
        assert_eq!(db.sync_count(), before);
        assert_eq!(ids(&db, Scope::Tenant(ACME)).await, ["a"]);
        assert!(committed.has_changed().unwrap());
        committed.mark_unchanged();
        db.run(insert(ACME, "b")).await.unwrap();
        tokio::time::timeout(Duration::from_secs(30), committed.changed())
            .await
            .unwrap()
            .unwrap();
        db.close().await;
    }
}

#[tokio::test]
async fn postgres_tells_other_nodes_of_commits() {
    let place = Place::new();
    let Some((owner, app)) = place.postgres().await else {
        return;
    };
    owner.migrate(MIGRATIONS, NOW).await.unwrap();
    let mut heard = owner.committed();
    // The first step says that it listens.
    let wait = Duration::from_secs(30);
    tokio::time::timeout(wait, heard.wait_for(|count| *count > 0))
        .await
        .unwrap()
        .unwrap();
    let before = *heard.borrow_and_update();
    app.run(insert(ACME, "a")).await.unwrap();
    tokio::time::timeout(wait, heard.wait_for(|count| *count > before))
        .await
        .unwrap()
        .unwrap();
}
