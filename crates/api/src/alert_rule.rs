//! Alert rules: what raises alerts.

use bailee_model::{self as model, AlertRuleId, CalendarId, PrincipalId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};
use crate::{Links, List, Severity, object};

words! {
    /// What a rule watches.
    AlertRuleKind {
        /// Files that come in a window of each day, or do not.
        ExpectedFile = "expected_file",
        /// A number that rises above another.
        Threshold = "threshold",
        /// Something that does not happen any more.
        Absence = "absence",
        /// Something that happens more or less often than before.
        Rate = "rate",
        /// Something that a principal never did before.
        FirstSeen = "first_seen",
        /// A credential that runs out.
        Expiry = "expiry",
        /// Something that fares badly.
        Health = "health",
    }
}
words_from!(bailee_model::AlertRuleKind => AlertRuleKind { ExpectedFile, Threshold, Absence, Rate, FirstSeen, Expiry, Health });

/// Makes the two forms of a part of a rule: as it is wished, where what is not known is refused, and as it is shown,
/// where a reader skips it.
macro_rules! twins {
    ($($(#[$doc:meta])* $wish:ident, $shown:ident $([$filter:ident])? {
        $($(#[$field_meta:meta])* $field:ident: $kind:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $wish {
            $(
                /// Which entries.
                #[serde(default, deserialize_with = "object::or_null")]
                pub $filter: Option<CreateEntryFilter>,
            )?
            $($(#[$field_meta])* #[serde(default)] pub $field: $kind,)*
        }

        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub struct $shown {
            $(
                /// Which entries.
                #[serde(default)]
                #[schema(required)]
                pub $filter: Option<EntryFilter>,
            )?
            $($(#[$field_meta])* #[serde(default)] #[schema(required)] pub $field: $kind,)*
        }

        impl From<$wish> for $shown {
            fn from(wish: $wish) -> Self {
                Self {
                    $($filter: wish.$filter.map(Into::into),)?
                    $($field: wish.$field,)*
                }
            }
        }
    )*};
}

twins! {
    /// Which journal entries count. What is absent is not looked at; entries about alerts never count.
    CreateEntryFilter, EntryFilter {
        /// Event types, or families such as `transfer.*`; all entries if empty.
        types: Vec<String>,
        /// Operations, such as `files.upload`.
        operations: Vec<String>,
        /// By whom, by label, such as `svc:nightly`.
        user: Option<String>,
        /// How it ended: `success`, `denied` or `error`.
        status: Option<String>,
        /// About a path below this one.
        path_prefix: Option<String>,
        /// About a transfer from or to this remote.
        remote: Option<String>,
    }
}

twins! {
    /// Files that come in a window of each day, or do not.
    CreateExpectedFile, ExpectedFile {
        /// They come into this folder of Bailee, or below it.
        #[schema(example = "/in/prices")]
        folder: String,
        /// And are named like this: `*.csv` is about the name, `2026/**/*.csv` about the path below the folder.
        #[schema(example = "prices-*.csv")]
        pattern: Option<String>,
        /// And are brought by transfers from this remote.
        remote: Option<String>,
        /// The window's first minute.
        #[schema(example = "02:00")]
        opens: String,
        /// The first minute after it; before `opens` it is one of the next day.
        #[schema(example = "04:00")]
        closes: String,
        /// Whose clocks; `UTC` when absent.
        #[schema(example = "Europe/Berlin")]
        time_zone: Option<String>,
        /// Whose working days and holidays.
        #[schema(value_type = Option<String>, example = "cal_01m7yp4mxce2p9mnpcpdzk3jvm")]
        calendar_id: Option<CalendarId>,
        /// On which days: `every_day`, `not_on_holidays` or `business_days`; `every_day` when absent.
        #[schema(value_type = Option<crate::DayRule>)]
        day_rule: Option<model::DayRule>,
        /// At least so many; 1 when absent.
        #[schema(minimum = 1)]
        files_min: Option<u64>,
        /// Each of at least so many bytes; 0 when absent.
        bytes_min: Option<u64>,
        /// So long after the window they are `late`; after that they are `missing`, `too_few` or `too_small`. 0 when absent.
        #[schema(minimum = 0, maximum = 10080)]
        late_minutes: Option<u32>,
    }

    /// A number that rises above another.
    CreateThreshold, Threshold [filter] {
        /// `entries` of the journal, `queue_age` in seconds, or `failed_share` of transfers in percent.
        #[schema(example = "entries")]
        measure: String,
        /// The most that is fine.
        above: u64,
        /// In this time; 15 when absent. `queue_age` is of this moment.
        #[schema(minimum = 1, maximum = 10080)]
        minutes: Option<u32>,
        /// With fewer ended transfers `failed_share` says nothing; 10 when absent.
        ended_min: Option<u64>,
    }

    /// Something that does not happen any more.
    CreateAbsence, Absence [filter] {
        /// For so long.
        #[schema(minimum = 1, maximum = 10080)]
        minutes: u32,
    }

    /// Something that happens more or less often than before.
    CreateRate, Rate [filter] {
        /// This time is compared with the one before it.
        #[schema(minimum = 1, maximum = 5040)]
        minutes: u32,
        /// It rose by more than this, in percent.
        rises_percent: Option<u32>,
        /// It fell by more than this, in percent.
        #[schema(minimum = 1, maximum = 100)]
        falls_percent: Option<u32>,
        /// With fewer in the larger of both times it says nothing; 10 when absent.
        entries_min: Option<u64>,
    }

    /// Something that a principal never did before.
    CreateFirstSeen, FirstSeen {
        /// `network`, `credential`, `hour`, `volume`.
        what: Vec<String>,
        /// So long nothing is said about a principal; 7 when absent.
        #[schema(minimum = 0, maximum = 90)]
        learning_days: Option<u32>,
        /// Whose hours and days; `UTC` when absent.
        time_zone: Option<String>,
        /// So many times the most that was moved in a day before is unusual; 5 when absent.
        #[schema(minimum = 1, maximum = 1000)]
        volume_factor: Option<u32>,
        /// Less than this in a day is never unusual; 1 GiB when absent.
        volume_bytes_min: Option<u64>,
    }

    /// A credential that runs out.
    CreateExpiry, Expiry {
        /// `api_keys`, `pgp_keys`, `remote_certificates`.
        what: Vec<String>,
        /// So long before; 14 when absent.
        #[schema(minimum = 1, maximum = 365)]
        days: Option<u32>,
    }

    /// Something that fares badly.
    CreateHealthWatch, HealthWatch {
        /// `journal`: consumers that lag behind. `webhooks`: receivers that fail.
        /// `remotes`: far systems that cannot be reached, or that transfers leave alone.
        what: Vec<String>,
        /// So long is fine; 15 when absent.
        #[schema(minimum = 1, maximum = 10080)]
        minutes: Option<u32>,
    }

    /// When nobody takes an alert.
    CreateEscalation, Escalation {
        /// For so long.
        #[schema(minimum = 1, maximum = 10080)]
        after_minutes: u32,
        /// Who is told then, by names that mean something to the receivers of events.
        recipients: Vec<String>,
    }
}

/// Body of `POST /alert-rules` and `PUT /alert-rules/{alert_rule_id}`: what is to be watched stands in the member that
/// `kind` names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "prices", "kind": "expected_file", "severity": "critical", "recipients": ["ops"], "escalation": {"after_minutes": 30, "recipients": ["head-of-ops"]}, "expected_file": {"folder": "/in/prices", "pattern": "prices-*.csv", "opens": "02:00", "closes": "04:00", "time_zone": "Europe/Berlin", "day_rule": "business_days", "late_minutes": 30}}))]
pub struct CreateAlertRule {
    /// Unique in the tenant.
    pub name: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it watches. A rule keeps its kind.
    #[schema(value_type = AlertRuleKind)]
    pub kind: model::AlertRuleKind,
    /// How bad its alerts are; `warning` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Severity>)]
    pub severity: Option<model::Severity>,
    /// Whether it raises any; yes when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Who is told, by names that mean something to the receivers of events.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub recipients: Vec<String>,
    /// When nobody takes an alert.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub escalation: Option<CreateEscalation>,
    /// With kind `expected_file`.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub expected_file: Option<CreateExpectedFile>,
    /// With kind `threshold`.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub threshold: Option<CreateThreshold>,
    /// With kind `absence`.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub absence: Option<CreateAbsence>,
    /// With kind `rate`.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub rate: Option<CreateRate>,
    /// With kind `first_seen`.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub first_seen: Option<CreateFirstSeen>,
    /// With kind `expiry`.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub expiry: Option<CreateExpiry>,
    /// With kind `health`.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub health: Option<CreateHealthWatch>,
}

/// What raises alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertRule {
    /// Names the rule.
    #[schema(value_type = String, example = "arl_01m7yp4mxce2p9mnpcpdzk3jvm")]
    pub alert_rule_id: AlertRuleId,
    /// Unique in the tenant.
    pub name: String,
    /// For people.
    #[schema(required)]
    pub description: Option<String>,
    /// What it watches.
    pub kind: AlertRuleKind,
    /// How bad its alerts are.
    pub severity: Severity,
    /// Whether it raises any.
    pub enabled: bool,
    /// Who is told.
    pub recipients: Vec<String>,
    /// When nobody takes an alert.
    #[schema(required)]
    pub escalation: Option<Escalation>,
    /// With kind `expected_file`.
    #[schema(required)]
    pub expected_file: Option<ExpectedFile>,
    /// With kind `threshold`.
    #[schema(required)]
    pub threshold: Option<Threshold>,
    /// With kind `absence`.
    #[schema(required)]
    pub absence: Option<Absence>,
    /// With kind `rate`.
    #[schema(required)]
    pub rate: Option<Rate>,
    /// With kind `first_seen`.
    #[schema(required)]
    pub first_seen: Option<FirstSeen>,
    /// With kind `expiry`.
    #[schema(required)]
    pub expiry: Option<Expiry>,
    /// With kind `health`.
    #[schema(required)]
    pub health: Option<HealthWatch>,
    /// Who made it.
    #[schema(value_type = String, example = "svc_01m7yp4pz8ev5b9ts55c7j3qdp")]
    pub created_by: PrincipalId,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Since when it watches like this: nothing before counts.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub watches_since: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of alert rules.
pub type AlertRuleList = List<AlertRule>;
