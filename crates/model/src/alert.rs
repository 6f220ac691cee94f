//! Alerts: what needs attention, from its beginning to its end.

use serde::{Deserialize, Serialize};

use crate::{
    AlertId, AlertRuleId, AlertRuleKind, Error, ErrorKind, Finding, Result, Timestamp, limit,
};

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look.
    #[default]
    Warning,
    /// Somebody must look now.
    Critical,
}

/// Where an alert is in its life.
///
/// | from | acknowledge | snooze | wake | resolve |
/// |---|---|---|---|---|
/// | firing | acknowledged | snoozed | – | resolved |
/// | acknowledged | – | snoozed | – | resolved |
/// | snoozed | acknowledged | snoozed | firing | resolved |
/// | resolved | – | – | – | – |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// It waits for somebody.
    Firing,
    /// Somebody is at it.
    Acknowledged,
    /// Nobody wants to hear of it for a time.
    Snoozed,
    /// It is over.
    Resolved,
}

/// What happens to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertAct {
    /// It began.
    Open,
    /// It is another problem now.
    Change,
    /// Somebody took it.
    Acknowledge,
    /// Somebody does not want to hear of it for a time.
    Snooze,
    /// That time is over.
    Wake,
    /// Nobody took it for too long.
    Escalate,
    /// It is over.
    Resolve,
}

impl AlertState {
    /// All states.
    pub const ALL: &'static [Self] = &[
        Self::Firing,
        Self::Acknowledged,
        Self::Snoozed,
        Self::Resolved,
    ];

    /// The state as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Acknowledged => "acknowledged",
            Self::Snoozed => "snoozed",
            Self::Resolved => "resolved",
        }
    }

    /// The state after an act; `None` where the act is impossible.
    pub const fn after(self, act: AlertAct) -> Option<Self> {
        Some(match (self, act) {
            (Self::Firing | Self::Snoozed, AlertAct::Acknowledge) => Self::Acknowledged,
            (Self::Firing | Self::Acknowledged | Self::Snoozed, AlertAct::Snooze) => Self::Snoozed,
            (Self::Snoozed, AlertAct::Wake) | (Self::Firing, AlertAct::Escalate) => Self::Firing,
            (Self::Firing | Self::Acknowledged | Self::Snoozed, AlertAct::Resolve) => {
                Self::Resolved
            }
            (Self::Firing | Self::Acknowledged | Self::Snoozed, AlertAct::Change) => self,
            _ => return None,
        })
    }
}

/// One line of an alert's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertStep {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub act: AlertAct,
    /// The state after it.
    pub state: AlertState,
    /// By whom; `None` for Bailee itself.
    pub by: Option<String>,
    /// Why, in words.
    pub note: Option<String>,
}

/// Who did something to an alert, and what they say about it.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlertHand<'a> {
    /// By label; `None` for Bailee itself.
    pub by: Option<&'a str>,
    /// Why, in words.
    pub note: Option<&'a str>,
}

/// What needs attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// What raised it.
    pub rule: AlertRuleId,
    /// The rule's name then.
    pub rule_name: String,
    /// What the rule watches.
    pub kind: AlertRuleKind,
    /// How bad it is.
    pub severity: Severity,
    /// What of the rule it is about: a window, a principal, a key. No two open alerts of a rule have the same.
    pub subject: String,
    /// What is wrong, in one word.
    pub problem: String,
    /// What is wrong, in a sentence.
    pub summary: String,
    /// Further facts.
    pub facts: serde_json::Value,
    /// Where it is in its life.
    pub state: AlertState,
    /// Since when it needs attention.
    pub opened_at: Timestamp,
    /// Since when it is like this.
    pub updated_at: Timestamp,
    /// Until when nobody wants to hear of it.
    pub snoozed_until: Option<Timestamp>,
    /// When others are told, unless somebody takes it before.
    pub escalates_at: Option<Timestamp>,
    /// When others were told.
    pub escalated_at: Option<Timestamp>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// Who is told, by names that mean something to the receivers of events.
    pub recipients: Vec<String>,
    /// All that happened to it, the newest last.
    pub history: Vec<AlertStep>,
    /// Rises with every change: the object's ETag.
    pub revision: u64,
}

