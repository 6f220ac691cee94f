//! PostgreSQL: a pool of connections; a script is one transaction in two round trips.
//!
//! All statements of a script are sent before the first answer is read (nothing in it depends on an earlier answer),
//! then guards are judged in order, then COMMIT or ROLLBACK is sent. A script that loses against another one
//! (serialization failure, deadlock) is run again as a whole.

mod convert;
mod migration;
mod notify;
mod tls;
mod transaction;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bailee_model::{Chance, Timestamp};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio::sync::watch;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use self::convert::{Fault, failure};
use self::notify::Notifier;
use super::limit::{CONNECT_WAIT, CONNECTION_WAIT, RETRY_PAUSE_FIRST, SCRIPT_TRIES_MAX};
use super::migrate::{Migration, Plan};
use super::script::Done;
use super::{DbError, Row, Scope, Script, Sql, Value};

/// The URL of a PostgreSQL database, with its password: `postgres://role:password@host/database?sslmode=require`.
///
/// With `sslmode=require` the connection is encrypted and the server's certificate is verified against the roots of
/// the operating system and the host's name. Otherwise it is not encrypted.
#[derive(Clone)]
pub struct PgUrl(String);

impl PgUrl {
    /// Keeps the URL; it is read when the database is opened.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }
}

impl fmt::Debug for PgUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PgUrl(hidden)")
    }
}

/// How a PostgreSQL database is opened.
#[derive(Clone)]
pub struct PgOptions {
    /// Most connections of this node, besides one that listens.
    pub connections_max: usize,
    /// Spreads the pauses of scripts that are run again.
    pub chance: Arc<dyn Chance>,
}

#[derive(Clone)]
pub(super) struct Postgres {
    pool: Pool,
    chance: Arc<dyn Chance>,
    notifier: Arc<Notifier>,
}

impl Postgres {
    /// Connects once, to find mistakes in the settings, and starts to listen for commits of other nodes.
    pub(super) async fn open(url: PgUrl, options: PgOptions) -> Result<Self, DbError> {
        let mut config: Config = url
            .0
            .parse()
            .map_err(|_| DbError::Refused("the URL of the database cannot be read".to_owned()))?;
        if config.get_application_name().is_none() {
            config.application_name("bailee");
        }
        config.connect_timeout(CONNECT_WAIT);
        let tls = match config.get_ssl_mode() {
            SslMode::Require => Some(tls::connector()?),
            _ => None,
        };
        let pool = pool(&config, tls.clone(), options.connections_max)?;
        let client = pool.get().await.map_err(|error| unreached(&error))?;
        warn_of_weak_settings(&client).await?;
        drop(client);
        let notifier = Arc::new(Notifier::start(config, tls));
        Ok(Self {
            pool,
            chance: options.chance,
            notifier,
        })
    }

    /// Runs the script to its end even if the caller goes away: a connection must not return to the pool with an open
    /// transaction.
    pub(super) async fn run(&self, script: Script) -> Result<Done, DbError> {
        let this = self.clone();
        let task = tokio::spawn(async move { this.run_with_retries(&script).await });
        task.await
            .map_err(|_| DbError::Unavailable("the task of the script ended".to_owned()))?
    }

    async fn run_with_retries(&self, script: &Script) -> Result<Done, DbError> {
        let mut tries = 1;
        loop {
            let client = self.client().await?;
            match transaction::run(&client, script).await {
                Ok(done) => {
                    self.notifier.committed();
                    return Ok(done);
                }
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Again(error)) if tries == SCRIPT_TRIES_MAX => return Err(error),
                Err(Fault::Stale(error)) if tries == SCRIPT_TRIES_MAX => return Err(error),
                Err(Fault::Again(_)) => {}
                Err(Fault::Stale(_)) => client.statement_cache.clear(),
            }
            drop(client);
            tokio::time::sleep(self.pause(tries)).await;
            tries += 1;
        }
    }

    pub(super) async fn fetch(
        &self,
        scope: Scope,
        sql: Sql,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, DbError> {
        let client = self.client().await?;
        match transaction::fetch(&client, scope, sql, &values).await {
            Ok(rows) => Ok(rows),
            Err(Fault::Final(error)) => Err(error),
            // A reading transaction changes nothing, so a second try is always safe.
            Err(Fault::Again(_) | Fault::Stale(_)) => {
                client.statement_cache.clear();
                transaction::fetch(&client, scope, sql, &values)
                    .await
                    .map_err(Fault::into_error)
            }
        }
    }

    pub(super) async fn migrate(
        &self,
        migrations: &'static [Migration],
        now: Timestamp,
    ) -> Result<u32, DbError> {
        let mut client = self.client().await?;
        migration::apply(&mut client, Plan { migrations, now }).await
    }

    pub(super) async fn check(&self, statements: Vec<Sql>) -> Result<(), DbError> {
        let client = self.client().await?;
        for sql in statements {
            let prepared = client.prepare(&sql.for_postgres()).await;
            prepared.map_err(|error| convert::statement_fault(&error, sql, None).into_error())?;
        }
        Ok(())
    }

    pub(super) fn watch_commits(&self) -> watch::Receiver<u64> {
        self.notifier.watch()
    }

    pub(super) fn close(&self) {
        self.pool.close();
        self.notifier.stop();
    }

    async fn client(&self) -> Result<Object, DbError> {
        self.pool.get().await.map_err(|error| unreached(&error))
    }

    /// A random time that grows with each try.
    fn pause(&self, tries: u32) -> Duration {
        let mut random = [0; 2];
        self.chance.fill(&mut random);
        let longest = RETRY_PAUSE_FIRST.saturating_mul(1 << tries.min(8));
        longest.mul_f64(f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX))
    }
}

fn pool(
    config: &Config,
    tls: Option<tls::Connector>,
    connections_max: usize,
) -> Result<Pool, DbError> {
    let manager_config = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = match tls {
        Some(tls) => Manager::from_config(config.clone(), tls, manager_config),
        None => Manager::from_config(config.clone(), tokio_postgres::NoTls, manager_config),
    };
    Pool::builder(manager)
        .max_size(connections_max.max(1))
        .wait_timeout(Some(CONNECTION_WAIT))
        .create_timeout(Some(CONNECT_WAIT))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| DbError::Refused(error.to_string()))
}

/// Settings of the server that quietly take away what this layer promises.
async fn warn_of_weak_settings(client: &Object) -> Result<(), DbError> {
    let row = client
        .query_one(
            "SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on',
                    (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)",
            &[],
        )
        .await
        .map_err(|error| failure(&error))?;
    let read = |column| {
        row.try_get::<_, bool>(column)
            .map_err(|error| failure(&error))
    };
    if !read(0)? {
        tracing::warn!(
            "the server runs with fsync or full_page_writes off: a power failure may damage the database"
        );
    }
    if read(1)? {
        tracing::warn!(
            "the role of the database is not held by row-level policies; give Bailee a role of its own"
        );
    }
    Ok(())
}

fn unreached(error: &deadpool_postgres::PoolError) -> DbError {
    match error {
        deadpool_postgres::PoolError::Closed => DbError::closed(),
        deadpool_postgres::PoolError::Backend(error) => failure(error),
        other => DbError::Unavailable(other.to_string()),
    }
}
