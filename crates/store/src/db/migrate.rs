//! Migrations: numbered texts that are applied once, in order, and never change afterwards.

use aws_lc_rs::digest;
use bailee_model::Timestamp;

use super::DbError;

/// One step of the schema. Its text serves both databases, with the holes of [`super::Sql`].
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// 1, 2, 3, … without gaps.
    pub number: u32,
    /// What it does, in a few words; shown to operators.
    pub name: &'static str,
    /// Its statements; each ends with a semicolon at the end of a line.
    pub text: &'static str,
    /// Tables that this step creates and that hold rows of tenants: on PostgreSQL they get row-level policies.
    pub tenant_tables: &'static [&'static str],
}

impl Migration {
    /// SHA-256 of what is applied, in hex.
    pub(super) fn checksum(&self) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [self.text].iter().chain(self.tenant_tables) {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        hex::encode(context.finish().as_ref())
    }

    /// The statements one by one, holes unfilled.
    pub(super) fn statements(&self) -> impl Iterator<Item = &'static str> {
        self.text
            .split(";\n")
            .map(|part| part.trim().trim_end_matches(';'))
            .filter(|part| !part.is_empty())
    }
}

/// A line of `schema_migration`: what was applied.
pub(super) struct Applied {
    pub(super) number: i64,
    pub(super) checksum: String,
}

pub(super) const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)";
pub(super) const APPLIED: &str = "SELECT number, checksum FROM schema_migration ORDER BY number";
pub(super) const RECORD: &str =
    "INSERT INTO schema_migration (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";

/// What `migrate` is to apply, and when it happens.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) migrations: &'static [Migration],
    pub(super) now: Timestamp,
}

/// The migrations that are still to be applied, after a check of those that were: the database must not know a
/// migration that this program does not know, and texts must be what they were.
pub(super) fn pending(
    known: &'static [Migration],
    applied: &[Applied],
) -> Result<&'static [Migration], DbError> {
    let mut before = 0;
    for migration in known {
        if migration.number <= before {
            return Err(DbError::Schema(format!(
                "migration {} stands behind migration {before}",
                migration.number,
            )));
        }
        before = migration.number;
    }
    for (at, line) in applied.iter().enumerate() {
        let Some(migration) = known.get(at) else {
            return Err(DbError::Schema(format!(
                "the database has migration {}, this program knows {}; it needs a newer program",
                line.number,
                known.len()
            )));
        };
        if i64::from(migration.number) != line.number {
            return Err(DbError::Schema(format!(
                "migration {} is missing",
                migration.number
            )));
        }
        if migration.checksum() != line.checksum {
            return Err(DbError::Schema(format!(
                "migration {} ({}) is not the one that was applied",
                migration.number, migration.name
            )));
        }
    }
    Ok(known.get(applied.len()..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_with_a_semicolon_at_the_end_of_a_line() {
        let migration = Migration {
            number: 1,
            name: "first",
            text: "CREATE TABLE a (b TEXT DEFAULT ';');\nCREATE TABLE c (\n  d TEXT\n);\n\n",
            tenant_tables: &[],
        };
        let statements: Vec<_> = migration.statements().collect();
        assert_eq!(
            statements,
            [
                "CREATE TABLE a (b TEXT DEFAULT ';')",
                "CREATE TABLE c (\n  d TEXT\n)"
            ]
        );
    }
}
