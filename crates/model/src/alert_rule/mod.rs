//! Alert rules: what raises alerts.

mod filter;
mod habits;
mod window;

pub use filter::EntryFilter;
pub use habits::{Habits, Novelty, NoveltyKind};
pub use window::{ExpectedFile, FileCount, WindowSpan};

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{AlertRuleId, PrincipalId, Severity, Timestamp, Zone};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What a rule watches.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum AlertRuleKind { $($(#[$doc])* $name,)* }

        impl AlertRuleKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The kind as on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// Files that come in a window of each day, or do not.
    ExpectedFile = "expected_file";
    /// A number that rises above another.
    Threshold = "threshold";
    /// Something that does not happen any more.
    Absence = "absence";
    /// Something that happens more or less often than before.
    Rate = "rate";
    /// Something that a principal never did before.
    FirstSeen = "first_seen";
    /// A credential that runs out.
    Expiry = "expiry";
    /// Something that fares badly.
    Health = "health";
}

/// What a threshold is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "measure", rename_all = "snake_case")]
pub enum Measure {
    /// Journal entries in the time.
    Entries {
        /// Which.
        filter: EntryFilter,
    },
    /// Seconds for which the oldest job that is due has waited.
    QueueAge,
    /// Transfers in the time that failed, in percent of those that ended.
    FailedShare {
        /// With fewer than these it says nothing.
        ended_min: u64,
    },
}

/// A number that rises above another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// What is measured.
    pub measure: Measure,
    /// The most that is fine.
    pub above: u64,
    /// In this time.
    pub minutes: u32,
}

/// Something that does not happen any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// Which entries.
    pub filter: EntryFilter,
    /// For so long.
    pub minutes: u32,
}

/// Something that happens more or less often than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Which entries.
    pub filter: EntryFilter,
    /// This time is compared with the one before.
    pub minutes: u32,
    /// It rose by more than this, in percent.
    pub rises_percent: Option<u32>,
    /// It fell by more than this, in percent.
    pub falls_percent: Option<u32>,
    /// With fewer in the larger of both it says nothing.
    pub entries_min: u64,
}

/// Something that a principal never did before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSeen {
    /// What is looked at.
    pub what: Vec<NoveltyKind>,
    /// So long nothing is said about a principal.
    pub learning_days: u32,
    /// Whose hours and days.
    pub zone: Zone,
    /// So many times the most that was moved in a day before is unusual.
    pub volume_factor: u32,
    /// Less than this in a day is never unusual.
    pub volume_bytes_min: u64,
}

/// What runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiring {
    /// API keys.
    ApiKeys,
    /// OpenPGP keys and their subkeys.
    PgpKeys,
    /// Certificates by which remotes are reached.
    RemoteCertificates,
}

/// A credential that runs out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// What is looked at.
    pub what: Vec<Expiring>,
    /// So long before.
    pub days: u32,
}

/// What can fare badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// Consumers of the journal that lag behind.
    Journal,
    /// Webhooks whose receivers fail.
    Webhooks,
    /// Remotes that cannot be reached, or that transfers leave alone.
    Remotes,
}

/// Something that fares badly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// What is looked at.
    pub what: Vec<Watched>,
    /// So long is fine.
    pub minutes: u32,
}

/// What a rule watches, with all that it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Watch {
    /// Files that come in a window of each day, or do not.
    ExpectedFile(Box<ExpectedFile>),
    /// A number that rises above another.
    Threshold(Threshold),
    /// Something that does not happen any more.
    Absence(Absence),
    /// Something that happens more or less often than before.
    Rate(Rate),
    /// Something that a principal never did before.
    FirstSeen(FirstSeen),
    /// A credential that runs out.
    Expiry(Expiry),
    /// Something that fares badly.
    Health(Health),
}

impl Watch {
    /// Its kind.
    pub const fn kind(&self) -> AlertRuleKind {
        match self {
            Self::ExpectedFile(_) => AlertRuleKind::ExpectedFile,
            Self::Threshold(_) => AlertRuleKind::Threshold,
            Self::Absence(_) => AlertRuleKind::Absence,
            Self::Rate(_) => AlertRuleKind::Rate,
            Self::FirstSeen(_) => AlertRuleKind::FirstSeen,
            Self::Expiry(_) => AlertRuleKind::Expiry,
            Self::Health(_) => AlertRuleKind::Health,
        }
    }

    /// The time whose entries it counts, in minutes; `None` if it counts none.
    pub const fn counted_minutes(&self) -> Option<u32> {
        match self {
            Self::Threshold(threshold) => match threshold.measure {
                Measure::QueueAge => None,
                Measure::Entries { .. } | Measure::FailedShare { .. } => Some(threshold.minutes),
            },
            Self::Absence(absence) => Some(absence.minutes),
            Self::Rate(rate) => Some(rate.minutes.saturating_mul(2)),
            Self::ExpectedFile(_) | Self::FirstSeen(_) | Self::Expiry(_) | Self::Health(_) => None,
        }
    }
}

/// When nobody takes an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// For so long.
    pub after_minutes: u32,
    /// Who is told then.
    pub recipients: Vec<String>,
}

/// What raises alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRule {
    /// Its id.
    pub id: AlertRuleId,
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
    /// Who is told, by names that mean something to the receivers of events.
    pub recipients: Vec<String>,
    /// When nobody takes an alert.
    pub escalation: Option<Escalation>,
    /// Who made it.
    pub created_by: PrincipalId,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Since when it watches like this: nothing before counts.
    pub watches_since: Timestamp,
    /// Rises with every change: the object's ETag.
    pub revision: u64,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// In one word.
    pub problem: &'static str,
    /// In a sentence.
    pub summary: String,
    /// Further facts.
    pub facts: serde_json::Value,
}

/// What a rule found out about its subjects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdicts {
    /// What is wrong with a subject, or that nothing is.
    pub found: Vec<(String, Option<Finding>)>,
}

impl Verdicts {
    /// One subject's.
    pub fn of(subject: impl Into<String>, finding: Option<Finding>) -> Self {
        Self {
            found: vec![(subject.into(), finding)],
        }
    }
}

/// What a rule remembers from one look to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertMemory {
    /// Subjects with which something was wrong: they raise no second alert before all was well again.
    #[serde(default)]
    pub wrong: BTreeSet<String>,
    /// The opening of the window that is watched.
    #[serde(default)]
    pub window: Option<Timestamp>,
    /// When it was looked at.
    #[serde(default)]
    pub looked_at: Option<Timestamp>,
}
