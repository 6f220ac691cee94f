use bailee_model::{Alert, AlertId, AlertRuleId, Page, PageRequest};

use crate::rows::{from_json, json, statements, word};
use crate::{Change, DbError, Guard, Reader, values};

statements! {
    INSERT: tenant = "INSERT INTO alert (tenant_id, id, rule_id, subject, state, severity, body, revision) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    PUT: tenant = "UPDATE alert SET state = $3, severity = $4, body = $5, revision = $6 \
        WHERE tenant_id = $1 AND id = $2 AND revision = $7";
    PRUNE: tenant = "DELETE FROM alert WHERE tenant_id = $1 AND state = 'resolved' AND id < $2";
    READ: tenant = "SELECT body FROM alert WHERE tenant_id = $1 AND id = $2";
    OPEN_OF: tenant = "SELECT body FROM alert WHERE tenant_id = $1 AND rule_id = $2 AND state <> 'resolved' ORDER BY id";
    LIST: tenant = "SELECT body FROM alert WHERE tenant_id = $1 AND id < $2 \
        AND (CAST($3 AS TEXT) IS NULL OR state = $3) AND (CAST($4 AS TEXT) IS NULL OR rule_id = $4) \
        AND (CAST($5 AS TEXT) IS NULL OR severity = $5) ORDER BY id DESC LIMIT $6";
}

/// The conflict of [`Change::insert_alert`]: the incident has its alert.
pub const OPEN: &str = "alert_open";
/// The conflict of [`Change::put_alert`]: it was changed since it was read.
pub const REVISION: &str = "alert_revision";

/// Which alerts a list holds.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// Only in this state.
    pub state: Option<String>,
    /// Only of this rule.
    pub rule: Option<AlertRuleId>,
    /// Only of this severity.
    pub severity: Option<String>,
}

impl Change {
    /// Adds an alert unless one of the same rule and subject is open; the conflict is [`OPEN`].
    pub fn insert_alert(&mut self, alert: &Alert) -> &mut Self {
        let row = values![
            alert.id,
            alert.rule,
            &alert.subject,
            alert.state.as_str(),
            word(&alert.severity),
            json(alert),
            alert.revision
        ];
        self.add(INSERT, row, Guard::One, OPEN)
    }

    /// Replaces an alert that was at `revision`; the conflict is [`REVISION`].
    pub fn put_alert(&mut self, alert: &Alert, revision: u64) -> &mut Self {
        let row = values![
            alert.id,
            alert.state.as_str(),
            word(&alert.severity),
            json(alert),
            alert.revision,
            revision
        ];
        self.add(PUT, row, Guard::One, REVISION)
    }

    /// Forgets alerts that are over and were opened before the time of an id.
    pub fn prune_alerts(&mut self, before: AlertId) -> &mut Self {
        self.add(PRUNE, values![before], Guard::Any, REVISION)
    }
}

impl Reader {
    /// One alert.
    pub async fn alert(&self, id: AlertId) -> Result<Option<Alert>, DbError> {
        self.document(READ, values![id]).await
    }

    /// What a rule raised and is not over, oldest first.
    pub async fn open_alerts(&self, rule: AlertRuleId) -> Result<Vec<Alert>, DbError> {
        let found = self.rows(OPEN_OF, values![rule]).await?;
        found.iter().map(|row| from_json(row, 0)).collect()
    }

    /// Alerts, newest first.
    pub async fn alerts(
        &self,
        filter: &AlertFilter,
        page: &PageRequest,
    ) -> Result<Page<Alert>, DbError> {
        let row = values![
            crate::reader::before(page),
            filter.state.as_deref(),
            filter.rule,
            filter.severity.as_deref(),
            page.limit + 1
        ];
        self.documents(LIST, row, page.limit, |last: &Alert| last.id)
            .await
    }
}
