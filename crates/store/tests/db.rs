//! The database layer on SQLite, and on PostgreSQL too if `BAILEE_TEST_POSTGRES_URL` names a server on which the role
//! may make roles and databases (`postgres://postgres@127.0.0.1:5432/postgres`). Each test has a database of its own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bailee_model::{Chance, TenantId, Timestamp};
use bailee_store::{
    Db, DbError, Durability, Guard, Migration, PgOptions, PgUrl, Scope, Script, Sql, SqliteOptions,
    Value, values,
};

const ACME: TenantId = TenantId::from_bits(1);
const BOLT: TenantId = TenantId::from_bits(2);
const NOW: Timestamp = Timestamp::from_ms(1_795_252_440_000);

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "things and a queue",
        text: "CREATE TABLE thing (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    parent_id TEXT,
    size_bytes BIGINT NOT NULL DEFAULT 0 CHECK (size_bytes >= 0),
    content {bytes},
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES thing (tenant_id, id)
);
CREATE TABLE queue (
    number {serial},
    lease TEXT
);
",
        tenant_tables: &["thing"],
    },
    Migration {
        number: 2,
        name: "an index",
        text: "CREATE INDEX thing_size ON thing (tenant_id, size_bytes);\n",
        tenant_tables: &[],
    },
];

const INSERT: Sql = Sql::tenant(
    "INSERT INTO thing (tenant_id, id, parent_id, size_bytes, content) VALUES ($1, $2, $3, $4, $5)",
);
const SELECT: Sql = Sql::tenant(
    "SELECT id, parent_id, size_bytes, content FROM thing WHERE tenant_id = $1 AND id = $2",
);
const IDS: Sql = Sql::across("SELECT id FROM thing ORDER BY id");
const GROW: Sql =
    Sql::tenant("UPDATE thing SET size_bytes = size_bytes + $3 WHERE tenant_id = $1 AND id = $2");
const SWAP: Sql = Sql::tenant(
    "UPDATE thing SET size_bytes = $4 WHERE tenant_id = $1 AND id = $2 AND size_bytes = $3",
);
const ENQUEUE: Sql = Sql::across("INSERT INTO queue (lease) VALUES ($1) RETURNING number");
const LEASE: Sql = Sql::across(
    "UPDATE queue SET lease = $1 WHERE number IN (SELECT number FROM queue WHERE lease IS NULL ORDER BY number LIMIT $2 {skip_locked}) RETURNING number, lease",
);

/// A database of its own for one test.
struct Place {
    name: String,
    folder: PathBuf,
}

struct Fixed;

impl Chance for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x55);
    }
}

