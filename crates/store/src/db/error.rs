/// Why the database did not do what was asked.
///
/// No variant carries a bound value: texts of statements are constants, details come from the database without its
/// "detail" line, so an error may be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// A guard failed or a constraint was violated by the statement pushed with this name. Nothing was changed; read
    /// again and decide again.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// The database cannot be reached, is closed, or is too busy. Whether a script ran is unknown only if the
    /// connection was lost while it committed.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// No space is left for the database. Nothing was changed.
    #[error("the disk of the database is full")]
    Full,
    /// The database says that its own file is damaged.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// A row does not look as the code that reads it expects.
    #[error("inconsistent data in column {column} of `{statement}`: {detail}")]
    Inconsistent {
        /// The text of the statement that returned the row.
        statement: &'static str,
        /// The column, counted from 0.
        column: usize,
        /// What was wrong with it; never the value.
        detail: &'static str,
    },
    /// A statement touched rows of a tenant that is not the one of its script.
    #[error("the statement `{statement}` reached for rows of another tenant")]
    Foreign {
        /// The text of the statement.
        statement: &'static str,
    },
    /// The database refused a statement: a mistake in this program.
    #[error("the statement `{statement}` was refused: {detail}")]
    Statement {
        /// The text of the statement.
        statement: &'static str,
        /// The database's reason.
        detail: String,
    },
    /// A fetch found more rows than one fetch may return.
    #[error("the statement `{statement}` found too many rows; ask in pages")]
    TooMany {
        /// The text of the statement.
        statement: &'static str,
    },
    /// The schema does not fit this program.
    #[error("the schema does not fit: {0}")]
    Schema(String),
    /// The work of a marked request did not say what it made: a mistake in this program. Nothing was changed.
    #[error("`{route}` does its work without a word in the mark of its request")]
    Untold {
        /// The operation.
        route: String,
    },
    /// The database was not opened.
    #[error("the database was not opened: {0}")]
    Refused(String),
}

impl DbError {
    /// The error of whoever calls after [`super::Db::close`].
    pub(super) fn closed() -> Self {
        Self::Unavailable("it is closed".to_owned())
    }
}
