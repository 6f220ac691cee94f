//! Alert rules: what raises alerts.
//!
//! A consumer of the journal counts for them ([`crate::Upkeep::watch_journal`]), and each has one job that looks when it
//! is due ([`AlertRules::look`]). What a look finds, the alerts that come of it and what the rule remembers are one
//! transaction, so that one incident is one alert whatever dies.

mod expiry;
mod far;
mod judge;
mod keys;
mod look;
mod rules;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    AlertHand, AlertMemory, AlertRule, AlertRuleId, Error, ErrorKind, Escalation, EventType,
    JobKind, Page, PageRequest, Result, Severity, Watch, limit,
};
use bailee_store::{Change, DbError, conflict};

pub(crate) use self::judge::minute;
use self::rules::check;
use crate::files::{Precondition, RACES_MAX};
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::schedules::calendar_of;
use crate::{Core, error};

/// The consumer of the journal that counts for alert rules.
pub(crate) const CONSUMER: &str = "alerts";

/// The alert rules of the caller's tenant.
pub struct AlertRules<'a> {
    pub(crate) core: &'a Core,
}

/// A rule to be made, or what one is to become.
#[derive(Clone, Debug)]
pub struct NewAlertRule {
    /// Unique in the tenant.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// How bad its alerts are.
    pub severity: Severity,
    /// Whether it raises any.
    pub is_enabled: bool,
    /// What it watches.
    pub watch: Watch,
    /// Who is told.
    pub recipients: Vec<String>,
    /// When nobody takes an alert.
    pub escalation: Option<Escalation>,
}

