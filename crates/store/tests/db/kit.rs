//! A database of its own for each test, and the statements that the tests use.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bailee_model::{Chance, TenantId, Timestamp};
use bailee_store::{
    Db, Guard, Migration, PgOptions, PgUrl, Scope, Script, Sql, SqliteOptions, values,
};

pub(crate) const ACME: TenantId = TenantId::from_bits(1);
pub(crate) const BOLT: TenantId = TenantId::from_bits(2);
pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_795_252_440_000);

pub(crate) const MIGRATIONS: &[Migration] = &[
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

pub(crate) const INSERT: Sql = Sql::tenant(
    "INSERT INTO thing (tenant_id, id, parent_id, size_bytes, content) VALUES ($1, $2, $3, $4, $5)",
);
pub(crate) const SELECT: Sql = Sql::tenant(
    "SELECT id, parent_id, size_bytes, content FROM thing WHERE tenant_id = $1 AND id = $2",
);
/// Read on the caller's thread where that can be.
pub(crate) const POINT: Sql =
    Sql::point("SELECT id FROM thing WHERE tenant_id = $1 AND id >= $2 ORDER BY id");
pub(crate) const IDS: Sql = Sql::across("SELECT id FROM thing ORDER BY id");
pub(crate) const GROW: Sql =
    Sql::tenant("UPDATE thing SET size_bytes = size_bytes + $3 WHERE tenant_id = $1 AND id = $2");
pub(crate) const SWAP: Sql = Sql::tenant(
    "UPDATE thing SET size_bytes = $4 WHERE tenant_id = $1 AND id = $2 AND size_bytes = $3",
);
pub(crate) const ENQUEUE: Sql =
    Sql::across("INSERT INTO queue (lease) VALUES ($1) RETURNING number");
pub(crate) const LEASE: Sql = Sql::across(
    "UPDATE queue SET lease = $1 WHERE number IN (SELECT number FROM queue WHERE lease IS NULL ORDER BY number LIMIT $2 {skip_locked}) RETURNING number, lease",
);

/// A database of its own for one test.
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
}

struct Fixed;

impl Chance for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x55);
    }
}

impl Place {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join("rows.db")
    }

    pub(crate) fn sqlite(&self) -> Db {
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
    pub(crate) async fn each(&self) -> Vec<Db> {
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
    pub(crate) async fn postgres(&self) -> Option<(Db, Db)> {
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

pub(crate) fn insert(tenant: TenantId, id: &str) -> Script {
    let mut script = Script::tenant(tenant);
    script.push(
        INSERT,
        values![tenant, id, None::<&str>, 0i64, None::<Vec<u8>>],
        Guard::One,
        "thing exists",
    );
    script
}

pub(crate) async fn ids(db: &Db, scope: Scope) -> Vec<String> {
    let rows = db.fetch(scope, IDS, vec![]).await.unwrap();
    rows.iter()
        .map(|row| row.text(0).unwrap().to_owned())
        .collect()
}

pub(crate) async fn size_bytes(db: &Db, id: &str) -> i64 {
    db.fetch(Scope::Tenant(ACME), SELECT, values![ACME, id])
        .await
        .unwrap()[0]
        .int(2)
        .unwrap()
}
