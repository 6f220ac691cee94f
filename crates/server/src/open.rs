//! Opens what an installation consists of: database, root key, blob folder; and makes them at a first start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bailee_core::{Core, CoreParts, CoreSettings, KeyEnv, SYSTEM_TENANT};
use bailee_model::Clock as _;
use bailee_store::{Db, MIGRATIONS, PgOptions, PgUrl, SqliteOptions, Store};
use bailee_vault::{Disk, RootKey, Vault, VaultLimits};
use secrecy::ExposeSecret as _;

use crate::config::{Config, DatabaseKind};
use crate::system::{SystemChance, SystemClock};

/// Whether pending migrations of an existing database are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrate {
    /// They are.
    Yes,
    /// They are a reason not to start. A new database gets its schema all the same.
    No,
}

/// Whether this is a development server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For work.
    Production,
    /// On this machine, with a certificate, tenant and key of its own.
    Development,
}

/// Opens the database and brings its schema up to date. Whether it is new: nothing is sealed in it yet.
pub async fn database(config: &Config, migrate: Migrate) -> Result<(Db, bool)> {
    let db = match config.database.kind {
        DatabaseKind::Sqlite => {
            let path = config.data.path.join("bailee.db");
            let options = SqliteOptions {
                create: true,
                ..SqliteOptions::default()
            };
            Db::open_sqlite(&path, options)
                .with_context(|| format!("cannot open {}", path.display()))?
        }
        DatabaseKind::Postgres => {
            let url = config
                .database
                .url()?
                .context("set database.url_file or BAILEE__DATABASE__URL")?;
            let options = PgOptions {
                connections_max: config.database.pool as usize,
                chance: Arc::new(SystemChance::default()),
            };
            let url = PgUrl::new(url.expose_secret());
            Db::open_postgres(url, options)
                .await
                .context("cannot open the database")?
        }
    };
    let is_blank = db.schema_version().await? == 0;
    let pending = db.pending_migrations(MIGRATIONS).await?;
    if !pending.is_empty() {
        if !is_blank && migrate == Migrate::No {
            bail!(
                "the database needs migrations {pending:?}: run `bailee migrate`, or `bailee serve --migrate`"
            );
        }
        db.migrate(MIGRATIONS, SystemClock.now())
            .await
            .context("cannot migrate the database")?;
    }
    // A schema alone holds nothing that a root key sealed.
    let first = Store::new(db.clone())
        .identity()
        .reader(SYSTEM_TENANT)
        .own_tenant()
        .await
        .context("cannot read the database")?;
    Ok((db, first.is_none()))
}

/// Opens the core over a database.
pub async fn core(config: &Config, db: (Db, bool), mode: Mode) -> Result<Core> {
    let (db, is_new) = db;
    let root_key = root_key(config, is_new)?;
    let disk = Disk::open(&config.data.path).context("cannot open the folder of sealed bytes")?;
    let parts = CoreParts {
        store: Store::new(db),
        vault: Vault::new(
            disk,
            VaultLimits {
                blob_bytes_max: config.uploads.max_file_bytes,
            },
        ),
        root_key,
        clock: Arc::new(SystemClock),
        chance: Arc::new(SystemChance::default()),
        settings: CoreSettings {
            file_bytes_max: config.uploads.max_file_bytes,
            transfers_open_max: config.transfers.open_per_tenant,
            events_kept: Duration::from_secs(config.events.kept_seconds),
            plain_http_receivers: mode == Mode::Development,
            key_env: if mode == Mode::Development {
                KeyEnv::Dev
            } else {
                KeyEnv::Live
            },
            local_folders: config
                .local
                .allow_folders
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            secret_variables: config.secrets.allow_variables.clone(),
            secret_files: config
                .secrets
                .allow_files
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
        },
    };
    Core::open(parts)
        .await
        .context("the database and the root key do not belong together, or rows are damaged")
}

/// The root key: given by the operator, or a file in the data folder that a first start makes. A database that is in
/// use with the key gone is an error, never a new key.
fn root_key(config: &Config, is_new: bool) -> Result<RootKey> {
    if let Some(text) = config.keys.root_key()? {
        let bytes =
            hex(text.expose_secret().trim()).context("the root key is 64 hexadecimal digits")?;
        return Ok(RootKey::from_bytes(bytes));
    }
    let path: PathBuf = config.data.path.join("root.key");
    if is_new || path.exists() {
        return RootKey::load_or_create(&path, &SystemChance::default())
            .context("cannot open the root key");
    }
    bail!(
        "{} is missing, and without it nothing stored can be opened: restore it from your backup",
        path.display()
    )
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Makes the data folder, for nobody else to read.
pub fn folder(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make {}", path.display()))
}