impl Alert {
    /// Takes it.
    pub fn acknowledge(&mut self, now: Timestamp, hand: AlertHand<'_>) -> Result<()> {
        self.step(now, AlertAct::Acknowledge, hand)?;
        self.escalates_at = None;
        self.snoozed_until = None;
        Ok(())
    }

    /// Leaves it alone until a time.
    pub fn snooze(&mut self, now: Timestamp, until: Timestamp, hand: AlertHand<'_>) -> Result<()> {
        self.step(now, AlertAct::Snooze, hand)?;
        self.snoozed_until = Some(until);
        Ok(())
    }

    /// Comes back after its sleep. The time until it escalates begins again.
    pub fn wake(&mut self, now: Timestamp, escalates_at: Option<Timestamp>) -> Result<()> {
        self.step(now, AlertAct::Wake, AlertHand::default())?;
        self.snoozed_until = None;
        self.escalates_at = escalates_at.filter(|_| self.escalated_at.is_none());
        Ok(())
    }

    /// Others are to be told.
    pub fn escalate(&mut self, now: Timestamp) -> Result<()> {
        self.step(now, AlertAct::Escalate, AlertHand::default())?;
        self.escalates_at = None;
        self.escalated_at = Some(now);
        Ok(())
    }

    /// It is over.
    pub fn resolve(&mut self, now: Timestamp, hand: AlertHand<'_>) -> Result<()> {
        self.step(now, AlertAct::Resolve, hand)?;
        self.snoozed_until = None;
        self.escalates_at = None;
        self.resolved_at = Some(now);
        Ok(())
    }

    /// It is another problem now.
    pub fn change(&mut self, now: Timestamp, finding: Finding) -> Result<()> {
        let hand = AlertHand {
            by: None,
            note: Some(&finding.summary),
        };
        self.step(now, AlertAct::Change, hand)?;
        self.problem = finding.problem.to_owned();
        self.summary = finding.summary;
        self.facts = finding.facts;
        Ok(())
    }

    /// When something is to be done about it by itself.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            AlertState::Firing => self.escalates_at,
            AlertState::Snoozed => self.snoozed_until,
            AlertState::Acknowledged | AlertState::Resolved => None,
        }
    }

    fn step(&mut self, now: Timestamp, act: AlertAct, hand: AlertHand<'_>) -> Result<()> {
        let Some(state) = self.state.after(act) else {
            let detail = format!("The alert is {} already.", self.state.as_str());
            return Err(Error::new(ErrorKind::StateConflict, detail));
        };
        self.state = state;
        self.updated_at = now;
        self.revision += 1;
        // The beginning is kept, whatever comes.
        if self.history.len() >= limit::ALERT_HISTORY_MAX {
            self.history.remove(1);
        }
        self.history.push(AlertStep {
            at: now,
            act,
            state,
            by: hand.by.map(str::to_owned),
            note: hand.note.map(str::to_owned),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTS: [AlertAct; 7] = [
        AlertAct::Open,
        AlertAct::Change,
        AlertAct::Acknowledge,
        AlertAct::Snooze,
        AlertAct::Wake,
        AlertAct::Escalate,
        AlertAct::Resolve,
    ];

    #[test]
    fn what_is_over_stays_over() {
        for act in ACTS {
            assert_eq!(AlertState::Resolved.after(act), None, "{act:?}");
        }
    }

    #[test]
    fn everything_else_can_be_resolved_and_nothing_opens_twice() {
        for state in AlertState::ALL {
            let is_open = *state != AlertState::Resolved;
            assert_eq!(state.after(AlertAct::Resolve).is_some(), is_open);
            assert_eq!(state.after(AlertAct::Change), is_open.then_some(*state));
            assert_eq!(state.after(AlertAct::Open), None);
        }
    }

    #[test]
    fn only_what_waits_escalates_and_only_what_sleeps_wakes() {
        for state in AlertState::ALL {
            let escalates = state.after(AlertAct::Escalate).is_some();
            assert_eq!(escalates, *state == AlertState::Firing);
            let wakes = state.after(AlertAct::Wake).is_some();
            assert_eq!(wakes, *state == AlertState::Snoozed);
        }
    }
}
