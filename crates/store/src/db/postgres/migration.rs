use deadpool_postgres::{Object, Transaction};
use tokio_postgres::Error;

use super::super::DbError;
use super::super::migrate::{APPLIED, Applied, CREATE, Migration, Plan, RECORD, pending};
use super::super::sql::fill_postgres;
use super::convert::failure;

/// One node migrates at a time; the number is arbitrary but fixed.
const LOCK: &str = "SELECT pg_advisory_xact_lock(4812960317)";

/// What every table with rows of tenants gets. FORCE holds the owner to it as well; `*` is the setting of scripts that
/// work across tenants.
const POLICY: &str = "
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
CREATE POLICY bailee_tenant ON {table}
    USING (tenant_id = current_setting('bailee.tenant', true) OR current_setting('bailee.tenant', true) = '*')
    WITH CHECK (tenant_id = current_setting('bailee.tenant', true) OR current_setting('bailee.tenant', true) = '*');
";

/// The role that runs the server, if the operator made one: it reads and writes rows but not the schema.
const GRANT: &str = "
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bailee_app') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO bailee_app', current_schema());
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO bailee_app', current_schema());
        REVOKE INSERT, UPDATE, DELETE ON schema_migration FROM bailee_app;
    END IF;
END $$
";

/// Applies what is pending, all in one transaction, and returns the number of the newest migration.
pub(super) async fn apply(client: &mut Object, plan: Plan) -> Result<u32, DbError> {
    let transaction = client
        .transaction()
        .await
        .map_err(|error| failure(&error))?;
    transaction
        .batch_execute(LOCK)
        .await
        .map_err(|error| failure(&error))?;
    // Steps may move rows of every tenant.
    let setting = "SELECT set_config('bailee.tenant', '*', true)";
    transaction
        .batch_execute(setting)
        .await
        .map_err(|error| failure(&error))?;
    transaction
        .batch_execute(CREATE)
        .await
        .map_err(|error| failure(&error))?;
    let pending = pending(plan.migrations, &applied(&transaction).await?)?;
    for migration in pending {
        apply_one(&transaction, migration, plan.now.ms())
            .await
            .map_err(|error| {
                DbError::Schema(format!(
                    "migration {} ({}): {}",
                    migration.number,
                    migration.name,
                    failure(&error)
                ))
            })?;
    }
    if !pending.is_empty() {
        transaction
            .batch_execute(GRANT)
            .await
            .map_err(|error| failure(&error))?;
    }
    transaction
        .commit()
        .await
        .map_err(|error| failure(&error))?;
    for migration in pending {
        tracing::info!(migration.number, migration.name, "migration applied");
    }
    Ok(plan
        .migrations
        .last()
        .map_or(0, |migration| migration.number))
}

async fn apply_one(
    transaction: &Transaction<'_>,
    migration: &Migration,
    now_ms: i64,
) -> Result<(), Error> {
    for statement in migration.statements() {
        transaction.batch_execute(&fill_postgres(statement)).await?;
    }
    for table in migration.tenant_tables {
        transaction
            .batch_execute(&POLICY.replace("{table}", table))
            .await?;
    }
    let (number, checksum) = (i64::from(migration.number), migration.checksum());
    transaction
        .execute(RECORD, &[&number, &migration.name, &checksum, &now_ms])
        .await?;
    Ok(())
}

async fn applied(transaction: &Transaction<'_>) -> Result<Vec<Applied>, DbError> {
    let rows = transaction
        .query(APPLIED, &[])
        .await
        .map_err(|error| failure(&error))?;
    let read = |row: &tokio_postgres::Row| {
        Ok(Applied {
            number: row.try_get(0)?,
            checksum: row.try_get(1)?,
        })
    };
    rows.iter()
        .map(read)
        .collect::<Result<_, Error>>()
        .map_err(|error| failure(&error))
}
