use std::fmt;
use std::str::FromStr;

use bailee_model::Timestamp;

use super::DbError;

/// What a statement binds and a row holds: ids and JSON travel as text, times as milliseconds, switches as 0 and 1.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// TEXT.
    Text(String),
    /// BIGINT.
    Int(i64),
    /// BLOB or BYTEA.
    Bytes(Vec<u8>),
}

impl Value {
    /// The text of an id, an enum or whatever else has one.
    pub fn text(value: impl fmt::Display) -> Self {
        Self::Text(value.to_string())
    }
}

/// Shows the kind and size only: values are customers' data.
impl fmt::Debug for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("Null"),
            Self::Text(text) => write!(out, "Text({} bytes)", text.len()),
            Self::Int(_) => out.write_str("Int"),
            Self::Bytes(bytes) => write!(out, "Bytes({} bytes)", bytes.len()),
        }
    }
}

/// What can be bound. (Not `From`: an implementation of `From` for options of all kinds overflows the trait solver.)
pub trait IntoValue {
    /// The value as the database stores it.
    fn into_value(self) -> Value;
}

impl IntoValue for Value {
    fn into_value(self) -> Value {
        self
    }
}

impl IntoValue for &str {
    fn into_value(self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl IntoValue for String {
    fn into_value(self) -> Value {
        Value::Text(self)
    }
}

impl IntoValue for &String {
    fn into_value(self) -> Value {
        Value::Text(self.clone())
    }
}

impl IntoValue for i64 {
    fn into_value(self) -> Value {
        Value::Int(self)
    }
}

/// Sizes and counts; a number past 2^63 − 1 does not occur and is stored as that.
impl IntoValue for u64 {
    fn into_value(self) -> Value {
        Value::Int(i64::try_from(self).unwrap_or(i64::MAX))
    }
}

impl IntoValue for u32 {
    fn into_value(self) -> Value {
        Value::Int(i64::from(self))
    }
}

impl IntoValue for bool {
    fn into_value(self) -> Value {
        Value::Int(i64::from(self))
    }
}

impl IntoValue for Timestamp {
    fn into_value(self) -> Value {
        Value::Int(self.ms())
    }
}

impl IntoValue for Vec<u8> {
    fn into_value(self) -> Value {
        Value::Bytes(self)
    }
}

impl IntoValue for &[u8] {
    fn into_value(self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::Null, T::into_value)
    }
}

macro_rules! as_text {
    ($($name:ident),* $(,)?) => {$(
        impl IntoValue for bailee_model::$name {
            fn into_value(self) -> Value {
                Value::text(self)
            }
        }
    )*};
}

as_text!(
    TenantId,
    UserId,
    ServiceAccountId,
    KeyId,
    FileId,
    FolderId,
    UploadId,
    BlobId,
    TransferId,
    RemoteId,
    PgpKeyId,
    SecretId,
    WebhookId,
    ChannelId,
    SubscriberId,
    FlowId,
    FlowRunId,
    DeliveryId,
    AuditId,
    EventId,
    JobId,
    CalendarId,
    AlertId,
    AlertRuleId,
    ScheduleId,
    RequestId,
    DecisionId
);

/// The values of a statement, in the order of its placeholders: `values![tenant, id, size_bytes, note.as_deref()]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { ::std::vec![$($crate::IntoValue::into_value($value)),*] };
}

/// A row as a statement returned it; columns are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    statement: &'static str,
    values: Vec<Value>,
}

impl Row {
    pub(super) fn new(statement: &'static str, values: Vec<Value>) -> Self {
        Self { statement, values }
    }

    /// All values, given away: for large bytes that need no copy.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// How many columns it has.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether it has no column.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A text that is there.
    pub fn text(&self, column: usize) -> Result<&str, DbError> {
        self.opt_text(column)?
            .ok_or_else(|| self.wrong(column, "no value"))
    }

    /// A text that may be missing.
    pub fn opt_text(&self, column: usize) -> Result<Option<&str>, DbError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(self.wrong(column, "not a text")),
        }
    }

    /// An integer that is there.
    pub fn int(&self, column: usize) -> Result<i64, DbError> {
        self.opt_int(column)?
            .ok_or_else(|| self.wrong(column, "no value"))
    }

    /// An integer that may be missing.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, DbError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Int(int) => Ok(Some(*int)),
            _ => Err(self.wrong(column, "not an integer")),
        }
    }

    /// A size or count that is there.
    pub fn uint(&self, column: usize) -> Result<u64, DbError> {
        u64::try_from(self.int(column)?).map_err(|_| self.wrong(column, "negative"))
    }

    /// A size or count that may be missing.
    pub fn opt_uint(&self, column: usize) -> Result<Option<u64>, DbError> {
        let int = self.opt_int(column)?;
        int.map(|int| u64::try_from(int).map_err(|_| self.wrong(column, "negative")))
            .transpose()
    }

    /// A switch, stored as 0 or 1.
    pub fn bool(&self, column: usize) -> Result<bool, DbError> {
        match self.int(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.wrong(column, "neither 0 nor 1")),
        }
    }

    /// A time that is there.
    pub fn time(&self, column: usize) -> Result<Timestamp, DbError> {
        self.int(column).map(Timestamp::from_ms)
    }

    /// A time that may be missing.
    pub fn opt_time(&self, column: usize) -> Result<Option<Timestamp>, DbError> {
        Ok(self.opt_int(column)?.map(Timestamp::from_ms))
    }

    /// Bytes that are there.
    pub fn bytes(&self, column: usize) -> Result<&[u8], DbError> {
        self.opt_bytes(column)?
            .ok_or_else(|| self.wrong(column, "no value"))
    }

    /// Bytes that may be missing.
    pub fn opt_bytes(&self, column: usize) -> Result<Option<&[u8]>, DbError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes)),
            _ => Err(self.wrong(column, "not bytes")),
        }
    }

    /// A text that is there, read as an id or another type that has a text form.
    pub fn parse<T: FromStr>(&self, column: usize) -> Result<T, DbError> {
        self.text(column)?
            .parse()
            .map_err(|_| self.wrong(column, "not in the expected form"))
    }

    /// As [`Row::parse`], of a text that may be missing.
    pub fn opt_parse<T: FromStr>(&self, column: usize) -> Result<Option<T>, DbError> {
        let text = self.opt_text(column)?;
        text.map(|text| {
            text.parse()
                .map_err(|_| self.wrong(column, "not in the expected form"))
        })
        .transpose()
    }

    /// The error for a column whose value the caller cannot accept; `detail` must not contain the value.
    pub fn wrong(&self, column: usize, detail: &'static str) -> DbError {
        DbError::Inconsistent {
            statement: self.statement,
            column,
            detail,
        }
    }

    fn value(&self, column: usize) -> Result<&Value, DbError> {
        self.values
            .get(column)
            .ok_or_else(|| self.wrong(column, "no such column"))
    }
}
