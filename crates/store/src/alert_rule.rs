//! Alert rules, and what they count and remember.

use bailee_model::{
    AlertMemory, AlertRule, AlertRuleId, CalendarId, Habits, Page, PageRequest, Timestamp, Watch,
};

use crate::rows::{from_json, json, statements};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO alert_rule (tenant_id, id, name, calendar_id, is_enabled, body, memory, revision) \
        SELECT $1, $2, $3, CAST($4 AS TEXT), CAST($5 AS BIGINT), $6, $7, CAST($8 AS BIGINT) \
        WHERE (SELECT COUNT(*) FROM alert_rule WHERE tenant_id = $1) < $9";
    PUT: tenant = "UPDATE alert_rule SET name = $3, calendar_id = $4, is_enabled = $5, body = $6, memory = $7, revision = $8 \
        WHERE tenant_id = $1 AND id = $2 AND revision = $9";
    REMEMBER: tenant = "UPDATE alert_rule SET memory = $3 WHERE tenant_id = $1 AND id = $2 AND revision = $4";
    DELETE: tenant = "DELETE FROM alert_rule WHERE tenant_id = $1 AND id = $2 AND revision = $3";
    DELETE_COUNTS: tenant = "DELETE FROM alert_count WHERE tenant_id = $1 AND rule_id = $2";
    DELETE_HABITS: tenant = "DELETE FROM alert_habit WHERE tenant_id = $1 AND rule_id = $2";
    READ: tenant = "SELECT body, memory FROM alert_rule WHERE tenant_id = $1 AND id = $2";
    BY_NAME: tenant = "SELECT body FROM alert_rule WHERE tenant_id = $1 AND name = $2";
    LIST: tenant = "SELECT body FROM alert_rule WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    ENABLED: tenant = "SELECT body FROM alert_rule WHERE tenant_id = $1 AND is_enabled = 1 ORDER BY id";
    OF_CALENDAR: tenant = "SELECT body FROM alert_rule WHERE tenant_id = $1 AND calendar_id = $2 ORDER BY id";
    COUNT: tenant = "INSERT INTO alert_count (tenant_id, rule_id, minute_at, matched, other) \
        SELECT $1, $2, CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT) \
        FROM alert_rule WHERE tenant_id = $1 AND id = $2 \
        ON CONFLICT (tenant_id, rule_id, minute_at) DO UPDATE \
        SET matched = alert_count.matched + excluded.matched, other = alert_count.other + excluded.other";
    PRUNE_COUNTS: tenant = "DELETE FROM alert_count WHERE tenant_id = $1 AND rule_id = $2 AND minute_at < $3";
    COUNTED: tenant = "SELECT CAST(COALESCE(SUM(matched), 0) AS BIGINT), CAST(COALESCE(SUM(other), 0) AS BIGINT) \
        FROM alert_count WHERE tenant_id = $1 AND rule_id = $2 AND minute_at >= $3 AND minute_at < $4";
    HABITS: tenant = "SELECT body FROM alert_habit WHERE tenant_id = $1 AND rule_id = $2 AND principal_id = $3";
    PUT_HABITS: tenant = "INSERT INTO alert_habit (tenant_id, rule_id, principal_id, body) \
        SELECT $1, $2, $3, $4 FROM alert_rule WHERE tenant_id = $1 AND id = $2 \
        ON CONFLICT (tenant_id, rule_id, principal_id) DO UPDATE SET body = excluded.body";
    OLDEST_JOB: tenant = "SELECT MIN(run_at) FROM job WHERE tenant_id = $1 AND owner IS NULL \
        AND kind IN ('run_transfer', 'deliver')";
}

/// The conflict of alert rule verbs: the name is taken, there are enough, or it was changed since it was read.
pub const CONFLICT: &str = "alert_rule";

/// Entries that a rule counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Those that it is about.
    pub matched: u64,
    /// Those that it compares them with.
    pub other: u64,
}

/// The calendar that a rule follows.
fn calendar(rule: &AlertRule) -> Option<CalendarId> {
    match &rule.watch {
        Watch::ExpectedFile(expected) => expected.calendar,
        _ => None,
    }
}

impl Change {
    /// Adds a rule unless the tenant has `most`; the conflict is [`CONFLICT`].
    pub fn insert_rule(&mut self, rule: &AlertRule, most: u64) -> &mut Self {
        let row = values![
            rule.id,
            &rule.name,
            calendar(rule),
            rule.is_enabled,
            json(rule),
            json(&AlertMemory::default()),
            rule.revision,
            most
        ];
        self.add(INSERT, row, Guard::One, CONFLICT)
    }

