use axum::response::Response;
use bailee_api::{
    Absence, AlertRule, EntryFilter, Escalation, ExpectedFile, Expiry, FirstSeen, HealthWatch,
    Links, Rate, Threshold,
};
use bailee_model::{self as model, Measure, Watch};
use serde::Serialize;

use crate::answer::{Body, tagged};

/// An alert rule as clients see it.
pub(super) fn view(rule: &model::AlertRule) -> AlertRule {
    let mut shown = AlertRule {
        alert_rule_id: rule.id,
        name: rule.name.clone(),
        description: rule.description.clone(),
        kind: rule.watch.kind().into(),
        severity: rule.severity.into(),
        enabled: rule.is_enabled,
        recipients: rule.recipients.clone(),
        escalation: rule.escalation.as_ref().map(|escalation| Escalation {
            after_minutes: escalation.after_minutes,
            recipients: escalation.recipients.clone(),
        }),
        expected_file: None,
        threshold: None,
        absence: None,
        rate: None,
        first_seen: None,
        expiry: None,
        health: None,
        created_by: rule.created_by,
        created_at: rule.created_at,
        watches_since: rule.watches_since,
        links: Links::to("alert-rules", rule.id),
    };
    show_watch(&mut shown, &rule.watch);
    shown
}

/// 200 with an alert rule and its ETag.
pub(super) fn found(rule: &model::AlertRule) -> Response {
    tagged(&rule.revision.to_string(), Body(view(rule)))
}

fn show_watch(shown: &mut AlertRule, watch: &Watch) {
    match watch {
        Watch::ExpectedFile(expected) => shown.expected_file = Some(expected_file(expected)),
        Watch::Threshold(threshold) => shown.threshold = Some(show_threshold(threshold)),
        Watch::Absence(absence) => {
            shown.absence = Some(Absence {
                filter: Some(filter(&absence.filter)),
                minutes: absence.minutes,
            });
        }
        Watch::Rate(rate) => {
            shown.rate = Some(Rate {
                filter: Some(filter(&rate.filter)),
                minutes: rate.minutes,
                rises_percent: rate.rises_percent,
                falls_percent: rate.falls_percent,
                entries_min: Some(rate.entries_min),
            });
        }
        Watch::FirstSeen(first) => {
            shown.first_seen = Some(FirstSeen {
                what: words(&first.what),
                learning_days: Some(first.learning_days),
                time_zone: Some(first.zone.to_string()),
                volume_factor: Some(first.volume_factor),
                volume_bytes_min: Some(first.volume_bytes_min),
            });
        }
        Watch::Expiry(expiry) => {
            shown.expiry = Some(Expiry {
                what: words(&expiry.what),
                days: Some(expiry.days),
            });
        }
        Watch::Health(health) => {
            shown.health = Some(HealthWatch {
                what: words(&health.what),
                minutes: Some(health.minutes),
            });
        }
    }
}

fn expected_file(expected: &model::ExpectedFile) -> ExpectedFile {
    ExpectedFile {
        folder: expected.folder.to_string(),
        pattern: expected.pattern.as_ref().map(ToString::to_string),
        remote: expected.remote.as_ref().map(ToString::to_string),
        opens: expected.opens.to_string(),
        closes: expected.closes.to_string(),
        time_zone: Some(expected.zone.to_string()),
        calendar_id: expected.calendar,
        day_rule: Some(expected.day_rule),
        files_min: Some(expected.files_min),
        bytes_min: Some(expected.bytes_min),
        late_minutes: Some(expected.late_minutes),
    }
}

fn show_threshold(threshold: &model::Threshold) -> Threshold {
    let (measure, counted, ended_min) = match &threshold.measure {
        Measure::Entries { filter: wanted } => ("entries", Some(filter(wanted)), None),
        Measure::QueueAge => ("queue_age", None, None),
        Measure::FailedShare { ended_min } => ("failed_share", None, Some(*ended_min)),
    };
    Threshold {
        filter: counted,
        measure: measure.to_owned(),
        above: threshold.above,
        minutes: Some(threshold.minutes),
        ended_min,
    }
}

fn filter(filter: &model::EntryFilter) -> EntryFilter {
    EntryFilter {
        types: filter.types.clone(),
        operations: filter.operations.clone(),
        user: filter.user.clone(),
        status: filter.status.clone(),
        path_prefix: filter.path_prefix.as_ref().map(ToString::to_string),
        remote: filter.remote.as_ref().map(ToString::to_string),
    }
}

/// The words that an enum has on the wire.
fn words<T: Serialize>(what: &[T]) -> Vec<String> {
    let word = |one: &T| match serde_json::to_value(one) {
        Ok(serde_json::Value::String(word)) => Some(word),
        _ => None,
    };
    what.iter().filter_map(word).collect()
}
