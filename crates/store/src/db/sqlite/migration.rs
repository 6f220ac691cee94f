use rusqlite::{Connection, OptionalExtension, params};

use super::super::migrate::{APPLIED, Applied, CREATE, Migration, Plan, RECORD, pending};
use super::super::sql::fill_sqlite;
use super::super::{DbError, Sql};
use super::convert::failure;

/// Applies what is pending in one transaction each and returns the number of the newest migration.
pub(super) fn apply(conn: &mut Connection, plan: Plan) -> Result<u32, DbError> {
    // A table is changed by making a new one and dropping the old; with foreign keys on that would delete rows. The
    // setting has no effect inside a transaction, so it stands around it, and each step checks all keys at its end.
    conn.pragma_update(None, "foreign_keys", "OFF")
        .map_err(|error| failure(&error))?;
    let applied = apply_pending(conn, plan);
    conn.pragma_update(None, "foreign_keys", "ON")
        .map_err(|error| failure(&error))?;
    let number = applied?;
    // The checkpoint syncs log and database, so the schema is on the disk when this returns.
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .map_err(|error| failure(&error))?;
    Ok(number)
}

fn apply_pending(conn: &mut Connection, plan: Plan) -> Result<u32, DbError> {
    conn.execute_batch(CREATE)
        .map_err(|error| failure(&error))?;
    for migration in pending(plan.migrations, &applied(conn)?)? {
        apply_one(conn, migration, plan.now.ms())?;
        tracing::info!(migration.number, migration.name, "migration applied");
    }
    Ok(plan
        .migrations
        .last()
        .map_or(0, |migration| migration.number))
}

fn apply_one(conn: &mut Connection, migration: &Migration, now_ms: i64) -> Result<(), DbError> {
    let failed = |error: rusqlite::Error| {
        DbError::Schema(format!(
            "migration {} ({}): {error}",
            migration.number, migration.name
        ))
    };
    // Dropped without a commit it rolls back.
    let transaction = conn
        .transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)
        .map_err(failed)?;
    for statement in migration.statements() {
        transaction
            .execute_batch(&fill_sqlite(statement))
            .map_err(failed)?;
    }
    let broken: Option<String> = transaction
        .query_row("PRAGMA foreign_key_check", [], |row| row.get(0))
        .optional()
        .map_err(failed)?;
    if let Some(table) = broken {
        return Err(DbError::Schema(format!(
            "migration {} breaks foreign keys of {table}",
            migration.number
        )));
    }
    let record = Sql::across(RECORD).for_sqlite();
    transaction
        .execute(
            &record,
            params![
                migration.number,
                migration.name,
                migration.checksum(),
                now_ms
            ],
        )
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}

fn applied(conn: &Connection) -> Result<Vec<Applied>, DbError> {
    conn.prepare(APPLIED)
        .and_then(|mut statement| {
            let lines = statement.query_map([], |row| {
                Ok(Applied {
                    number: row.get(0)?,
                    checksum: row.get(1)?,
                })
            })?;
            lines.collect()
        })
        .map_err(|error| failure(&error))
}

/// Prepares each statement, which finds unknown tables and columns without running anything.
pub(super) fn prepare_all(conn: &Connection, statements: &[Sql]) -> Result<(), DbError> {
    for sql in statements {
        conn.prepare(&sql.for_sqlite())
            .map_err(|error| DbError::Statement {
                statement: sql.text(),
                detail: error.to_string(),
            })?;
    }
    Ok(())
}
