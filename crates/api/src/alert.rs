//! Alerts: what needs attention.

use bailee_model::{self as model, AlertId, AlertRuleId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};
use crate::{AlertRuleKind, Links, List};

words! {
    /// How bad it is.
    Severity {
        /// Good to know.
        Info = "info",
        /// Somebody should look.
        Warning = "warning",
        /// Somebody must look now.
        Critical = "critical",
    }
}
words_from!(bailee_model::Severity => Severity { Info, Warning, Critical });

words! {
    /// Where an alert is in its life. `resolved` is final.
    AlertState {
        /// It waits for somebody.
        Firing = "firing",
        /// Somebody is at it.
        Acknowledged = "acknowledged",
        /// Nobody wants to hear of it before `snoozed_until`.
        Snoozed = "snoozed",
        /// It is over.
        Resolved = "resolved",
    }
}
words_from!(bailee_model::AlertState => AlertState { Firing, Acknowledged, Snoozed, Resolved });

words! {
    /// What happened to an alert.
    AlertAct {
        /// It began.
        Open = "open",
        /// It is another problem now.
        Change = "change",
        /// Somebody took it.
        Acknowledge = "acknowledge",
        /// Somebody does not want to hear of it for a time.
        Snooze = "snooze",
        /// That time is over.
        Wake = "wake",
        /// Nobody took it for too long.
        Escalate = "escalate",
        /// It is over.
        Resolve = "resolve",
    }
}
words_from!(bailee_model::AlertAct => AlertAct { Open, Change, Acknowledge, Snooze, Wake, Escalate, Resolve });

/// One line of an alert's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertStep {
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub at: Timestamp,
    /// What happened.
    pub act: AlertAct,
    /// The state after it.
    pub state: AlertState,
    /// By whom, by label; null for Bailee itself.
    #[schema(required, example = "usr:ann")]
    pub by: Option<String>,
    /// Why, in words.
    #[schema(required)]
    pub note: Option<String>,
}

/// What needs attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Names the alert.
    #[schema(value_type = String, example = "alr_01m7yp4mxce2p9mnpcpdzk3jvm")]
    pub alert_id: AlertId,
    /// The rule that raised it.
    #[schema(value_type = String, example = "arl_01m7yp4mxce2p9mnpcpdzk3jvm")]
    pub alert_rule_id: AlertRuleId,
    /// The rule's name then.
    pub rule_name: String,
    /// What the rule watches.
    pub kind: AlertRuleKind,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is in its life.
    pub state: AlertState,
    /// What of the rule it is about: a window, a principal, a key. No two open alerts of a rule have the same.
    pub subject: String,
    /// What is wrong, in one word.
    #[schema(example = "missing")]
    pub problem: String,
    /// What is wrong, in a sentence.
    pub summary: String,
    /// Further facts, by the kind of the rule.
    #[schema(value_type = Object)]
    pub facts: serde_json::Value,
    /// Who is told, by names that mean something to the receivers of events.
    pub recipients: Vec<String>,
    /// Since when it needs attention.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub opened_at: Timestamp,
    /// Since when it is like this.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub updated_at: Timestamp,
    /// Until when nobody wants to hear of it.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub snoozed_until: Option<Timestamp>,
    /// When others are told, unless somebody takes it before.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub escalates_at: Option<Timestamp>,
    /// When others were told.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub escalated_at: Option<Timestamp>,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub resolved_at: Option<Timestamp>,
    /// All that happened to it, the newest last.
    pub history: Vec<AlertStep>,
    /// Where it is found.
    pub links: Links,
}

/// A page of alerts.
pub type AlertList = List<Alert>;

/// Body of `POST /alerts/{alert_id}/acknowledge` and `/resolve`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteAlert {
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Body of `POST /alerts/{alert_id}/snooze`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"seconds": 3600, "note": "the partner is informed"}))]
pub struct SnoozeAlert {
    /// Until when, at most 30 days away. This or `seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub until: Option<Timestamp>,
    /// For so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 2_592_000)]
    pub seconds: Option<u64>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl From<&model::Alert> for Alert {
    fn from(alert: &model::Alert) -> Self {
        let history = alert.history.iter().map(|step| AlertStep {
            at: step.at,
            act: step.act.into(),
            state: step.state.into(),
            by: step.by.clone(),
            note: step.note.clone(),
        });
        Self {
            alert_id: alert.id,
            alert_rule_id: alert.rule,
            rule_name: alert.rule_name.clone(),
            kind: alert.kind.into(),
            severity: alert.severity.into(),
            state: alert.state.into(),
            subject: alert.subject.clone(),
            problem: alert.problem.clone(),
            summary: alert.summary.clone(),
            facts: alert.facts.clone(),
            recipients: alert.recipients.clone(),
            opened_at: alert.opened_at,
            updated_at: alert.updated_at,
            snoozed_until: alert.snoozed_until,
            escalates_at: alert.escalates_at,
            escalated_at: alert.escalated_at,
            resolved_at: alert.resolved_at,
            history: history.collect(),
            links: Links::to("alerts", alert.id),
        }
    }
}
