//! Rules about API keys that a principal uses for the first time.

use std::collections::BTreeMap;

use bailee_model::{
    AlertRuleId, ApiKey, Finding, FirstSeen, Habits, NoveltyKind, PageRequest, Result, Timestamp,
    Verdicts, limit,
};
use bailee_store::Reader;

use super::judge::Judged;
use super::{AlertRules, error};

impl AlertRules<'_> {
    pub(super) async fn judge_credentials(
        &self,
        reader: &Reader,
        (id, first): (AlertRuleId, &FirstSeen),
    ) -> Result<Judged> {
        if !first.what.contains(&NoveltyKind::Credential) {
            return Ok(Judged::default());
        }
        let mut known: BTreeMap<String, (Habits, Habits)> = BTreeMap::new();
        let mut verdicts = Verdicts::default();
        let mut used: Vec<_> = keys(reader)
            .await?
            .into_iter()
            .filter_map(|(key, used_at)| Some((used_at?, key)))
            .collect();
        used.sort_by_key(|(used_at, _)| *used_at);
        for (used_at, key) in used {
            // Apart from what the journal's consumer learns of the same principal.
            let place = format!("credentials:{}", key.principal);
            if !known.contains_key(&place) {
                let read = reader.habits(id, &place).await.map_err(error::from_db)?;
                let read = read.unwrap_or_default();
                known.insert(place.clone(), (read.clone(), read));
            }
            let Some((_, habits)) = known.get_mut(&place) else {
                continue;
            };
            if habits.use_credential(first, used_at, &key.id.to_string()) {
                let subject = format!("{}:credential:{}", key.principal, key.id);
                verdicts
                    .found
                    .push((subject, Some(first_use(&key, used_at))));
            }
        }
        let changed = known.into_iter().filter(|(_, (read, now))| read != now);
        Ok(Judged {
            verdicts,
            learned: changed.map(|(place, (_, now))| (place, now)).collect(),
            ..Judged::default()
        })
    }
}

fn first_use(key: &ApiKey, used_at: Timestamp) -> Finding {
    Finding {
        problem: "new_credential",
        summary: format!(
            "{} used the API key `{}` for the first time.",
            key.principal, key.name
        ),
        facts: serde_json::json!({
            "key_id": key.id, "principal_id": key.principal, "name": key.name, "used_at": used_at,
        }),
    }
}

/// All keys of the tenant, and when each was last used.
pub(super) async fn keys(reader: &Reader) -> Result<Vec<(ApiKey, Option<Timestamp>)>> {
    let mut keys = Vec::new();
    let mut page = PageRequest {
        limit: limit::PAGE_MAX,
        after: None,
    };
    loop {
        let mut found = reader.keys(None, &page).await.map_err(error::from_db)?;
        keys.append(&mut found.data);
        page.after = found.next;
        if page.after.is_none() {
            return Ok(keys);
        }
    }
}
