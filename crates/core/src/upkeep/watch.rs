//! The journal's consumer for alert rules: counts what they are about, and learns what principals do.

use std::collections::{BTreeMap, HashMap};

use bailee_model::{
    Alert, AlertRule, AlertRuleId, End, Entry, EntryFilter, EntryKind, EventType, ExpectedFile,
    Finding, FirstSeen, Habits, JobKind, Measure, Novelty, NoveltyKind, Result, SealedEntry,
    TenantId, Timestamp, Watch, limit,
};
use bailee_store::{Change, Counted, DbError, Reader};

use super::{Upkeep, in_each};
use crate::alert_rules::{CONSUMER, minute};
use crate::error;

/// Most entries read in one transaction.
const WATCH_STEP: u32 = 500;

/// What one step counted and learned.
struct Step<'a> {
    reader: &'a Reader,
    counts: BTreeMap<(AlertRuleId, Timestamp), Counted>,
    habits: HashMap<(AlertRuleId, String), Habits>,
    open: HashMap<AlertRuleId, Vec<Alert>>,
}

impl Upkeep<'_> {
    /// Reads sealed entries for alert rules: what is counted and learned, alerts about what is new, and the cursor are
    /// one transaction. How many entries were read.
    pub async fn watch_journal(&self) -> Result<u64> {
        let lagging = self.core.store.queue().lagging(CONSUMER).await;
        let lagging = lagging.map_err(error::from_db)?;
        let step = |tenant, span| self.watch_tenant(tenant, span);
        Ok(in_each("watch", lagging, step).await)
    }

    async fn watch_tenant(&self, tenant: TenantId, (cursor, size): (u64, u64)) -> Result<u64> {
        let queue = self.core.store.queue();
        let reader = queue.reader(tenant);
        let rules = reader.enabled_rules().await.map_err(error::from_db)?;
        // Where nobody watches, no entry needs to be read. A rule that is made meanwhile is younger than all of them.
        let entries = if rules.is_empty() {
            Vec::new()
        } else {
            let read = reader.walk(cursor, WATCH_STEP).await;
            read.map_err(error::from_db)?
        };
        let to = entries.last().map_or(size, |(last, _)| last.sequence);
        let mut change = queue.change(tenant);
        let mut step = Step {
            reader: &reader,
            counts: BTreeMap::new(),
            habits: HashMap::new(),
            open: HashMap::new(),
        };
        for (sealed, _) in &entries {
            for rule in &rules {
                // What was written before the rule watched does not count.
                if sealed.entry.timestamp >= rule.watches_since {
                    self.watch_entry(&mut change, &mut step, (rule, sealed))
                        .await?;
                }
            }
        }
        let soon = self.core.clock.now().plus(limit::RULE_LOOK_AGAIN);
        for ((rule, minute), counted) in step.counts {
            change.count(rule, minute, counted);
            change.sooner(JobKind::WatchRule, &rule.to_string(), soon);
        }
        for ((rule, principal), habits) in step.habits {
            change.put_habits(rule, &principal, &habits);
        }
        change.move_cursor(CONSUMER, cursor, to);
        match change.commit().await {
            Ok(()) => Ok(to.saturating_sub(cursor)),
            Err(DbError::Conflict(_)) => Ok(0),
            Err(error) => Err(error::from_db(error)),
        }
    }

    async fn watch_entry(
        &self,
        change: &mut Change,
        step: &mut Step<'_>,
        (rule, sealed): (&AlertRule, &SealedEntry),
    ) -> Result<()> {
        let entry = &sealed.entry;
        let (matched, other) = match &rule.watch {
            Watch::Threshold(threshold) => match &threshold.measure {
                Measure::Entries { filter } => (filter.matches(entry), false),
                Measure::FailedShare { .. } => {
                    let ended = |kind| EntryFilter::of_type(kind).matches(entry);
                    (ended("transfer.failed"), ended("transfer.completed"))
                }
                Measure::QueueAge => return Ok(()),
            },
            Watch::Absence(absence) => (absence.filter.matches(entry), false),
            Watch::Rate(rate) => (rate.filter.matches(entry), false),
            Watch::ExpectedFile(expected) => match came(step.reader, expected, entry).await? {
                Some(bytes) => (bytes >= expected.bytes_min, bytes < expected.bytes_min),
                None => return Ok(()),
            },
            Watch::FirstSeen(first) => {
                return self.learn(change, step, (rule, first), entry).await;
            }
            Watch::Expiry(_) | Watch::Health(_) => return Ok(()),
        };
        if matched || other {
            let place = (rule.id, minute(entry.timestamp));
            let counted = step.counts.entry(place).or_default();
            counted.matched += u64::from(matched);
            counted.other += u64::from(other);
        }
        Ok(())
    }

    async fn learn(
        &self,
        change: &mut Change,
        step: &mut Step<'_>,
        (rule, first): (&AlertRule, &FirstSeen),
        entry: &Entry,
    ) -> Result<()> {
        // What Bailee does on behalf of somebody says nothing about habits.
        let (Some(principal), Some(_)) = (entry.principal, entry.ip_address) else {
            return Ok(());
        };
        let place = (rule.id, principal.to_string());
        if !step.habits.contains_key(&place) {
            let known = step.reader.habits(rule.id, &place.1).await;
            let known = known.map_err(error::from_db)?.unwrap_or_default();
            step.habits.insert(place.clone(), known);
        }
        let Some(habits) = step.habits.get_mut(&place) else {
            return Ok(());
        };
        let done = (entry.ip_address, moved_bytes(entry));
        for new in habits.see(first, entry.timestamp, done) {
            if !step.open.contains_key(&rule.id) {
                let open = step.reader.open_alerts(rule.id).await;
                step.open.insert(rule.id, open.map_err(error::from_db)?);
            }
            let subject = format!("{principal}:{}:{}", new.kind.as_str(), new.value);
            let open = step.open.entry(rule.id).or_default();
            if open.iter().any(|alert| alert.subject == subject) {
                continue;
            }
            let finding = novelty(entry, &new);
            open.push(self.core.open_alert(change, rule, &subject, finding));
        }
        Ok(())
    }
}

