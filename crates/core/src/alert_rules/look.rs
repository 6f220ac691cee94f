//! One look of a rule: what is found becomes alerts, or ends them.

use bailee_model::{
    Alert, AlertHand, AlertMemory, AlertRule, AlertRuleId, AlertState, Error, ErrorKind, EventType,
    Finding, JobKind, Lease, Result, Timestamp, Verdicts, limit,
};
use bailee_store::{Change, DbError, conflict};

use super::judge::Judged;
use super::{AlertRules, error};
use crate::alerts::escalates_at;
use crate::jobs::fenced;

/// What ends an alert by itself.
const WELL_AGAIN: &str = "All is well again.";

impl AlertRules<'_> {
    /// Looks whether a rule's condition holds, and after the alerts that it raised: one transaction, under the lease.
    /// `state_conflict`: the lease is lost, or something was changed meanwhile; it is to be looked at again.
    pub async fn look(&self, lease: &Lease) -> Result<()> {
        let tenant = lease.job.tenant;
        let id: AlertRuleId = lease.job.subject.parse().map_err(Error::internal)?;
        let reader = self.core.store.queue().reader(tenant);
        let found = reader.rule_and_memory(id).await.map_err(error::from_db)?;
        let Some((rule, memory)) = found else {
            return self.core.jobs().finish(lease).await;
        };
        let now = self.core.clock.now();
        let counted = self.counted_since(&reader, &rule, (&memory, now)).await?;
        let judged = if rule.is_enabled {
            self.judge(&reader, &rule, (&memory, now)).await?
        } else {
            Judged::default()
        };
        if judged.is_early {
            let again = now.plus(limit::RULE_LOOK_AGAIN);
            return self.core.jobs().postpone(lease, again).await;
        }
        let mut remembered = memory.clone();
        let mut open = reader.open_alerts(id).await.map_err(error::from_db)?;
        let mut change = self.core.store.queue().change(tenant);
        let opened = self.settle(
            &mut change,
            (&rule, &mut remembered),
            (&mut open, judged.verdicts),
        )?;
        self.look_after(&mut change, &rule, &mut open)?;
        for (principal, habits) in &judged.learned {
            change.put_habits(id, principal, habits);
        }
        if let Some(window) = judged.window {
            // Windows of the past are not judged again.
            let window = window.to_string();
            let is_open = |subject: &String| open.iter().any(|alert| alert.subject == *subject);
            remembered
                .wrong
                .retain(|subject| *subject == window || is_open(subject));
        }
        remembered.window = judged.window;
        remembered.looked_at = Some(now);
        change.remember(&rule, &remembered);
        if let Some(before) = judged.prune_before {
            change.prune_counts(id, before);
        }
        let of_alerts = open.iter().chain(&opened).filter_map(Alert::due_at).min();
        let next_at = judged.next_at.into_iter().chain(of_alerts).min();
        match next_at {
            Some(at) => change.run_again(lease, at.max(now)),
            None => change.finish_job(lease),
        };
        change.commit().await.map_err(|error| match error {
            DbError::Conflict(
                conflict::ALERT_RULE | conflict::ALERT_OPEN | conflict::ALERT_REVISION,
            ) => Error::new(
                ErrorKind::StateConflict,
                "The rule or an alert was changed in the meantime.",
            ),
            other => fenced(other),
        })?;
        // Whoever counted meanwhile could not make the job due that was held here.
        if self.counted_since(&reader, &rule, (&memory, now)).await? != counted {
            let mut change = self.core.store.queue().change(tenant);
            let again = now.plus(limit::RULE_LOOK_AGAIN);
            change.sooner(JobKind::WatchRule, &lease.job.subject, again);
            change.commit().await.map_err(error::from_db)?;
        }
        Ok(())
    }

    /// Opens, changes and resolves what the verdicts say. What was wrong and still is raises no second alert, even when
    /// somebody resolved the first.
    fn settle(
        &self,
        change: &mut Change,
        (rule, memory): (&AlertRule, &mut AlertMemory),
        (open, verdicts): (&mut Vec<Alert>, Verdicts),
    ) -> Result<Vec<Alert>> {
        let mut opened = Vec::new();
        for (subject, finding) in verdicts.found {
            let at = open.iter().position(|alert| alert.subject == subject);
            match (finding, at) {
                (Some(finding), Some(at)) => {
                    memory.wrong.insert(subject);
                    if let Some(alert) = open.get_mut(at) {
                        self.follow(change, alert, finding)?;
                    }
                }
                (Some(finding), None) => {
                    let has_room = opened.len() < limit::ALERTS_AT_ONCE_MAX;
                    if has_room && memory.wrong.insert(subject.clone()) {
                        opened.push(self.core.open_alert(change, rule, &subject, finding));
                    }
                }
                (None, at) => {
                    memory.wrong.remove(&subject);
                    if let Some(at) = at {
                        let mut alert = open.swap_remove(at);
                        let read = alert.revision;
                        let hand = AlertHand {
                            by: None,
                            note: Some(WELL_AGAIN),
                        };
                        alert.resolve(self.core.clock.now(), hand)?;
                        change.put_alert(&alert, read);
                        let told = ("alerts.resolve", EventType::AlertResolved);
                        self.core.tell_alert(change, &alert, told);
                    }
                }
            }
        }
        Ok(opened)
    }

    /// An open alert whose problem is another one now says so.
    fn follow(&self, change: &mut Change, alert: &mut Alert, finding: Finding) -> Result<()> {
        if alert.problem == finding.problem {
            return Ok(());
        }
        let read = alert.revision;
        alert.change(self.core.clock.now(), finding)?;
        change.put_alert(alert, read);
        let told = ("alerts.change", EventType::AlertChanged);
        self.core.tell_alert(change, alert, told);
        Ok(())
    }

    /// Wakes what slept long enough, and tells others of what nobody took.
    fn look_after(&self, change: &mut Change, rule: &AlertRule, open: &mut [Alert]) -> Result<()> {
        let now = self.core.clock.now();
        for alert in open {
            if alert.due_at().is_none_or(|due_at: Timestamp| due_at > now) {
                continue;
            }
            let read = alert.revision;
            let told = if alert.state == AlertState::Snoozed {
                alert.wake(now, escalates_at(rule, now))?;
                ("alerts.wake", EventType::AlertChanged)
            } else {
                alert.escalate(now)?;
                if let Some(escalation) = &rule.escalation {
                    let others = escalation.recipients.iter();
                    let others = others.filter(|other| !alert.recipients.contains(other));
                    let others: Vec<String> = others.cloned().collect();
                    alert.recipients.extend(others);
                }
                ("alerts.escalate", EventType::AlertEscalated)
            };
            change.put_alert(alert, read);
            self.core.tell_alert(change, alert, told);
        }
        Ok(())
    }
}
