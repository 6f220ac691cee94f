//! Statements, values and errors between our types and SQLite's.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::ffi::{
    SQLITE_CONSTRAINT_CHECK, SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY,
};
use rusqlite::ffi::{SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, ErrorCode, ToSql};

use super::super::{DbError, Row, Sql, Value};

/// The texts of statements as SQLite takes them, by address of the constant.
#[derive(Default)]
pub(super) struct Texts(HashMap<(usize, usize), Arc<str>>);

impl Texts {
    fn of(&mut self, sql: Sql) -> Arc<str> {
        let text = sql.text();
        let filled = self
            .0
            .entry((text.as_ptr().addr(), text.len()))
            .or_insert_with(|| sql.for_sqlite().into());
        Arc::clone(filled)
    }
}

/// What one statement did.
pub(super) struct Effect {
    pub(super) changed: u64,
    pub(super) rows: Vec<Row>,
}

/// Why one statement failed: in itself, or in a row that it returned.
pub(super) enum Fault {
    Sqlite(Error),
    Db(DbError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Fault {
    /// The error to answer with, for a statement that has no name for a conflict.
    pub(super) fn plain(self, sql: Sql) -> DbError {
        match self {
            Self::Sqlite(error) => statement_failure(&error, sql.text()),
            Self::Db(error) => error,
        }
    }

    /// The error to answer with, for a statement whose constraint violations have a name.
    pub(super) fn named(self, sql: Sql, conflict: &'static str) -> DbError {
        match self {
            Self::Sqlite(error) if is_violation(&error) => DbError::Conflict(conflict),
            other => other.plain(sql),
        }
    }
}

/// Runs one statement; refuses to return more than `rows_max` rows.
pub(super) fn perform(
    conn: &Connection,
    texts: &mut Texts,
    (sql, values): (Sql, &[Value]),
    rows_max: usize,
) -> Result<Effect, Fault> {
    let mut statement = conn.prepare_cached(&texts.of(sql))?;
    if statement.parameter_count() != values.len() {
        return Err(Error::InvalidParameterCount(values.len(), statement.parameter_count()).into());
    }
    for (at, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(at + 1, value)?;
    }
    let columns = statement.column_count();
    if columns == 0 {
        let changed = statement.raw_execute()? as u64;
        return Ok(Effect {
            changed,
            rows: Vec::new(),
        });
    }
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if found.len() == rows_max {
            return Err(Fault::Db(DbError::TooMany {
                statement: sql.text(),
            }));
        }
        found.push(read(row, columns, sql)?);
    }
    Ok(Effect {
        changed: found.len() as u64,
        rows: found,
    })
}

fn read(row: &rusqlite::Row<'_>, columns: usize, sql: Sql) -> Result<Row, Fault> {
    let mut values = Vec::with_capacity(columns);
    for column in 0..columns {
        let wrong = |detail| {
            Fault::Db(DbError::Inconsistent {
                statement: sql.text(),
                column,
                detail,
            })
        };
        values.push(match row.get_ref(column)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(int) => Value::Int(int),
            ValueRef::Text(text) => Value::Text(
                std::str::from_utf8(text)
                    .map_err(|_| wrong("not UTF-8"))?
                    .to_owned(),
            ),
            ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
            ValueRef::Real(_) => return Err(wrong("a floating-point number")),
        });
    }
    Ok(Row::new(sql.text(), values))
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Int(int) => ValueRef::Integer(*int),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn is_violation(error: &Error) -> bool {
    const NAMED: [i32; 5] = [
        SQLITE_CONSTRAINT_UNIQUE,
        SQLITE_CONSTRAINT_PRIMARYKEY,
        SQLITE_CONSTRAINT_ROWID,
        SQLITE_CONSTRAINT_FOREIGNKEY,
        SQLITE_CONSTRAINT_CHECK,
    ];
    error
        .sqlite_error()
        .is_some_and(|error| NAMED.contains(&error.extended_code))
}

/// Whether another connection was in the way, and the same statement may succeed a moment later.
pub(super) fn is_busy(fault: &Fault) -> bool {
    let Fault::Sqlite(error) = fault else {
        return false;
    };
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// The error of something that is not one of our statements: opening, BEGIN, COMMIT.
pub(super) fn failure(error: &Error) -> DbError {
    condition(error).unwrap_or_else(|| DbError::Unavailable(error.to_string()))
}

fn statement_failure(error: &Error, statement: &'static str) -> DbError {
    condition(error).unwrap_or_else(|| DbError::Statement {
        statement,
        detail: detail(error),
    })
}

/// The database's reason without the statement's text, which the error has already.
fn detail(error: &Error) -> String {
    match error {
        Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

/// The conditions of the database as a whole.
fn condition(error: &Error) -> Option<DbError> {
    Some(match error.sqlite_error_code()? {
        ErrorCode::DiskFull => DbError::Full,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => DbError::Corrupt(error.to_string()),
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::OutOfMemory
        | ErrorCode::ReadOnly
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::OperationInterrupted => DbError::Unavailable(error.to_string()),
        _ => return None,
    })
}
