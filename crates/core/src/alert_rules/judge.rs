//! Whether the condition of a rule holds.

use std::time::Duration;

use bailee_model::{
    Absence, AlertMemory, AlertRule, AlertRuleId, ExpectedFile, FileCount, Finding, Habits, Health,
    Measure, PageRequest, Rate, Result, Threshold, Timestamp, Verdicts, Watch, Watched, WindowSpan,
    limit,
};
use bailee_store::{Counted, Reader};

use super::far::failing_remotes;
use super::{AlertRules, CONSUMER, error};
use crate::schedules::calendar_of;

/// The subject of rules that are about one thing.
const WHOLE: &str = "rule";
const MINUTE: Duration = Duration::from_mins(1);
/// How far behind the journal's consumer may be for an absence to count.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// What a look found out.
#[derive(Default)]
pub(super) struct Judged {
    /// About the rule's subjects. Those that are not named stay as they are.
    pub(super) verdicts: Verdicts,
    /// When to look again.
    pub(super) next_at: Option<Timestamp>,
    /// The window that is watched.
    pub(super) window: Option<Timestamp>,
    /// What was counted before is not needed any more.
    pub(super) prune_before: Option<Timestamp>,
    /// What was learned, by principal.
    pub(super) learned: Vec<(String, Habits)>,
    /// The journal is not read so far: nothing can be said yet.
    pub(super) is_early: bool,
}

