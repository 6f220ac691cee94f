//! Schedules: what happens by itself, and when.

mod cron;
mod plan;
#[cfg(test)]
mod tests;
mod zone;

pub use cron::{Cron, CronError};
pub use plan::{DayRule, DayTime, DayWindow, Timing};
pub use zone::Zone;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Calendar, CalendarId, FlowId, FlowRunId, KeyId, PrincipalId, ScheduleId, Timestamp, TransferId,
    limit,
};

/// What becomes of times that passed while nobody ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MisfireRule {
    /// One run stands for all of them.
    #[default]
    RunOnce,
    /// None is made up for.
    Skip,
    /// Each has its run, the newest ones up to a cap.
    RunAll,
}

/// How times that passed are dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Misfire {
    /// What becomes of them.
    pub rule: MisfireRule,
    /// Most runs that make up for them.
    pub runs_max: u32,
    /// A run that is not later than this is on time.
    pub grace_seconds: u32,
}

impl Default for Misfire {
    fn default() -> Self {
        Self {
            rule: MisfireRule::default(),
            runs_max: limit::MISFIRE_RUNS_DEFAULT,
            grace_seconds: limit::MISFIRE_GRACE_DEFAULT.as_secs() as u32,
        }
    }
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "target", rename_all = "snake_case")]
pub enum ScheduleTarget {
    /// A transfer like this.
    Transfer {
        /// The wish, in core's form.
        wish: serde_json::Value,
        /// So long after it was due, it ends with outcome `expired`.
        deadline_seconds: Option<u64>,
    },
    /// A flow.
    Flow {
        /// Which.
        flow: FlowId,
        /// Values of its parameters.
        params: BTreeMap<String, String>,
    },
}

/// What happens by itself, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Unique in the tenant.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// When.
    pub timing: Timing,
    /// Whose days.
    pub calendar: Option<CalendarId>,
    /// Runs are spread over so many seconds after their time.
    pub jitter_seconds: u32,
    /// What becomes of times that passed while nobody ran.
    pub misfire: Misfire,
    /// What runs.
    pub target: ScheduleTarget,
    /// Whether somebody holds it.
    pub is_paused: bool,
    /// The flow in whose document it stands: it changes with that, and its runs have the rights of the flow.
    #[serde(default)]
    pub stands_in: Option<FlowId>,
    /// Who made it, or changed it last: its runs have the rights of this principal.
    pub created_by: PrincipalId,
    /// By which key, whose limits bind its runs.
    pub created_with: Option<KeyId>,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Since when it is like this.
    pub updated_at: Timestamp,
    /// Rises with every change: the object's ETag.
    pub revision: u64,
    /// The next time; `None` while it is held, or if there is none.
    #[serde(default)]
    pub next_at: Option<Timestamp>,
}

/// One time of a schedule, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRun {
    /// When it was due.
    pub due_at: Timestamp,
    /// When it was taken up.
    pub ran_at: Timestamp,
    /// What came of it.
    pub result: ScheduleResult,
    /// Times before it that it stands for.
    pub missed: u32,
}

/// What came of a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum ScheduleResult {
    /// A transfer.
    Transfer {
        /// Which.
        transfer: TransferId,
    },
    /// A run of a flow.
    FlowRun {
        /// Which.
        run: FlowRunId,
    },
    /// Nothing: it was over when somebody looked, and is not made up for.
    Skipped,
    /// Nothing: it was refused.
    Refused {
        /// The problem's code.
        code: String,
        /// Why.
        message: String,
    },
}

/// What is to be done when a schedule is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Times that have their run now.
    pub runs: Vec<Timestamp>,
    /// The newest time that passed without a run.
    pub skipped: Option<Timestamp>,
    /// How many passed without a run.
    pub missed: u32,
    /// The newest time that has passed.
    pub last: Option<Timestamp>,
}

impl Schedule {
    /// The first time after `after`.
    pub fn next(&self, after: Timestamp, calendar: Option<&Calendar>) -> Option<Timestamp> {
        self.timing.next(after, calendar)
    }

    /// When the run of a time begins: the same on every node, as often as it is asked.
    pub fn begins_at(&self, due: Timestamp) -> Timestamp {
        if self.jitter_seconds == 0 {
            return due;
        }
        let mixed = mixed(self.id.bits() as u64 ^ due.ms() as u64);
        let spread_ms = u64::from(self.jitter_seconds) * 1000;
        due.plus(Duration::from_millis(mixed % (spread_ms + 1)))
    }

    /// What is to be done at `now` about the times from `next_at` on.
    pub fn due(&self, now: Timestamp, calendar: Option<&Calendar>) -> Due {
        let Some(first) = self.next_at.filter(|first| *first <= now) else {
            return Due::default();
        };
        let before = Timestamp::from_ms(first.ms() - 1);
        let mut times = self
            .timing
            .times_until((before, now), calendar, limit::MISSED_TIMES_MAX);
        // A calendar that was changed may have taken the day away.
        let Some(last) = times.last().copied() else {
            return Due::default();
        };
        // So long that nobody counts them all: the newest one is what matters.
        if times.len() == limit::MISSED_TIMES_MAX
            && let Some(newest) = self.newest(now, calendar)
            && newest > last
        {
            times.push(newest);
        }
        let total = times.len();
        let grace =
            Duration::from_secs(u64::from(self.misfire.grace_seconds + self.jitter_seconds));
        let keep = match self.misfire.rule {
            MisfireRule::RunOnce => 1,
            MisfireRule::RunAll => self.misfire.runs_max as usize,
            MisfireRule::Skip => times.iter().filter(|at| now.since(**at) <= grace).count(),
        };
        let runs = times.split_off(total.saturating_sub(keep));
        Due {
            last: runs.last().or(times.last()).copied(),
            skipped: times.last().copied(),
            missed: times.len() as u32,
            runs,
        }
    }

    /// The newest time before `now`, looked for in ever longer stretches.
    fn newest(&self, now: Timestamp, calendar: Option<&Calendar>) -> Option<Timestamp> {
        let mut back = limit::MISSED_LOOK_FIRST;
        while back <= limit::MISSED_LOOK_MAX {
            let span = (now.minus(back), now);
            let found = self
                .timing
                .times_until(span, calendar, limit::MISSED_TIMES_MAX);
            if let Some(last) = found.last() {
                return Some(*last);
            }
            back = back.saturating_mul(4);
        }
        None
    }
}

/// The finaliser of SplitMix64: spreads what differs little.
const fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
