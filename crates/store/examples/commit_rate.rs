//! How many scripts a second SQLite acknowledges, beside the rate of bare syncs of the same disk.
//!
//! `cargo run --release -p bailee-store --example commit_rate [folder]`. Compare only figures of one run: a busy disk
//! moves them all.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bailee_model::{TenantId, Timestamp};
use bailee_store::{Db, Durability, Guard, Migration, Scope, Script, Sql, SqliteOptions, values};

const TENANT: TenantId = TenantId::from_bits(1);
const MEASURE: Duration = Duration::from_secs(3);
const CONTENT_BYTES: usize = 512;
const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "rows to write",
    text: "CREATE TABLE item (tenant_id TEXT NOT NULL, id TEXT NOT NULL, content {bytes}, PRIMARY KEY (tenant_id, id));
CREATE TABLE tally (tenant_id TEXT NOT NULL PRIMARY KEY, items BIGINT NOT NULL);\n",
    tenant_tables: &[],
}];
const BEGIN_TALLY: Sql = Sql::tenant("INSERT INTO tally (tenant_id, items) VALUES ($1, $2)");
const INSERT: Sql = Sql::tenant("INSERT INTO item (tenant_id, id, content) VALUES ($1, $2, $3)");
const COUNT: Sql = Sql::tenant("UPDATE tally SET items = items + 1 WHERE tenant_id = $1");
const READ: Sql = Sql::tenant("SELECT items FROM tally WHERE tenant_id = $1");

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("bailee-commit-rate-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let measured = measure(&folder).await;
    std::fs::remove_dir_all(&folder)?;
    measured
}

async fn measure(folder: &Path) -> Result<(), Box<dyn Error>> {
    println!(
        "bare 4 KiB append + fdatasync      {:>9.0}/s",
        bare_syncs(folder)?
    );
    let db = Db::open_sqlite(
        &folder.join("rows.db"),
        SqliteOptions {
            create: true,
            ..SqliteOptions::default()
        },
    )?;
    db.migrate(MIGRATIONS, Timestamp::from_ms(0)).await?;
    let mut script = Script::tenant(TENANT);
    script.push(BEGIN_TALLY, values![TENANT, 0i64], Guard::One, "tally");
    db.run(script).await?;
    for clients in [1, 8, 32, 64, 256] {
        let syncs_before = db.sync_count();
        let scripts = write(&db, clients, Durability::Synced).await?;
        let syncs = (db.sync_count() - syncs_before).max(1);
        let (rate, share) = (per_second(scripts), scripts as f64 / syncs as f64);
        println!(
            "{clients:>3} clients, synced                {rate:>9.0}/s, {share:>6.1} scripts a sync"
        );
    }
    let logged = write(&db, 32, Durability::Logged).await?;
    println!(
        " 32 clients, logged                {:>9.0}/s",
        per_second(logged)
    );
    println!(
        " 32 clients, fetches               {:>9.0}/s",
        per_second(read(&db, 32).await?)
    );
    println!(
        "bare 4 KiB append + fdatasync      {:>9.0}/s",
        bare_syncs(folder)?
    );
    db.close().await;
    Ok(())
}

/// Appends a page and syncs it, one after the other.
fn bare_syncs(folder: &Path) -> Result<f64, Box<dyn Error>> {
    let mut file = File::create(folder.join("bare"))?;
    let begin = Instant::now();
    let mut syncs = 0u64;
    while begin.elapsed() < MEASURE {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(per_second(syncs))
}

/// Each client inserts a row and counts it, waits for the answer, and goes on.
async fn write(db: &Db, clients: usize, durability: Durability) -> Result<u64, Box<dyn Error>> {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut scripts = 0u64;
                while begin.elapsed() < MEASURE {
                    let id = format!("{clients}-{client}-{durability:?}-{scripts}");
                    let mut script = Script::tenant(TENANT);
                    script.push(
                        INSERT,
                        values![TENANT, id, vec![7u8; CONTENT_BYTES]],
                        Guard::One,
                        "item exists",
                    );
                    script.push(COUNT, values![TENANT], Guard::One, "no tally");
                    script.durability(durability);
                    db.run(script).await?;
                    scripts += 1;
                }
                Ok::<_, bailee_store::DbError>(scripts)
            })
        })
        .collect();
    let mut total = 0;
    for task in tasks {
        total += task.await??;
    }
    Ok(total)
}

async fn read(db: &Db, clients: usize) -> Result<u64, Box<dyn Error>> {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut fetches = 0u64;
                while begin.elapsed() < MEASURE {
                    db.fetch(Scope::Tenant(TENANT), READ, values![TENANT])
                        .await?;
                    fetches += 1;
                }
                Ok::<_, bailee_store::DbError>(fetches)
            })
        })
        .collect();
    let mut total = 0;
    for task in tasks {
        total += task.await??;
    }
    Ok(total)
}

fn per_second(count: u64) -> f64 {
    count as f64 / MEASURE.as_secs_f64()
}