impl AlertRules<'_> {
    pub(super) async fn judge(
        &self,
        reader: &Reader,
        rule: &AlertRule,
        (memory, now): (&AlertMemory, Timestamp),
    ) -> Result<Judged> {
        let mut judged = match &rule.watch {
            Watch::ExpectedFile(expected) => {
                return self
                    .judge_files(reader, (rule, expected), (memory, now))
                    .await;
            }
            Watch::Threshold(threshold) => {
                self.judge_threshold(reader, (rule.id, threshold), now)
                    .await?
            }
            Watch::Absence(absence) => self.judge_absence(reader, (rule, absence), now).await?,
            Watch::Rate(rate) => self.judge_rate(reader, (rule, rate), now).await?,
            Watch::FirstSeen(first) => self.judge_credentials(reader, (rule.id, first)).await?,
            Watch::Expiry(expiry) => self.judge_expiry(reader, (expiry, memory), now).await?,
            Watch::Health(health) => self.judge_health(reader, (health, memory), now).await?,
        };
        judged.next_at = Some(now.plus(limit::RULE_LOOK_EVERY));
        judged.prune_before = rule.watch.counted_minutes().map(|minutes| {
            let kept = MINUTE.saturating_mul(minutes.saturating_add(2));
            minute(now).minus(kept)
        });
        Ok(judged)
    }

    /// What is counted for a rule as far as it still matters.
    pub(super) async fn counted_since(
        &self,
        reader: &Reader,
        rule: &AlertRule,
        (memory, now): (&AlertMemory, Timestamp),
    ) -> Result<Counted> {
        let since = match (&rule.watch, rule.watch.counted_minutes()) {
            (Watch::ExpectedFile(_), _) => memory.window.unwrap_or(rule.watches_since),
            (_, Some(minutes)) => now.minus(MINUTE.saturating_mul(minutes)),
            (_, None) => return Ok(Counted::default()),
        };
        let span = (minute(since), Timestamp::from_ms(i64::MAX));
        let counted = reader.counted(rule.id, span).await;
        counted.map_err(error::from_db)
    }

    async fn judge_threshold(
        &self,
        reader: &Reader,
        (id, threshold): (AlertRuleId, &Threshold),
        now: Timestamp,
    ) -> Result<Judged> {
        let span = latest(now, threshold.minutes);
        let above = threshold.above;
        let minutes = threshold.minutes;
        let (value, summary) = match &threshold.measure {
            Measure::Entries { .. } => {
                let counted = reader.counted(id, span).await.map_err(error::from_db)?;
                let count = counted.matched;
                let summary = format!("{count} entries in {minutes} minutes, more than {above}.");
                (count, summary)
            }
            Measure::QueueAge => {
                let oldest = reader.oldest_job().await.map_err(error::from_db)?;
                let age = oldest.map_or(0, |oldest| now.since(oldest).as_secs());
                let summary = format!("A job has waited for {age} seconds, more than {above}.");
                (age, summary)
            }
            Measure::FailedShare { ended_min } => {
                let counted = reader.counted(id, span).await.map_err(error::from_db)?;
                let ended = counted.matched + counted.other;
                let is_enough = ended > 0 && ended >= *ended_min;
                let share = if is_enough {
                    counted.matched * 100 / ended
                } else {
                    0
                };
                let summary = format!(
                    "{share} % of {ended} transfers failed in {minutes} minutes, more than {above} %."
                );
                (share, summary)
            }
        };
        let finding = (value > above).then(|| Finding {
            problem: "above",
            summary,
            facts: serde_json::json!({ "value": value, "above": above, "minutes": minutes }),
        });
        Ok(whole(finding))
    }

    async fn judge_absence(
        &self,
        reader: &Reader,
        (rule, absence): (&AlertRule, &Absence),
        now: Timestamp,
    ) -> Result<Judged> {
        let minutes = absence.minutes;
        let since = now.minus(MINUTE.saturating_mul(minutes));
        if since < rule.watches_since {
            return Ok(Judged::default());
        }
        let has_read = reader
            .has_read_until(CONSUMER, now.minus(READ_WITHIN))
            .await;
        if !has_read.map_err(error::from_db)? {
            return Ok(Judged {
                is_early: true,
                ..Judged::default()
            });
        }
        let span = (minute(since), now);
        let counted = reader.counted(rule.id, span).await;
        let count = counted.map_err(error::from_db)?.matched;
        let finding = (count == 0).then(|| Finding {
            problem: "absent",
            summary: format!("Nothing of this kind happened for {minutes} minutes."),
            facts: serde_json::json!({ "minutes": minutes }),
        });
        Ok(whole(finding))
    }

    async fn judge_rate(
        &self,
        reader: &Reader,
        (rule, rate): (&AlertRule, &Rate),
        now: Timestamp,
    ) -> Result<Judged> {
        let end = minute(now);
        let middle = end.minus(MINUTE.saturating_mul(rate.minutes));
        let begin = middle.minus(MINUTE.saturating_mul(rate.minutes));
        if begin < rule.watches_since {
            return Ok(Judged::default());
        }
        let before = reader.counted(rule.id, (begin, middle)).await;
        let before = before.map_err(error::from_db)?.matched;
        let counted = reader.counted(rule.id, (middle, end)).await;
        let count = counted.map_err(error::from_db)?.matched;
        let percent = |of: u64, percent: u64| of.saturating_mul(percent) / 100;
        let is_enough = count.max(before) >= rate.entries_min.max(1);
        let rose = rate
            .rises_percent
            .is_some_and(|by| count > percent(before, 100 + u64::from(by)));
        let fell = rate
            .falls_percent
            .is_some_and(|by| count < percent(before, 100_u64.saturating_sub(u64::from(by))));
        let problem = match (is_enough && rose, is_enough && fell) {
            (true, _) => "rose",
            (_, true) => "fell",
            _ => return Ok(whole(None)),
        };
        let minutes = rate.minutes;
        Ok(whole(Some(Finding {
            problem,
            summary: format!(
                "{count} entries in {minutes} minutes, after {before} in those before."
            ),
            facts: serde_json::json!({ "value": count, "before": before, "minutes": minutes }),
        })))
    }

    async fn judge_health(
        &self,
        reader: &Reader,
        (health, memory): (&Health, &AlertMemory),
        now: Timestamp,
    ) -> Result<Judged> {
        let since = now.minus(MINUTE.saturating_mul(health.minutes));
        let mut wrong: Vec<(String, Finding)> = Vec::new();
        if health.what.contains(&Watched::Journal) {
            for consumer in reader.consumers().await.map_err(error::from_db)? {
                let oldest = reader.oldest_unread(&consumer).await;
                let oldest = oldest.map_err(error::from_db)?;
                if let Some(oldest) = oldest.filter(|oldest| *oldest < since) {
                    let finding = Finding {
                        problem: "lagging",
                        summary: format!(
                            "The journal's consumer `{consumer}` has not read what was written at {oldest}."
                        ),
                        facts: serde_json::json!({ "consumer": consumer, "oldest_unread_at": oldest }),
                    };
                    wrong.push((format!("journal:{consumer}"), finding));
                }
            }
        }
        if health.what.contains(&Watched::Webhooks) {
            wrong.extend(failing_webhooks(reader, since).await?);
        }
        if health.what.contains(&Watched::Remotes) {
            wrong.extend(failing_remotes(reader, since).await?);
        }
        Ok(only(wrong, memory))
    }

    async fn judge_files(
        &self,
        reader: &Reader,
        (rule, expected): (&AlertRule, &ExpectedFile),
        (memory, now): (&AlertMemory, Timestamp),
    ) -> Result<Judged> {
        let calendar = calendar_of(reader, expected.calendar).await?;
        let calendar = calendar.as_ref();
        // What opened before somebody watched cannot be judged.
        let first = memory
            .window
            .or_else(|| expected.next_opening(rule.watches_since, calendar));
        let mut judged = Judged {
            window: first,
            ..Judged::default()
        };
        for _ in 0..limit::WINDOWS_AT_ONCE_MAX {
            let Some(opens) = judged.window else { break };
            judged.next_at = Some(opens);
            judged.prune_before = Some(opens);
            if opens > now {
                break;
            }
            let Some(span) = expected.window(opens, calendar) else {
                break;
            };
            if !self
                .judge_window(reader, (rule.id, expected), (&span, now), &mut judged)
                .await?
            {
                judged.is_early = true;
                break;
            }
            judged.next_at = span.steps().find(|at| *at > now);
            match span.next.filter(|next| *next <= now) {
                Some(next) => judged.window = Some(next),
                None => break,
            }
        }
        // A calendar may have moved the window; and there may be more than one look goes through.
        if judged.next_at.is_none() && judged.window.is_some() {
            judged.next_at = Some(now.plus(limit::RULE_LOOK_EVERY));
        }
        Ok(judged)
    }

    /// Adds the verdict about a window. False if the journal is not read so far.
    async fn judge_window(
        &self,
        reader: &Reader,
        (id, expected): (AlertRuleId, &ExpectedFile),
        (span, now): (&WindowSpan, Timestamp),
        judged: &mut Judged,
    ) -> Result<bool> {
        let Some(passed) = span.steps().filter(|at| *at <= now).max() else {
            return Ok(true);
        };
        let has_read = reader.has_read_until(CONSUMER, passed).await;
        if !has_read.map_err(error::from_db)? {
            return Ok(false);
        }
        let until = span.next.map_or(now, |next| next.min(now));
        let is_over = span.next.is_some_and(|next| next <= now);
        let counted = reader.counted(id, (span.opens, until)).await;
        let counted = counted.map_err(error::from_db)?;
        let count = FileCount {
            good: counted.matched,
            small: counted.other,
        };
        let at = if is_over { span.ends.max(now) } else { now };
        let finding = expected.judge(span, at, count);
        judged
            .verdicts
            .found
            .push((span.opens.to_string(), finding));
        Ok(true)
    }
}

