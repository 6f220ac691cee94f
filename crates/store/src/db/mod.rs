//! The database: one text of each statement for SQLite and PostgreSQL, and transactions as one-shot scripts.
//!
//! Reads happen first, by [`Db::fetch`]. A write is a [`Script`]: a list of statements with guards, sent as one message
//! and run atomically. If a guard fails all is undone, the caller gets a named conflict and may read again and decide
//! again. Thus no transaction is ever open while anything else happens. An acknowledged script is on the disk
//! ([`Durability::Synced`]), and whoever fetches after the acknowledgement sees it.
//!
//! A script that was sent runs to its end even if its caller goes away. A reader may see a commit shortly before it is
//! on the disk; what it is told then can be lost by a power failure, but was never acknowledged to its writer.
//!
//! Absent on purpose: interactive transactions, statements built at run time, and knowledge of any table.

mod error;
mod limit;
mod migrate;
mod postgres;
mod script;
mod sql;
mod sqlite;
mod value;

use std::path::Path;
use std::sync::Arc;

use bailee_model::Timestamp;
use tokio::sync::watch;

pub use self::error::DbError;
pub use self::migrate::Migration;
pub use self::postgres::{PgOptions, PgUrl};
pub use self::script::{Durability, Guard, Scope, Script};
pub use self::sql::Sql;
pub use self::sqlite::SqliteOptions;
pub use self::value::{IntoValue, Row, Value};

use self::migrate::Applied;
use self::postgres::Postgres;
use self::script::Done;
use self::sqlite::Sqlite;

/// An open database. Clones share it; it is closed by [`Db::close`] or when the last clone is dropped.
#[derive(Clone)]
pub struct Db {
    database: Database,
}

#[derive(Clone)]
enum Database {
    Sqlite(Arc<Sqlite>),
    Postgres(Postgres),
}

impl Db {
    /// Opens a SQLite database file and holds it for this process alone. Blocks for the time of a few file operations.
    ///
    /// Refuses if another process holds it, if it is missing and must not be made, or if its log is missing though it
    /// was not closed in order.
    pub fn open_sqlite(path: &Path, options: SqliteOptions) -> Result<Self, DbError> {
        Ok(Self {
            database: Database::Sqlite(Arc::new(Sqlite::open(path, options)?)),
        })
    }

    /// Connects to a PostgreSQL database.
    pub async fn open_postgres(url: PgUrl, options: PgOptions) -> Result<Self, DbError> {
        Ok(Self {
            database: Database::Postgres(Postgres::open(url, options).await?),
        })
    }

    /// Runs a script as one transaction and returns how many rows each statement changed (or returned).
    pub async fn run(&self, script: Script) -> Result<Vec<u64>, DbError> {
        Ok(self.perform(script).await?.changed)
    }

    /// As [`Db::run`], and returns the rows that each statement returned by RETURNING or SELECT.
    pub async fn run_returning(&self, script: Script) -> Result<Vec<Vec<Row>>, DbError> {
        Ok(self.perform(script).await?.rows)
    }

    async fn perform(&self, script: Script) -> Result<Done, DbError> {
        script.check()?;
        if script.is_empty() {
            return Ok(Done::default());
        }
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.run(script).await,
            Database::Postgres(postgres) => postgres.run(script).await,
        }
    }

    /// Reads rows. All scripts acknowledged before are visible.
    pub async fn fetch(
        &self,
        scope: Scope,
        sql: Sql,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        scope.admit(sql, &values)?;
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.fetch(sql, values).await,
            Database::Postgres(postgres) => postgres.fetch(scope, sql, values).await,
        }
    }

    /// Applies the migrations that are not applied yet and returns the number of the newest.
    ///
    /// Refuses if the database has a migration that is not among them, or had other texts. On PostgreSQL the role must
    /// own the schema.
    pub async fn migrate(
        &self,
        migrations: &'static [Migration],
        now: Timestamp,
    ) -> Result<u32, DbError> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.migrate(migrations, now).await,
            Database::Postgres(postgres) => postgres.migrate(migrations, now).await,
        }
    }

    /// The numbers of the migrations that `migrate` would apply, after the same checks; changes nothing.
    pub async fn pending_migrations(
        &self,
        migrations: &'static [Migration],
    ) -> Result<Vec<u32>, DbError> {
        let applied = self.applied().await?;
        Ok(migrate::pending(migrations, &applied)?
            .iter()
            .map(|migration| migration.number)
            .collect())
    }

    /// The number of the newest applied migration; 0 for an empty database.
    pub async fn schema_version(&self) -> Result<u32, DbError> {
        let newest = self.applied().await?.last().map_or(0, |line| line.number);
        u32::try_from(newest)
            .map_err(|_| DbError::Schema(format!("{newest} is no number of a migration")))
    }

    async fn applied(&self) -> Result<Vec<Applied>, DbError> {
        const HAS_SQLITE: Sql =
            Sql::across("SELECT name FROM sqlite_schema WHERE name = 'schema_migration'");
        const HAS_POSTGRES: Sql = Sql::across(
            "SELECT 'schema_migration' WHERE to_regclass('schema_migration') IS NOT NULL",
        );
        const LINES: Sql = Sql::across(migrate::APPLIED);
        let has = match &self.database {
            Database::Sqlite(_) => HAS_SQLITE,
            Database::Postgres(_) => HAS_POSTGRES,
        };
        if self.fetch(Scope::Across, has, Vec::new()).await?.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.fetch(Scope::Across, LINES, Vec::new()).await?;
        rows.iter()
            .map(|row| {
                Ok(Applied {
                    number: row.int(0)?,
                    checksum: row.text(1)?.to_owned(),
                })
            })
            .collect()
    }

    /// Prepares each statement without running it: finds unknown tables and columns and texts that this database does
    /// not take. For the test that prepares every listed statement on both databases.
    pub async fn check(&self, statements: &[Sql]) -> Result<(), DbError> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.check(statements.to_vec()).await,
            Database::Postgres(postgres) => postgres.check(statements.to_vec()).await,
        }
    }

    /// A number that grows after commits, of this node at once and on PostgreSQL of other nodes soon after. It wakes
    /// whoever looks for work; several commits may be one step, and a step of another node may get lost.
    pub fn committed(&self) -> watch::Receiver<u64> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.committed(),
            Database::Postgres(postgres) => postgres.watch_commits(),
        }
    }

    /// How often SQLite's log was synced for acknowledgements; 0 on PostgreSQL, whose server does it.
    pub fn sync_count(&self) -> u64 {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.sync_count(),
            Database::Postgres(_) => 0,
        }
    }

    /// Finishes what was sent before and closes the database for all clones. On SQLite the file is unlocked when this
    /// returns.
    pub async fn close(&self) {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.close().await,
            Database::Postgres(postgres) => postgres.close(),
        }
    }
}