fn novelty(entry: &Entry, new: &Novelty) -> Finding {
    let (user, value) = (&entry.user, &new.value);
    let (problem, summary) = match new.kind {
        NoveltyKind::Network => (
            "new_network",
            format!("{user} came from the network {value} for the first time."),
        ),
        NoveltyKind::Credential => (
            "new_credential",
            format!("{user} used the credential {value} for the first time."),
        ),
        NoveltyKind::Hour => (
            "unusual_hour",
            format!("{user} worked at {value}, as never before."),
        ),
        NoveltyKind::Volume => (
            "unusual_volume",
            format!("{user} moved far more on {value} than on any day before."),
        ),
    };
    Finding {
        problem,
        summary,
        facts: serde_json::json!({
            "principal_id": entry.principal,
            "user": user,
            "ip_address": entry.ip_address,
            "value": value,
            "audit_id": entry.id,
        }),
    }
}

fn fact(entry: &Entry, name: &str) -> Option<u64> {
    let data: serde_json::Value = serde_json::from_str(&entry.data).ok()?;
    data.get(name)?.as_u64()
}

fn moved_bytes(entry: &Entry) -> u64 {
    match entry.kind {
        EntryKind::Event(EventType::FileUploaded) => fact(entry, "size").unwrap_or(0),
        EntryKind::Event(EventType::FileDownloaded) => {
            let (from, to) = (fact(entry, "from"), fact(entry, "to"));
            to.unwrap_or(0).saturating_sub(from.unwrap_or(0))
        }
        _ => 0,
    }
}

/// The size of a file that came as it is expected; `None` for anything else.
async fn came(reader: &Reader, expected: &ExpectedFile, entry: &Entry) -> Result<Option<u64>> {
    if entry.kind != EntryKind::Event(EventType::FileUploaded) {
        return Ok(None);
    }
    let path = entry.subject.path.as_deref().unwrap_or_default();
    let folder = expected.folder.to_string();
    let folder = folder.trim_end_matches('/');
    let below = path
        .strip_prefix(folder)
        .and_then(|below| below.strip_prefix('/'));
    let Some(below) = below else { return Ok(None) };
    let is_named = expected
        .pattern
        .as_ref()
        .is_none_or(|pattern| pattern.matches(below));
    if !is_named {
        return Ok(None);
    }
    if let Some(remote) = &expected.remote {
        let Some(transfer) = entry.transfer else {
            return Ok(None);
        };
        let transfer = reader.transfer(transfer).await.map_err(error::from_db)?;
        let is_from = transfer.is_some_and(
            |transfer| matches!(&transfer.source, End::Remote { remote: name, .. } if name == remote),
        );
        if !is_from {
            return Ok(None);
        }
    }
    Ok(Some(fact(entry, "size").unwrap_or(0)))
}
