use bailee_api::{Alert, AlertRule, CreateAlertRule, NoteAlert, SnoozeAlert};
use bailee_model::{AlertId, AlertRuleId};

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Alerts: what needs attention.
    Alerts, alerts
}

resource! {
    /// Alert rules: what raises alerts.
    AlertRules, alert_rules
}

/// Which alerts a list holds. Everything when nothing is set.
#[derive(Clone, Debug, Default)]
pub struct AlertQuery {
    /// `firing`, `acknowledged`, `snoozed`, `resolved`.
    pub state: Option<String>,
    /// Of this rule.
    pub alert_rule_id: Option<AlertRuleId>,
    /// `info`, `warning`, `critical`.
    pub severity: Option<String>,
}

impl Alerts<'_> {
    /// Alerts, newest first.
    pub fn list(&self, query: &AlertQuery) -> Listing<Alert> {
        let call = Call::get("/alerts")
            .maybe("state", query.state.as_ref())
            .maybe("alert_rule_id", query.alert_rule_id)
            .maybe("severity", query.severity.as_ref());
        Listing::new(self.0, call)
    }

    /// One of them.
    pub async fn get(&self, alert: AlertId) -> Result<Alert> {
        self.0.json(Call::get(format!("/alerts/{alert}"))).await
    }

    /// Takes it.
    pub async fn acknowledge(&self, alert: AlertId, note: &NoteAlert) -> Result<Alert> {
        let call = Call::post(format!("/alerts/{alert}/acknowledge")).json(note)?;
        self.0.json(call).await
    }

    /// Leaves it alone for a time.
    pub async fn snooze(&self, alert: AlertId, snooze: &SnoozeAlert) -> Result<Alert> {
        let call = Call::post(format!("/alerts/{alert}/snooze")).json(snooze)?;
        self.0.json(call).await
    }

    /// Ends it.
    pub async fn resolve(&self, alert: AlertId, note: &NoteAlert) -> Result<Alert> {
        let call = Call::post(format!("/alerts/{alert}/resolve")).json(note)?;
        self.0.json(call).await
    }
}

impl AlertRules<'_> {
    /// Makes a rule.
    pub async fn create(&self, rule: &CreateAlertRule) -> Result<AlertRule> {
        self.0.json(Call::post("/alert-rules").json(rule)?).await
    }

    /// All rules, newest first.
    pub fn list(&self) -> Listing<AlertRule> {
        Listing::new(self.0, Call::get("/alert-rules"))
    }

    /// One of them.
    pub async fn get(&self, rule: AlertRuleId) -> Result<AlertRule> {
        self.0.json(Call::get(format!("/alert-rules/{rule}"))).await
    }

    /// The one with this name, if there is one.
    pub async fn by_name(&self, name: &str) -> Result<Option<AlertRule>> {
        let mut rules = self.list();
        while let Some(rule) = rules.next().await? {
            if rule.name == name {
                return Ok(Some(rule));
            }
        }
        Ok(None)
    }

    /// Puts another content in its place.
    pub async fn replace(&self, rule: AlertRuleId, new: &CreateAlertRule) -> Result<AlertRule> {
        let call = Call::put(format!("/alert-rules/{rule}")).json(new)?;
        self.0.json(call).await
    }

    /// Removes it.
    pub async fn delete(&self, rule: AlertRuleId) -> Result<()> {
        let call = Call::delete(format!("/alert-rules/{rule}"));
        self.0.gone(call).await
    }
}
