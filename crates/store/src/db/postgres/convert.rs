//! Values, rows and errors between our types and PostgreSQL's.

use std::error::Error as StdError;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::super::{DbError, Row, Sql, Value};

/// Why a script or fetch failed, and whether running it again as a whole may help.
pub(super) enum Fault {
    /// It would fail again.
    Final(DbError),
    /// It lost against another script and was undone.
    Again(DbError),
    /// A prepared statement is older than the schema; it was undone.
    Stale(DbError),
}

impl Fault {
    pub(super) fn into_error(self) -> DbError {
        match self {
            Self::Final(error) | Self::Again(error) | Self::Stale(error) => error,
        }
    }
}

/// Binds a value as the type that the prepared statement asks for.
impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Text(text) if <&str as ToSql>::accepts(ty) => text.as_str().to_sql(ty, out),
            Self::Bytes(bytes) if *ty == Type::BYTEA => bytes.to_sql(ty, out),
            Self::Int(int) if *ty == Type::INT8 => int.to_sql(ty, out),
            Self::Int(int) if *ty == Type::INT4 => i32::try_from(*int)?.to_sql(ty, out),
            Self::Int(int) if *ty == Type::BOOL => (*int != 0).to_sql(ty, out),
            _ => Err(format!("a value of another kind than {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Reads a row whatever its columns are, as long as our schema uses such columns.
pub(super) fn read(row: &tokio_postgres::Row, sql: Sql) -> Result<Row, DbError> {
    let mut values = Vec::with_capacity(row.len());
    for (at, column) in row.columns().iter().enumerate() {
        let wrong = |detail| DbError::Inconsistent {
            statement: sql.text(),
            column: at,
            detail,
        };
        let ty = column.type_();
        let value = if *ty == Type::INT8 {
            row.try_get::<_, Option<i64>>(at)
                .map(|int| int.map(Value::Int))
        } else if *ty == Type::INT4 {
            row.try_get::<_, Option<i32>>(at)
                .map(|int| int.map(|int| Value::Int(i64::from(int))))
        } else if *ty == Type::BOOL {
            row.try_get::<_, Option<bool>>(at)
                .map(|bool| bool.map(|bool| Value::Int(i64::from(bool))))
        } else if *ty == Type::BYTEA {
            row.try_get::<_, Option<Vec<u8>>>(at)
                .map(|bytes| bytes.map(Value::Bytes))
        } else if *ty == Type::TEXT || *ty == Type::VARCHAR || *ty == Type::NAME {
            row.try_get::<_, Option<String>>(at)
                .map(|text| text.map(Value::Text))
        } else {
            return Err(wrong("a type that is not ours; cast it in the statement"));
        };
        values.push(
            value
                .map_err(|_| wrong("not as its type says"))?
                .unwrap_or(Value::Null),
        );
    }
    Ok(Row::new(sql.text(), values))
}

/// The fault of one of our statements; constraint violations get the name `conflict` if there is one.
pub(super) fn statement_fault(error: &Error, sql: Sql, conflict: Option<&'static str>) -> Fault {
    const NAMED: [&SqlState; 3] = [
        &SqlState::UNIQUE_VIOLATION,
        &SqlState::FOREIGN_KEY_VIOLATION,
        &SqlState::CHECK_VIOLATION,
    ];
    let statement = sql.text();
    let Some(code) = error.code() else {
        // Without a code it is the connection, or a value that could not be bound.
        return Fault::Final(if error.is_closed() || is_io(error) {
            failure(error)
        } else {
            DbError::Statement {
                statement,
                detail: with_source(error),
            }
        });
    };
    if let (Some(conflict), true) = (conflict, NAMED.contains(&code)) {
        return Fault::Final(DbError::Conflict(conflict));
    }
    if *code == SqlState::FEATURE_NOT_SUPPORTED || *code == SqlState::INVALID_SQL_STATEMENT_NAME {
        // "cached plan must not change result type", or a pooler between us and the server.
        return Fault::Stale(DbError::Statement {
            statement,
            detail: message(error),
        });
    }
    if is_lost_race(code) {
        return Fault::Again(failure(error));
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE && message(error).contains("row-level security") {
        return Fault::Final(DbError::Foreign { statement });
    }
    Fault::Final(condition(error).unwrap_or_else(|| DbError::Statement {
        statement,
        detail: message(error),
    }))
}

/// The fault of BEGIN, COMMIT and the like.
pub(super) fn frame_fault(error: &Error) -> Fault {
    if error.code().is_some_and(is_lost_race) {
        Fault::Again(failure(error))
    } else {
        Fault::Final(failure(error))
    }
}

/// The error of something that is not one of our statements.
pub(super) fn failure(error: &Error) -> DbError {
    condition(error).unwrap_or_else(|| DbError::Unavailable(message(error)))
}

fn is_lost_race(code: &SqlState) -> bool {
    *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
}

/// The conditions of the database as a whole, by the class of the code.
fn condition(error: &Error) -> Option<DbError> {
    let code = error.code()?;
    Some(match (code.code().get(..2)?, code) {
        (_, code) if *code == SqlState::DISK_FULL => DbError::Full,
        (_, code) if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED => {
            DbError::Corrupt(message(error))
        }
        // Connection, authorisation, resources, operator intervention, system, rollback, no database.
        ("08" | "28" | "53" | "55" | "57" | "58" | "40" | "3D", _) => {
            DbError::Unavailable(message(error))
        }
        _ => return None,
    })
}

fn is_io(error: &Error) -> bool {
    error
        .source()
        .is_some_and(|source| source.downcast_ref::<std::io::Error>().is_some())
}

/// The server's own message without its "detail" line, which may quote values.
fn message(error: &Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} ({})", error.message(), error.code().code()),
        None => with_source(error),
    }
}

fn with_source(error: &Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
