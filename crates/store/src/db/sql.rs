//! Statements as constants: one text for SQLite and PostgreSQL.
//!
//! Placeholders are `$1`, `$2`, … on both. Where the two databases differ a text has a *hole*, filled when it is used:
//!
//! | hole | SQLite | PostgreSQL |
//! |---|---|---|
//! | `{serial}` | `INTEGER PRIMARY KEY AUTOINCREMENT` | `BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY` |
//! | `{bytes}` | `BLOB` | `BYTEA` |
//! | `{name}` | `TEXT` | `TEXT COLLATE "C"`, so that both sort names alike |
//! | `{for_share}`, `{for_update}` | nothing: scripts run one after the other | `FOR SHARE`, `FOR UPDATE` |
//! | `{skip_locked}` | nothing | `FOR UPDATE SKIP LOCKED` |

use std::borrow::Cow;

/// A constant statement that either binds the tenant as `$1` or says openly that it does not.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    text: &'static str,
    reach: Reach,
    is_point: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Tenant,
    Across,
}

const HOLES: [(&str, &str, &str); 6] = [
    (
        "{serial}",
        "INTEGER PRIMARY KEY AUTOINCREMENT",
        "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    ),
    ("{bytes}", "BLOB", "BYTEA"),
    ("{name}", "TEXT", "TEXT COLLATE \"C\""),
    ("{skip_locked}", "", "FOR UPDATE SKIP LOCKED"),
    ("{for_share}", "", "FOR SHARE"),
    ("{for_update}", "", "FOR UPDATE"),
];

impl Sql {
    /// A statement on the rows of one tenant. As a constant it does not compile unless it filters by
    /// `tenant_id = $1` or inserts `(tenant_id, …)` with `VALUES ($1, …` or `SELECT $1, …`.
    pub const fn tenant(text: &'static str) -> Self {
        let filters = contains(text, "tenant_id = $1");
        let gives = contains(text, "VALUES ($1,") || contains(text, "SELECT $1,");
        assert!(
            filters || (contains(text, "(tenant_id,") && gives),
            "a tenant statement must bind tenant_id as $1"
        );
        Self {
            text,
            reach: Reach::Tenant,
            is_point: false,
        }
    }

    /// As [`Sql::tenant`], for a read that finds a handful of rows by an index. SQLite may answer it on the caller's
    /// own thread, where a wake-up of another would cost more than the answer.
    pub const fn point(text: &'static str) -> Self {
        Self {
            is_point: true,
            ..Self::tenant(text)
        }
    }

    /// A statement that is not about one tenant: identity look-ups, job leases, migrations.
    pub const fn across(text: &'static str) -> Self {
        Self {
            text,
            reach: Reach::Across,
            is_point: false,
        }
    }

    /// The text as written, with its holes.
    pub const fn text(self) -> &'static str {
        self.text
    }

    /// Whether `$1` is the tenant.
    pub(super) fn is_tenant(self) -> bool {
        self.reach == Reach::Tenant
    }

    /// Whether it reads a handful of rows by an index.
    pub(super) fn is_point(self) -> bool {
        self.is_point
    }

    /// The text for SQLite, which numbers `$1` by first appearance but `?1` by its number.
    pub(super) fn for_sqlite(self) -> String {
        numbered(&fill_sqlite(self.text))
    }

    /// The text for PostgreSQL.
    pub(super) fn for_postgres(self) -> Cow<'static, str> {
        fill_postgres(self.text)
    }
}

/// Fills the holes for SQLite; placeholders stay as they are.
pub(super) fn fill_sqlite(text: &str) -> String {
    HOLES
        .iter()
        .fold(text.to_owned(), |text, (hole, sqlite, _)| {
            text.replace(hole, sqlite)
        })
}

/// Fills the holes for PostgreSQL.
pub(super) fn fill_postgres(text: &str) -> Cow<'_, str> {
    if !HOLES.iter().any(|(hole, _, _)| text.contains(hole)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        HOLES
            .iter()
            .fold(text.to_owned(), |text, (hole, _, postgres)| {
                text.replace(hole, postgres)
            }),
    )
}

/// `$7` → `?7`, except inside of string literals.
fn numbered(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\'' {
            is_quoted = !is_quoted;
        }
        let is_placeholder =
            letter == '$' && !is_quoted && letters.peek().is_some_and(char::is_ascii_digit);
        out.push(if is_placeholder { '?' } else { letter });
    }
    out
}

// Loops over slice patterns: string search is not const in the standard library.
const fn contains(text: &str, part: &str) -> bool {
    let mut rest = text.as_bytes();
    loop {
        if starts_with(rest, part.as_bytes()) {
            return true;
        }
        match rest {
            [_, tail @ ..] => rest = tail,
            [] => return false,
        }
    }
}

const fn starts_with(mut text: &[u8], mut part: &[u8]) -> bool {
    loop {
        match (text, part) {
            (_, []) => return true,
            ([a, text_tail @ ..], [b, part_tail @ ..]) if *a == *b => {
                text = text_tail;
                part = part_tail;
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_for_sqlite_outside_of_literals() {
        let sql = Sql::across("SELECT '$1 {x}', $2 FROM job WHERE id = $10 {skip_locked}");
        assert_eq!(
            sql.for_sqlite(),
            "SELECT '$1 {x}', ?2 FROM job WHERE id = ?10 "
        );
        assert_eq!(
            sql.for_postgres(),
            "SELECT '$1 {x}', $2 FROM job WHERE id = $10 FOR UPDATE SKIP LOCKED"
        );
    }

    #[test]
    fn the_tenant_check_knows_filters_and_inserts() {
        assert!(contains("WHERE tenant_id = $1 AND", "tenant_id = $1"));
        assert!(!contains("WHERE tenant_id = $", "tenant_id = $1"));
        assert!(Sql::tenant("INSERT INTO a (tenant_id, b) SELECT $1, b FROM c").is_tenant());
        assert!(!Sql::across("SELECT 1").is_tenant());
    }
}