    /// Replaces a rule that is one revision older than this one, and what it remembers; the conflict is [`CONFLICT`].
    pub fn put_rule(&mut self, rule: &AlertRule, memory: &AlertMemory) -> &mut Self {
        let row = values![
            rule.id,
            &rule.name,
            calendar(rule),
            rule.is_enabled,
            json(rule),
            json(memory),
            rule.revision,
            rule.revision.saturating_sub(1)
        ];
        self.add(PUT, row, Guard::One, CONFLICT)
    }

    /// Keeps what a rule, as it was read, remembers; the conflict is [`CONFLICT`].
    pub fn remember(&mut self, rule: &AlertRule, memory: &AlertMemory) -> &mut Self {
        let row = values![rule.id, json(memory), rule.revision];
        self.add(REMEMBER, row, Guard::One, CONFLICT)
    }

    /// Forgets what a rule counted and learned.
    pub fn forget_counts(&mut self, id: AlertRuleId) -> &mut Self {
        self.add(DELETE_COUNTS, values![id], Guard::Any, CONFLICT);
        self.add(DELETE_HABITS, values![id], Guard::Any, CONFLICT)
    }

    /// Removes a rule, as it was read, with what it counted and learned; the conflict is [`CONFLICT`].
    pub fn delete_rule(&mut self, rule: &AlertRule) -> &mut Self {
        self.forget_counts(rule.id);
        let row = values![rule.id, rule.revision];
        self.add(DELETE, row, Guard::One, CONFLICT)
    }

    /// Adds to what a rule counted in a minute, if it is still there.
    pub fn count(&mut self, id: AlertRuleId, minute: Timestamp, counted: Counted) -> &mut Self {
        let row = values![id, minute, counted.matched, counted.other];
        self.add(COUNT, row, Guard::Any, CONFLICT)
    }

    /// Forgets what a rule counted before a time.
    pub fn prune_counts(&mut self, id: AlertRuleId, before: Timestamp) -> &mut Self {
        self.add(PRUNE_COUNTS, values![id, before], Guard::Any, CONFLICT)
    }

    /// Keeps what a rule, if it is still there, learned of a principal.
    pub fn put_habits(&mut self, id: AlertRuleId, principal: &str, habits: &Habits) -> &mut Self {
        let row = values![id, principal, json(habits)];
        self.add(PUT_HABITS, row, Guard::Any, CONFLICT)
    }
}

impl Reader {
    /// One rule.
    pub async fn alert_rule(&self, id: AlertRuleId) -> Result<Option<AlertRule>, DbError> {
        self.document(READ, values![id]).await
    }

    /// One rule with what it remembers.
    pub async fn rule_and_memory(
        &self,
        id: AlertRuleId,
    ) -> Result<Option<(AlertRule, AlertMemory)>, DbError> {
        let row = self.row(READ, values![id]).await?;
        row.map(|row| Ok((from_json(&row, 0)?, from_json(&row, 1)?)))
            .transpose()
    }

    /// The rule of a name.
    pub async fn alert_rule_named(&self, name: &str) -> Result<Option<AlertRule>, DbError> {
        self.document(BY_NAME, values![name]).await
    }

    /// Rules, newest first.
    pub async fn alert_rules(&self, page: &PageRequest) -> Result<Page<AlertRule>, DbError> {
        let row = values![crate::reader::before(page), page.limit + 1];
        self.documents(LIST, row, page.limit, |last: &AlertRule| last.id)
            .await
    }

    /// All rules that raise alerts.
    pub async fn enabled_rules(&self) -> Result<Vec<AlertRule>, DbError> {
        let found = self.rows(ENABLED, values![]).await?;
        found.iter().map(|row| from_json(row, 0)).collect()
    }

    /// The rules that follow a calendar.
    pub async fn rules_of(&self, calendar: CalendarId) -> Result<Vec<AlertRule>, DbError> {
        let found = self.rows(OF_CALENDAR, values![calendar]).await?;
        found.iter().map(|row| from_json(row, 0)).collect()
    }

    /// What a rule counted from one minute to before another.
    pub async fn counted(
        &self,
        id: AlertRuleId,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Counted, DbError> {
        let row = self.row(COUNTED, values![id, from, to]).await?;
        row.map_or(Ok(Counted::default()), |row| {
            Ok(Counted {
                matched: row.uint(0)?,
                other: row.uint(1)?,
            })
        })
    }

    /// What a rule learned of a principal.
    pub async fn habits(
        &self,
        id: AlertRuleId,
        principal: &str,
    ) -> Result<Option<Habits>, DbError> {
        self.document(HABITS, values![id, principal]).await
    }

    /// Since when the oldest job of a transfer or delivery is due that nobody has taken.
    pub async fn oldest_job(&self) -> Result<Option<Timestamp>, DbError> {
        let row = self.row(OLDEST_JOB, values![]).await?;
        row.map_or(Ok(None), |row| row.opt_time(0))
    }
}
