//! Small words for reading and writing columns.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{DbError, Row};

/// A value as JSON text.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    // Our own types have text keys and no failing serialisers.
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// A JSON text column, read back.
pub(crate) fn from_json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T, DbError> {
    serde_json::from_str(row.text(column)?).map_err(|_| row.wrong(column, "not the expected JSON"))
}

/// The one word that serde gives an enum without fields.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A word column, read back.
pub(crate) fn from_word<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T, DbError> {
    opt_word(row, column)?.ok_or_else(|| row.wrong(column, "no value"))
}

/// A word column that may be empty.
pub(crate) fn opt_word<T: DeserializeOwned>(
    row: &Row,
    column: usize,
) -> Result<Option<T>, DbError> {
    let Some(text) = row.opt_text(column)? else {
        return Ok(None);
    };
    let value = serde_json::Value::String(text.to_owned());
    serde_json::from_value(value)
        .map(Some)
        .map_err(|_| row.wrong(column, "an unknown word"))
}

/// Declares a file's statements: the constants, and the list that one test prepares on both databases.
macro_rules! statements {
    ($($name:ident: $scope:ident = $text:expr;)*) => {
        $(const $name: $crate::Sql = $crate::Sql::$scope($text);)*
        pub(crate) const STATEMENTS: &[(&str, $crate::Sql)] = &[$((stringify!($name), $name)),*];
    };
}
pub(crate) use statements;