impl Place {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "bailee_db_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        Self { name, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("rows.db")
    }

    fn sqlite(&self) -> Db {
        Db::open_sqlite(
            &self.path(),
            SqliteOptions {
                create: true,
                ..SqliteOptions::default()
            },
        )
        .unwrap()
    }

    /// A migrated database of each kind that is at hand; PostgreSQL as the role that runs the server.
    async fn each(&self) -> Vec<Db> {
        let sqlite = self.sqlite();
        assert_eq!(sqlite.migrate(MIGRATIONS, NOW).await, Ok(2));
        let mut all = vec![sqlite];
        if let Some((owner, app)) = self.postgres().await {
            assert_eq!(owner.migrate(MIGRATIONS, NOW).await, Ok(2));
            all.push(app);
        }
        all
    }

    /// The same new PostgreSQL database, opened as its owner and as `bailee_app`.
    async fn postgres(&self) -> Option<(Db, Db)> {
        let url = std::env::var("BAILEE_TEST_POSTGRES_URL").ok()?;
        let config: tokio_postgres::Config = url.parse().unwrap();
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        for role in ["bailee_owner", "bailee_app"] {
            // Roles belong to the server; another test may have made them.
            let _ = client
                .batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'test-only'"))
                .await;
        }
        client
            .batch_execute(&format!("CREATE DATABASE {} OWNER bailee_owner", self.name))
            .await
            .unwrap();
        let tokio_postgres::config::Host::Tcp(host) = &config.get_hosts()[0] else {
            panic!("a TCP host is needed")
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let mut opened = Vec::new();
        for role in ["bailee_owner", "bailee_app"] {
            let url = PgUrl::new(format!(
                "postgres://{role}:test-only@{host}:{port}/{}",
                self.name
            ));
            let options = PgOptions {
                connections_max: 8,
                chance: Arc::new(Fixed),
            };
            opened.push(Db::open_postgres(url, options).await.unwrap());
        }
        let app = opened.pop()?;
        Some((opened.pop()?, app))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn insert(tenant: TenantId, id: &str) -> Script {
    let mut script = Script::tenant(tenant);
    script.push(
        INSERT,
        values![tenant, id, None::<&str>, 0i64, None::<Vec<u8>>],
        Guard::One,
        "thing exists",
    );
    script
}

async fn ids(db: &Db, scope: Scope) -> Vec<String> {
    let rows = db.fetch(scope, IDS, vec![]).await.unwrap();
    rows.iter()
        .map(|row| row.text(0).unwrap().to_owned())
        .collect()
}

async fn size_bytes(db: &Db, id: &str) -> i64 {
    db.fetch(Scope::Tenant(ACME), SELECT, values![ACME, id])
        .await
        .unwrap()[0]
        .int(2)
        .unwrap()
}

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
                    // A few in the other order, so that PostgreSQL finds deadlocks (after a second) and scripts are run again.
                    let (first, second) = if number % 20 > 0 {
                        ("a", "b")
                    } else {
                        ("b", "a")
                    };
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
async fn a_tenant_sees_and_changes_only_its_own() {
    let place = Place::new();
    for db in place.each().await {
        db.run(insert(ACME, "a")).await.unwrap();
        db.run(insert(BOLT, "b")).await.unwrap();
        // A tenant statement with another tenant's id is refused on both databases.
        let mut script = Script::tenant(BOLT);
        script.push(GROW, values![ACME, "a", 1i64], Guard::One, "grow");
        assert!(matches!(db.run(script).await, Err(DbError::Foreign { .. })));
        let foreign = db
            .fetch(Scope::Tenant(BOLT), SELECT, values![ACME, "a"])
            .await;
        assert!(matches!(foreign, Err(DbError::Foreign { .. })));
        assert_eq!(ids(&db, Scope::Across).await, ["a", "b"]);
        db.close().await;
    }
}

#[tokio::test]
async fn postgres_holds_careless_statements_to_their_tenant() {
    const CARELESS: Sql = Sql::across("UPDATE thing SET size_bytes = 9");
    const SMUGGLE: Sql =
        Sql::across("INSERT INTO thing (tenant_id, id, size_bytes) VALUES ($1, $2, 0)");
    let place = Place::new();
    let Some((owner, app)) = place.postgres().await else {
        return;
    };
    owner.migrate(MIGRATIONS, NOW).await.unwrap();
    for db in [&owner, &app] {
        let _ = db.run(insert(ACME, "a")).await;
        let _ = db.run(insert(BOLT, "b")).await;
        assert_eq!(ids(db, Scope::Tenant(ACME)).await, ["a"]);
        assert_eq!(
            ids(db, Scope::Tenant(TenantId::from_bits(3))).await,
            Vec::<String>::new()
        );
        assert_eq!(ids(db, Scope::Across).await, ["a", "b"]);
        let mut script = Script::tenant(BOLT);
        script.push(CARELESS, vec![], Guard::Any, "careless");
        assert_eq!(db.run(script).await, Ok(vec![1]));
        let mut script = Script::tenant(BOLT);
        script.push(SMUGGLE, values![ACME, "smuggled"], Guard::Any, "smuggle");
        assert!(matches!(db.run(script).await, Err(DbError::Foreign { .. })));
    }
    assert_eq!(size_bytes(&app, "a").await, 0);
    // Without a setting there are no rows: the setting ended with each transaction.
    let url = std::env::var("BAILEE_TEST_POSTGRES_URL").unwrap();
    let mut config: tokio_postgres::Config = url.parse().unwrap();
    config
        .user("bailee_app")
        .password("test-only")
        .dbname(&place.name);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    assert!(
        client
            .query("SELECT id FROM thing", &[])
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        client
            .batch_execute("CREATE TABLE mine (a TEXT)")
            .await
            .is_err(),
        "the role must not change the schema"
    );
    assert!(
        client
            .batch_execute("UPDATE schema_migration SET checksum = ''")
            .await
            .is_err()
    );
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

#[tokio::test]
async fn migrations_are_applied_once_and_never_change() {
    const CHANGED: &[Migration] = &[
        Migration {
            number: 1,
            name: "things and a queue",
            text: "CREATE TABLE other (a TEXT);\n",
            tenant_tables: &[],
        },
        MIGRATIONS[1],
    ];
    const BROKEN: &[Migration] = &[
        MIGRATIONS[0],
        MIGRATIONS[1],
        Migration {
            number: 3,
            name: "broken",
            text: "CREATE TABLE third (a TEXT);\nCREATE nonsense;\n",
            tenant_tables: &[],
        },
    ];
    const OLDER: &[Migration] = &[MIGRATIONS[0]];
    let place = Place::new();
    let mut all = vec![place.sqlite()];
    all.extend(place.postgres().await.map(|(owner, _)| owner));
    for db in all {
        assert_eq!(db.schema_version().await, Ok(0));
        assert_eq!(db.pending_migrations(MIGRATIONS).await, Ok(vec![1, 2]));
        assert_eq!(db.migrate(OLDER, NOW).await, Ok(1));
        assert_eq!(db.pending_migrations(MIGRATIONS).await, Ok(vec![2]));
        assert_eq!(db.migrate(MIGRATIONS, NOW).await, Ok(2));
        assert_eq!(db.migrate(MIGRATIONS, NOW).await, Ok(2));
        assert_eq!(db.schema_version().await, Ok(2));
        for refused in [CHANGED, OLDER, BROKEN] {
            assert!(matches!(
                db.migrate(refused, NOW).await,
                Err(DbError::Schema(_))
            ));
        }
        assert!(matches!(
            db.pending_migrations(OLDER).await,
            Err(DbError::Schema(_))
        ));
        assert_eq!(
            db.schema_version().await,
            Ok(2),
            "a broken step leaves nothing"
        );
        assert!(
            db.check(&[Sql::across("SELECT a FROM third")])
                .await
                .is_err()
        );
        assert_eq!(
            db.check(&[INSERT, SELECT, IDS, GROW, SWAP, ENQUEUE, LEASE])
                .await,
            Ok(())
        );
        db.close().await;
    }
}

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
