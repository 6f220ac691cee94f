//! What one script does, or undoes.

use std::time::Duration;

use bailee_store::{DbError, Guard, Scope, Script, Sql, Value, values};

use crate::kit::{
    ACME, ENQUEUE, GROW, INSERT, LEASE, POINT, Place, SELECT, SWAP, ids, insert, size_bytes,
};

#[tokio::test]
async fn values_come_back_as_they_went_in_and_are_seen_at_once() {
    let place = Place::new();
    for db in place.each().await {
        let mut script = insert(ACME, "a");
        let bytes = vec![0u8, 1, 255];
        script.push(
            INSERT,
            values![ACME, "ü'$1", Some("a"), 1u64 << 40, bytes.clone()],
            Guard::One,
            "exists",
        );
        script.push(GROW, values![ACME, "no such", 1i64], Guard::Any, "grow");
        assert_eq!(db.run(script).await, Ok(vec![1, 1, 0]));
        let rows = db
            .fetch(Scope::Tenant(ACME), SELECT, values![ACME, "ü'$1"])
            .await
            .unwrap();
        assert_eq!(rows[0].text(0), Ok("ü'$1"));
        assert_eq!(rows[0].opt_text(1), Ok(Some("a")));
        assert_eq!(rows[0].uint(2), Ok(1 << 40));
        assert_eq!(rows[0].bytes(3), Ok(&bytes[..]));
        let rows = db
            .fetch(Scope::Tenant(ACME), SELECT, values![ACME, "a"])
            .await
            .unwrap();
        assert_eq!(
            (rows[0].opt_text(1), rows[0].opt_bytes(3)),
            (Ok(None), Ok(None))
        );
        assert!(matches!(
            rows[0].text(2),
            Err(DbError::Inconsistent { column: 2, .. })
        ));
        assert!(matches!(
            rows[0].text(9),
            Err(DbError::Inconsistent { column: 9, .. })
        ));
        db.close().await;
    }
}

#[tokio::test]
async fn a_script_that_fails_leaves_nothing_and_names_its_conflict() {
    let place = Place::new();
    for db in place.each().await {
        db.run(insert(ACME, "a")).await.unwrap();
        // A guard.
        let mut script = insert(ACME, "b");
        script.push(
            SWAP,
            values![ACME, "a", 7i64, 8i64],
            Guard::One,
            "size changed",
        );
        script.push(GROW, values![ACME, "a", 1i64], Guard::One, "grow");
        assert_eq!(db.run(script).await, Err(DbError::Conflict("size changed")));
        let mut script = insert(ACME, "b");
        script.push(
            GROW,
            values![ACME, "none", 1i64],
            Guard::Some,
            "nothing grew",
        );
        assert_eq!(db.run(script).await, Err(DbError::Conflict("nothing grew")));
        // A unique key, a foreign key, a check.
        let mut script = insert(ACME, "b");
        script.push(
            INSERT,
            values![ACME, "a", None::<&str>, 0i64, None::<Vec<u8>>],
            Guard::One,
            "a exists",
        );
        assert_eq!(db.run(script).await, Err(DbError::Conflict("a exists")));
        let mut script = insert(ACME, "b");
        script.push(
            INSERT,
            values![ACME, "c", "none", 0i64, None::<Vec<u8>>],
            Guard::One,
            "no parent",
        );
        assert_eq!(db.run(script).await, Err(DbError::Conflict("no parent")));
        let mut script = insert(ACME, "b");
        script.push(GROW, values![ACME, "a", -1i64], Guard::One, "too small");
        assert_eq!(db.run(script).await, Err(DbError::Conflict("too small")));
        // A mistake of the program is not a conflict.
        let mut script = insert(ACME, "b");
        script.push(
            Sql::across("SELECT nonsense FROM thing"),
            vec![],
            Guard::Any,
            "x",
        );
        assert!(matches!(
            db.run(script).await,
            Err(DbError::Statement { .. })
        ));
        let mut script = insert(ACME, "b");
        script.push(GROW, values![ACME, "a"], Guard::Any, "x");
        assert!(matches!(
            db.run(script).await,
            Err(DbError::Statement { .. })
        ));
        assert_eq!(ids(&db, Scope::Tenant(ACME)).await, ["a"]);
        assert_eq!(size_bytes(&db, "a").await, 0);
        assert_eq!(db.run(Script::tenant(ACME)).await, Ok(vec![]));
        db.close().await;
    }
}

#[tokio::test]
async fn rows_come_back_from_a_script_and_are_leased_once() {
    let place = Place::new();
    for db in place.each().await {
        let mut script = Script::across();
        for _ in 0..10 {
            script.push(ENQUEUE, values![None::<&str>], Guard::One, "enqueue");
        }
        let rows = db.run_returning(script).await.unwrap();
        let numbers: Vec<i64> = rows.iter().map(|rows| rows[0].int(0).unwrap()).collect();
        assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
        let runners = ["ann", "bob", "cid", "dan"].map(|runner| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut script = Script::across();
                script.push(LEASE, values![runner, 3i64], Guard::Any, "lease");
                let rows = db.run_returning(script).await.unwrap();
                assert!(rows[0].iter().all(|row| row.text(1) == Ok(runner)));
                rows[0]
                    .iter()
                    .map(|row| row.int(0).unwrap())
                    .collect::<Vec<_>>()
            })
        });
        let mut leased = Vec::new();
        for runner in runners {
            leased.extend(runner.await.unwrap());
        }
        leased.sort_unstable();
        let before = leased.len();
        leased.dedup();
        assert_eq!(before, leased.len(), "no number is leased twice");
        db.close().await;
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_half() {
    let place = Place::new();
    for db in place.each().await {
        for number in 0..20 {
            let mut script = insert(ACME, &format!("{number:02}"));
            script.push(
                INSERT,
                values![
                    ACME,
                    format!("{number:02}b"),
                    None::<&str>,
                    0i64,
                    Value::Null
                ],
                Guard::One,
                "b",
            );
            // Dropped after its first steps.
            let _ = tokio::time::timeout(Duration::from_micros(number * 50), db.run(script)).await;
        }
        db.run(insert(ACME, "end")).await.unwrap();
        // Scripts that were sent may still be running on PostgreSQL; each is there as a whole or not at all.
        let count = ids(&db, Scope::Tenant(ACME))
            .await
            .iter()
            .filter(|id| *id != "end")
            .count();
        assert_eq!(count % 2, 0);
        db.close().await;
    }
}

#[tokio::test]
async fn a_point_read_sees_every_commit_and_is_never_cut() {
    let place = Place::new();
    for db in place.each().await {
        // More rows than a caller's thread reads by itself.
        for number in 0..100_usize {
            db.run(insert(ACME, &format!("{number:03}"))).await.unwrap();
            let rows = db.fetch(Scope::Tenant(ACME), POINT, values![ACME, "000"]);
            assert_eq!(rows.await.unwrap().len(), number + 1);
        }
        db.close().await;
        let rows = db.fetch(Scope::Tenant(ACME), POINT, values![ACME, "000"]);
        assert!(rows.await.is_err(), "a closed database answers nothing");
    }
}
