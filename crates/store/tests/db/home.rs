//! The files of a SQLite database.

use bailee_store::{Db, DbError, Scope, SqliteOptions};

use crate::kit::{ACME, IDS, MIGRATIONS, NOW, Place, ids, insert};

#[tokio::test]
async fn sqlite_is_held_by_one_process_and_opens_again() {
    let place = Place::new();
    let db = place.sqlite();
    db.migrate(MIGRATIONS, NOW).await.unwrap();
    db.run(insert(ACME, "a")).await.unwrap();
    let second = Db::open_sqlite(&place.path(), SqliteOptions::default());
    assert!(
        matches!(second.err(), Some(DbError::Refused(text)) if text.contains("another process"))
    );
    db.close().await;
    assert_eq!(
        db.run(insert(ACME, "late")).await,
        Err(DbError::Unavailable("it is closed".to_owned()))
    );
    assert!(db.fetch(Scope::Across, IDS, vec![]).await.is_err());
    db.close().await;
    let db = Db::open_sqlite(&place.path(), SqliteOptions::default()).unwrap();
    assert_eq!(ids(&db, Scope::Across).await, ["a"]);
    db.close().await;
}

#[tokio::test]
async fn sqlite_refuses_to_replace_what_was_lost() {
    let place = Place::new();
    let nothing = Db::open_sqlite(&place.path(), SqliteOptions::default());
    assert!(
        matches!(nothing.err(), Some(DbError::Refused(text)) if text.contains("there is no database"))
    );
    // A copy of the files of an open database is what a crash leaves.
    let db = place.sqlite();
    db.migrate(MIGRATIONS, NOW).await.unwrap();
    db.run(insert(ACME, "a")).await.unwrap();
    let copy = place.folder.join("copy");
    std::fs::create_dir(&copy).unwrap();
    for name in ["rows.db", "rows.db-wal", "rows.db.lock"] {
        std::fs::copy(place.folder.join(name), copy.join(name)).unwrap();
    }
    db.close().await;
    let log = std::fs::read(copy.join("rows.db-wal")).unwrap();
    std::fs::remove_file(copy.join("rows.db-wal")).unwrap();
    let without = Db::open_sqlite(&copy.join("rows.db"), SqliteOptions::default());
    assert!(matches!(without.err(), Some(DbError::Refused(text)) if text.contains("log")));
    std::fs::write(copy.join("rows.db-wal"), log).unwrap();
    let db = Db::open_sqlite(&copy.join("rows.db"), SqliteOptions::default()).unwrap();
    assert_eq!(
        ids(&db, Scope::Across).await,
        ["a"],
        "what was acknowledged is in the log"
    );
    db.close().await;
    std::fs::remove_file(copy.join("rows.db")).unwrap();
    let create = SqliteOptions {
        create: true,
        ..SqliteOptions::default()
    };
    let gone = Db::open_sqlite(&copy.join("rows.db"), create);
    assert!(matches!(gone.err(), Some(DbError::Refused(text)) if text.contains("is gone")));
}
