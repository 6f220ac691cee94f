use bailee_model::{Calendar, CalendarId, Page, PageRequest};

use crate::rows::{json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO calendar (tenant_id, id, name, body, revision) \
        SELECT $1, $2, $3, $4, CAST($5 AS BIGINT) WHERE (SELECT COUNT(*) FROM calendar WHERE tenant_id = $1) < $6";
    PUT: tenant = "UPDATE calendar SET name = $3, body = $4, revision = $5 WHERE tenant_id = $1 AND id = $2 AND revision = $6";
    DELETE: tenant = "DELETE FROM calendar WHERE tenant_id = $1 AND id = $2 AND revision = $3";
    READ: tenant = "SELECT body FROM calendar WHERE tenant_id = $1 AND id = $2";
    BY_NAME: tenant = "SELECT body FROM calendar WHERE tenant_id = $1 AND name = $2";
    LIST: tenant = "SELECT body FROM calendar WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
}

/// The conflict of calendar verbs: the name is taken, there are enough, it was changed since it was read, or it is
/// needed.
pub const CONFLICT: &str = "calendar";

impl Change {
    /// Adds a calendar unless the tenant has `most`; the conflict is [`CONFLICT`].
    pub fn insert_calendar(&mut self, calendar: &Calendar, most: u64) -> &mut Self {
        let row = values![
            calendar.id,
            &calendar.name,
            json(calendar),
            calendar.revision,
            most
        ];
        self.add(INSERT, row, Guard::One, CONFLICT)
    }

    /// Replaces a calendar that is one revision older than this one; the conflict is [`CONFLICT`].
    pub fn put_calendar(&mut self, calendar: &Calendar) -> &mut Self {
        let old = calendar.revision.saturating_sub(1);
        let row = values![
            calendar.id,
            &calendar.name,
            json(calendar),
            calendar.revision,
            old
        ];
        self.add(PUT, row, Guard::One, CONFLICT)
    }

    /// Removes a calendar, as it was read, that nothing needs; the conflict is [`CONFLICT`].
    pub fn delete_calendar(&mut self, calendar: &Calendar) -> &mut Self {
        let row = values![calendar.id, calendar.revision];
        self.add(DELETE, row, Guard::One, CONFLICT)
    }
}

impl Reader {
    /// One calendar.
    pub async fn calendar(&self, id: CalendarId) -> Result<Option<Calendar>, DbError> {
        self.document(READ, values![id]).await
    }

    /// The calendar of a name.
    pub async fn calendar_named(&self, name: &str) -> Result<Option<Calendar>, DbError> {
        self.document(BY_NAME, values![name]).await
    }

    /// Calendars, newest first.
    pub async fn calendars(&self, page: &PageRequest) -> Result<Page<Calendar>, DbError> {
        let row = values![crate::reader::before(page), page.limit + 1];
        self.documents(LIST, row, page.limit, |last: &Calendar| last.id)
            .await
    }
}