impl AlertRules<'_> {
    /// Makes a rule. What happened before does not count.
    pub async fn create(&self, caller: &Caller, new: NewAlertRule) -> Result<AlertRule> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        let permit = self.manage(caller, "alert_rules.create").await?;
        self.check(&permit, &new).await?;
        let now = self.core.clock.now();
        let rule = AlertRule {
            id: AlertRuleId::new(now, &*self.core.chance),
            name: new.name,
            description: new.description,
            severity: new.severity,
            is_enabled: new.is_enabled,
            watch: new.watch,
            recipients: new.recipients,
            escalation: new.escalation,
            created_by: caller.principal(),
            created_at: now,
            watches_since: now,
            revision: 1,
        };
        self.free_name(&permit, &rule).await?;
        let mut change = self.core.store.change(&permit);
        change.insert_rule(&rule, limit::ALERT_RULES_MAX);
        self.begin(&mut change, &permit, &rule);
        made(&mut change, &rule)?;
        let note = Note::record("alert_rules.create")
            .about(rule.id)
            .with(serde_json::json!({ "name": rule.name, "kind": rule.watch.kind() }));
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(|error| match error {
            DbError::Conflict(conflict::ALERT_RULE) => {
                error::enough("A tenant", limit::ALERT_RULES_MAX, "alert rules")
            }
            other => error::from_db(other),
        })?;
        Ok(rule)
    }

    /// Rules, newest first.
    pub async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<AlertRule>> {
        let permit = self
            .enter(caller, "alert_rules.list", Action::AlertRead)
            .await?;
        let reader = self.core.store.reader(&permit);
        reader.alert_rules(&page).await.map_err(error::from_db)
    }

    /// One rule.
    pub async fn get(&self, caller: &Caller, id: AlertRuleId) -> Result<AlertRule> {
        let permit = self
            .enter(caller, "alert_rules.get", Action::AlertRead)
            .await?;
        self.find(&permit, id).await
    }

    /// Puts another content in the place of a rule's. If it watches something else then, it begins anew; alerts that
    /// are open stay.
    pub async fn replace(
        &self,
        caller: &Caller,
        id: AlertRuleId,
        new: NewAlertRule,
        precondition: Precondition,
    ) -> Result<AlertRule> {
        for _ in 0..RACES_MAX {
            let permit = self.manage(caller, "alert_rules.replace").await?;
            let known = self.core.tenant(permit.tenant()).await?;
            let reader = self.core.store.reader(&permit);
            let found = reader.rule_and_memory(id).await.map_err(error::from_db)?;
            let (old, memory) = found.ok_or_else(|| Error::not_found("alert rule"))?;
            precondition.admit(Some(&old.revision.to_string()), &known.tenant)?;
            self.check(&permit, &new).await?;
            if new.watch.kind() != old.watch.kind() {
                let detail = "A rule keeps its kind; make a new one.";
                return Err(Error::field("#/kind", "immutable", detail));
            }
            let is_same = new.watch == old.watch && new.is_enabled == old.is_enabled;
            let watches_since = if is_same {
                old.watches_since
            } else {
                self.core.clock.now()
            };
            let rule = AlertRule {
                name: new.name.clone(),
                description: new.description.clone(),
                severity: new.severity,
                is_enabled: new.is_enabled,
                watch: new.watch.clone(),
                recipients: new.recipients.clone(),
                escalation: new.escalation.clone(),
                watches_since,
                revision: old.revision + 1,
                ..old
            };
            self.free_name(&permit, &rule).await?;
            let mut change = self.core.store.change(&permit);
            let memory = AlertMemory {
                window: memory.window.filter(|_| is_same),
                ..memory
            };
            change.put_rule(&rule, &memory);
            if !is_same {
                change.forget_counts(id);
            }
            self.begin(&mut change, &permit, &rule);
            let note = Note::record("alert_rules.replace").about(id);
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(rule),
                Err(DbError::Conflict(conflict::ALERT_RULE)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("alert rule"))
    }

    /// Removes a rule. What it raised is over with it.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: AlertRuleId,
        precondition: Precondition,
    ) -> Result<()> {
        for _ in 0..RACES_MAX {
            let permit = self.manage(caller, "alert_rules.delete").await?;
            let known = self.core.tenant(permit.tenant()).await?;
            let rule = self.find(&permit, id).await?;
            precondition.admit(Some(&rule.revision.to_string()), &known.tenant)?;
            let reader = self.core.store.reader(&permit);
            let open = reader.open_alerts(id).await.map_err(error::from_db)?;
            let mut change = self.core.store.change(&permit);
            for mut alert in open {
                let read = alert.revision;
                let hand = AlertHand {
                    by: Some(caller.label()),
                    note: Some("The rule was removed."),
                };
                alert.resolve(self.core.clock.now(), hand)?;
                change.put_alert(&alert, read);
                let told = ("alerts.resolve", EventType::AlertResolved);
                self.core.tell_alert(&mut change, &alert, told);
            }
            change.delete_rule(&rule);
            change.end_job(JobKind::WatchRule, &id.to_string());
            let note = Note::record("alert_rules.delete")
                .about(id)
                .with(serde_json::json!({ "name": rule.name }));
            change.journal(&self.core.permitted(caller, &permit, note));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::ALERT_RULE | conflict::ALERT_REVISION)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("alert rule"))
    }

    /// Has a rule looked at now, and the journal counted for it from now on.
    fn begin(&self, change: &mut Change, permit: &Permit, rule: &AlertRule) {
        change.begin_consumer(CONSUMER);
        let (tenant, now) = (permit.tenant(), self.core.clock.now());
        change.awaken(&self.core.watch_job(tenant, &rule.id.to_string(), now));
    }

    async fn check(&self, permit: &Permit, new: &NewAlertRule) -> Result<()> {
        check(new)?;
        let Watch::ExpectedFile(expected) = &new.watch else {
            return Ok(());
        };
        let reader = self.core.store.reader(permit);
        let calendar = calendar_of(&reader, expected.calendar).await?;
        if expected.calendar.is_some() && calendar.is_none() {
            let detail = "There is no such calendar.";
            return Err(Error::field(
                "#/expected_file/calendar_id",
                "unknown",
                detail,
            ));
        }
        let now = self.core.clock.now();
        if expected.next_opening(now, calendar.as_ref()).is_none() {
            let detail = "There is no day on which this window would open.";
            return Err(Error::field("#/expected_file/opens", "never", detail));
        }
        Ok(())
    }

    async fn manage(&self, caller: &Caller, operation: &'static str) -> Result<Permit> {
        self.enter(caller, operation, Action::AlertManage).await
    }

    async fn enter(
        &self,
        caller: &Caller,
        operation: &'static str,
        action: Action,
    ) -> Result<Permit> {
        let ask = Ask {
            operation,
            action,
            resource: &Resource::Tenant,
            what: "alert rule",
        };
        self.core.enter(caller, ask).await
    }

    async fn find(&self, permit: &Permit, id: AlertRuleId) -> Result<AlertRule> {
        let reader = self.core.store.reader(permit);
        let found = reader.alert_rule(id).await.map_err(error::from_db)?;
        found.ok_or_else(|| Error::not_found("alert rule"))
    }

    async fn free_name(&self, permit: &Permit, rule: &AlertRule) -> Result<()> {
        let reader = self.core.store.reader(permit);
        let found = reader.alert_rule_named(&rule.name).await;
        let found = found.map_err(error::from_db)?;
        if found.is_none_or(|found| found.id == rule.id) {
            return Ok(());
        }
        let detail = format!("There is an alert rule `{}`.", rule.name);
        Err(Error::new(ErrorKind::NameTaken, detail))
    }
}