async fn failing_webhooks(reader: &Reader, since: Timestamp) -> Result<Vec<(String, Finding)>> {
    let mut wrong = Vec::new();
    let mut page = PageRequest {
        limit: limit::PAGE_MAX,
        after: None,
    };
    loop {
        let found = reader.webhooks(&page).await.map_err(error::from_db)?;
        for webhook in found.data {
            let Some(failing) = webhook.failing_since.filter(|failing| *failing <= since) else {
                continue;
            };
            let finding = Finding {
                problem: "failing",
                summary: format!("The receiver at {} fails since {failing}.", webhook.url),
                facts: serde_json::json!({ "webhook_id": webhook.id, "failing_since": failing }),
            };
            wrong.push((format!("webhook:{}", webhook.id), finding));
        }
        page.after = found.next;
        if page.after.is_none() {
            return Ok(wrong);
        }
    }
}

/// The verdict of a rule that is about one thing.
fn whole(finding: Option<Finding>) -> Judged {
    Judged {
        verdicts: Verdicts::of(WHOLE, finding),
        ..Judged::default()
    }
}

/// Verdicts of a rule that named all that is wrong: with everything else all is well.
pub(super) fn only(wrong: Vec<(String, Finding)>, memory: &AlertMemory) -> Judged {
    let well: Vec<String> = memory
        .wrong
        .iter()
        .filter(|subject| !wrong.iter().any(|(known, _)| known == *subject))
        .cloned()
        .collect();
    let wrong = wrong
        .into_iter()
        .map(|(subject, finding)| (subject, Some(finding)));
    let well = well.into_iter().map(|subject| (subject, None));
    Judged {
        verdicts: Verdicts {
            found: wrong.chain(well).collect(),
        },
        ..Judged::default()
    }
}

/// The beginning of a time's minute.
pub(crate) fn minute(at: Timestamp) -> Timestamp {
    let minute_ms = MINUTE.as_millis() as i64;
    Timestamp::from_ms(at.ms().div_euclid(minute_ms) * minute_ms)
}

/// So many minutes, the one of `now` included.
fn latest(now: Timestamp, minutes: u32) -> (Timestamp, Timestamp) {
    let end = minute(now).plus(MINUTE);
    (end.minus(MINUTE.saturating_mul(minutes)), end)
}
