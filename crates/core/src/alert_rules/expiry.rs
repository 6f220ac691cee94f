//! Rules about what runs out.

use std::time::Duration;

use bailee_model::{
    AlertMemory, Expiring, Expiry, Finding, KeyState, PageRequest, PgpKey, PgpKeyState, Result,
    Timestamp, limit,
};
use bailee_store::Reader;
use serde_json::{Value, json};

use super::far::remotes;
use super::judge::{Judged, only};
use super::keys::keys;
use super::{AlertRules, error};

const DAY: Duration = Duration::from_hours(24);
/// So long what ran out still needs attention.
const EXPIRED_TOLD: Duration = Duration::from_hours(168);

/// Something that runs out.
struct Ending {
    subject: String,
    /// `The API key …`.
    told: String,
    ends: Timestamp,
    facts: Value,
}

impl AlertRules<'_> {
    pub(super) async fn judge_expiry(
        &self,
        reader: &Reader,
        (expiry, memory): (&Expiry, &AlertMemory),
        now: Timestamp,
    ) -> Result<Judged> {
        let mut endings = Vec::new();
        for what in &expiry.what {
            endings.extend(match what {
                Expiring::ApiKeys => api_keys(reader).await?,
                Expiring::PgpKeys => pgp_keys(reader, now).await?,
                Expiring::RemoteCertificates => certificates(reader).await?,
            });
        }
        let until = now.plus(DAY.saturating_mul(expiry.days));
        let from = now.minus(EXPIRED_TOLD);
        endings.retain(|ending| from < ending.ends && ending.ends <= until);
        let wrong = endings
            .into_iter()
            .map(|ending| (ending.subject.clone(), finding(ending, now)));
        Ok(only(wrong.collect(), memory))
    }
}

fn finding(ending: Ending, now: Timestamp) -> Finding {
    let (problem, verb) = if ending.ends <= now {
        ("expired", "expired")
    } else {
        ("expires_soon", "expires")
    };
    Finding {
        problem,
        summary: format!("{} {verb} at {}.", ending.told, ending.ends),
        facts: ending.facts,
    }
}

async fn api_keys(reader: &Reader) -> Result<Vec<Ending>> {
    let live = keys(reader).await?.into_iter();
    let live = live.filter(|(key, _)| key.state == KeyState::Active);
    let endings = live.filter_map(|(key, _)| {
        let ends = key.expires_at?;
        Some(Ending {
            subject: key.id.to_string(),
            told: format!("The API key `{}` of {}", key.name, key.principal),
            ends,
            facts: json!({
                "key_id": key.id, "principal_id": key.principal, "name": key.name, "expires_at": ends,
            }),
        })
    });
    Ok(endings.collect())
}

async fn certificates(reader: &Reader) -> Result<Vec<Ending>> {
    let mut endings = Vec::new();
    for (remote, health) in remotes(reader).await? {
        endings.extend(health.certificates.iter().map(|certificate| {
            let (owner, ends) = (&certificate.owner, certificate.expires_at);
            Ending {
                subject: format!("{}:{owner}", remote.id),
                told: format!("The {owner}'s certificate of the remote `{}`", remote.name),
                ends,
                facts: json!({
                    "remote_id": remote.id, "remote": remote.name, "owner": owner,
                    "subject": certificate.subject, "expires_at": ends,
                }),
            }
        }));
    }
    Ok(endings)
}

async fn pgp_keys(reader: &Reader, now: Timestamp) -> Result<Vec<Ending>> {
    let mut endings = Vec::new();
    let mut page = PageRequest {
        limit: limit::PAGE_MAX,
        after: None,
    };
    loop {
        let found = reader.pgp_keys(&page).await.map_err(error::from_db)?;
        endings.extend(found.data.iter().filter_map(|key| pgp_key(key, now)));
        page.after = found.next;
        if page.after.is_none() {
            return Ok(endings);
        }
    }
}

/// A key is as good as its parts: the first of them that runs out counts.
fn pgp_key(key: &PgpKey, now: Timestamp) -> Option<Ending> {
    if key.state(now) == PgpKeyState::Revoked {
        return None;
    }
    let parts = std::iter::once(&key.primary).chain(&key.subkeys);
    let live = parts.filter(|part| !part.is_revoked);
    let ends = live.filter_map(|part| part.expires_at).min()?;
    Some(Ending {
        subject: key.id.to_string(),
        told: format!("The OpenPGP key `{}`", key.name),
        ends,
        facts: json!({ "pgp_key_id": key.id, "name": key.name, "expires_at": ends }),
    })
}
