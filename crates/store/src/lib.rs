//! Rows: the database, and what is kept in it.

pub mod db;

pub use db::{
    Db, DbError, Durability, Guard, IntoValue, Migration, PgOptions, PgUrl, Row, Scope, Script, Sql,
};
pub use db::{SqliteOptions, Value};
