//! Alerts: what needs attention, and what people do about it.

use std::time::Duration;

use bailee_auth::{Action, Caller, Permit, Resource};
use bailee_model::{
    Alert, AlertAct, AlertHand, AlertId, AlertRule, AlertState, AlertStep, Error, EventType,
    Finding, Job, JobId, JobKind, Page, PageRequest, Result, TenantId, Timestamp, limit,
};
use bailee_store::{AlertFilter, Change, DbError, conflict};

use crate::files::{Precondition, RACES_MAX};
use crate::gate::Ask;
use crate::idempotency::{earlier, made};
use crate::journal::Note;
use crate::{Core, checks, error};

/// The alerts of the caller's tenant.
pub struct Alerts<'a> {
    pub(crate) core: &'a Core,
}

/// For how long an alert is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// Until a time.
    Until(Timestamp),
    /// For so long from now on.
    For(Duration),
}

impl Alerts<'_> {
    /// Alerts, newest first.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: AlertFilter,
        page: PageRequest,
    ) -> Result<Page<Alert>> {
        let permit = self.enter(caller, "alerts.list", Action::AlertRead).await?;
        let reader = self.core.store.reader(&permit);
        let found = reader.alerts(&filter, &page).await;
        found.map_err(error::from_db)
    }

    /// One alert.
    pub async fn get(&self, caller: &Caller, id: AlertId) -> Result<Alert> {
        let permit = self.enter(caller, "alerts.get", Action::AlertRead).await?;
        self.find(&permit, id).await
    }

    /// Takes an alert: it does not escalate any more.
    pub async fn acknowledge(
        &self,
        caller: &Caller,
        id: AlertId,
        note: Option<String>,
    ) -> Result<Alert> {
        let asked = ("alerts.acknowledge", EventType::AlertAcknowledged);
        self.write(caller, id, (asked, note), |alert, now, hand| {
            alert.acknowledge(now, hand)
        })
        .await
    }

    /// Leaves an alert alone until a time. If it is not over then, it fires again.
    pub async fn snooze(
        &self,
        caller: &Caller,
        id: AlertId,
        (sleep, note): (Sleep, Option<String>),
    ) -> Result<Alert> {
        let now = self.core.clock.now();
        let until = match sleep {
            Sleep::Until(until) => until,
            Sleep::For(span) => now.plus(span),
        };
        if until <= now || until > now.plus(limit::SNOOZE_MAX) {
            let most = limit::SNOOZE_MAX.as_secs();
            let detail = format!("Must be in the future, at most {most} seconds away.");
            return Err(Error::field("#/until", "out_of_range", detail));
        }
        let asked = ("alerts.snooze", EventType::AlertSnoozed);
        self.write(caller, id, (asked, note), |alert, now, hand| {
            alert.snooze(now, until, hand)
        })
        .await
    }

    /// Ends an alert. While its cause lasts, no other one is raised for it.
    pub async fn resolve(
        &self,
        caller: &Caller,
        id: AlertId,
        note: Option<String>,
    ) -> Result<Alert> {
        let asked = ("alerts.resolve", EventType::AlertResolved);
        self.write(caller, id, (asked, note), |alert, now, hand| {
            alert.resolve(now, hand)
        })
        .await
    }

    async fn write(
        &self,
        caller: &Caller,
        id: AlertId,
        ((operation, event), note): ((&'static str, EventType), Option<String>),
        act: impl Fn(&mut Alert, Timestamp, AlertHand<'_>) -> Result<()>,
    ) -> Result<Alert> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        if let Some(note) = &note {
            checks::text("#/note", note)?;
        }
        for _ in 0..RACES_MAX {
            let permit = self.enter(caller, operation, Action::AlertManage).await?;
            let mut alert = self.find(&permit, id).await?;
            let known = self.core.tenant(permit.tenant()).await?;
            Precondition::Unasked.admit(Some(&alert.revision.to_string()), &known.tenant)?;
            let read = alert.revision;
            let hand = AlertHand {
                by: Some(caller.label()),
                note: note.as_deref(),
            };
            act(&mut alert, self.core.clock.now(), hand)?;
            let mut change = self.core.store.change(&permit);
            change.put_alert(&alert, read);
            made(&mut change, &alert)?;
            let told = Note::event(operation, event)
                .about(id)
                .with(alert_facts(&alert));
            change.journal(&self.core.permitted(caller, &permit, told));
            // The rule's job finds out when it has to look after the alert.
            let now = self.core.clock.now();
            change.awaken(
                &self
                    .core
                    .watch_job(permit.tenant(), &alert.rule.to_string(), now),
            );
            match change.commit().await {
                Ok(()) => return Ok(alert),
                Err(DbError::Conflict(conflict::ALERT_REVISION)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("alert"))
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
            what: "alert",
        };
        self.core.enter(caller, ask).await
    }

    async fn find(&self, permit: &Permit, id: AlertId) -> Result<Alert> {
        let reader = self.core.store.reader(permit);
        let found = reader.alert(id).await.map_err(error::from_db)?;
        found.ok_or_else(|| Error::not_found("alert"))
    }
}

impl Core {
    /// Adds an alert of a rule to a change, with its event. One incident is one alert: the commit fails if there is one
    /// for the same subject.
    pub(crate) fn open_alert(
        &self,
        change: &mut Change,
        rule: &AlertRule,
        subject: &str,
        finding: Finding,
    ) -> Alert {
        let now = self.clock.now();
        let alert = Alert {
            id: AlertId::new(now, &*self.chance),
            rule: rule.id,
            rule_name: rule.name.clone(),
            kind: rule.watch.kind(),
            severity: rule.severity,
            subject: subject.to_owned(),
            problem: finding.problem.to_owned(),
            summary: finding.summary,
            facts: finding.facts,
            state: AlertState::Firing,
            opened_at: now,
            updated_at: now,
            snoozed_until: None,
            escalates_at: escalates_at(rule, now),
            escalated_at: None,
            resolved_at: None,
            recipients: rule.recipients.clone(),
            history: vec![AlertStep {
                at: now,
                act: AlertAct::Open,
                state: AlertState::Firing,
                by: None,
                note: None,
            }],
            revision: 1,
        };
        change.insert_alert(&alert);
        self.tell_alert(change, &alert, ("alerts.open", EventType::AlertOpened));
        let kept_from = AlertId::new(now.minus(limit::ALERT_KEPT), &*self.chance);
        change.prune_alerts(kept_from);
        alert
    }

    /// Journals what Bailee itself did to an alert.
    pub(crate) fn tell_alert(
        &self,
        change: &mut Change,
        alert: &Alert,
        (operation, event): (&'static str, EventType),
    ) {
        let note = Note::event(operation, event)
            .about(alert.id)
            .with(alert_facts(alert));
        change.journal(&self.own_entry(note));
    }

    /// The job that looks after a rule and its alerts.
    pub(crate) fn watch_job(&self, tenant: TenantId, rule: &str, run_at: Timestamp) -> Job {
        Job {
            id: JobId::new(self.clock.now(), &*self.chance),
            tenant,
            kind: JobKind::WatchRule,
            subject: rule.to_owned(),
            lane: format!("tenant:{tenant}"),
            run_at,
            priority: 0,
        }
    }
}

/// When an alert that begins to fire now escalates.
pub(crate) fn escalates_at(rule: &AlertRule, now: Timestamp) -> Option<Timestamp> {
    let escalation = rule.escalation.as_ref()?;
    let wait = Duration::from_secs(u64::from(escalation.after_minutes) * 60);
    Some(now.plus(wait))
}

/// What the journal says of an alert: the `data` of its events.
pub(crate) fn alert_facts(alert: &Alert) -> serde_json::Value {
    serde_json::json!({
        "alert_id": alert.id,
        "alert_rule_id": alert.rule,
        "rule_name": alert.rule_name,
        "kind": alert.kind,
        "severity": alert.severity,
        "state": alert.state,
        "subject": alert.subject,
        "problem": alert.problem,
        "summary": alert.summary,
        "facts": alert.facts,
        "recipients": alert.recipients,
        "opened_at": alert.opened_at,
        "snoozed_until": alert.snoozed_until,
        "links": { "self": format!("/v1/alerts/{}", alert.id) },
    })
}
