//! The one authentication function: from what a request carries to a caller, or to a refusal that is journalled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bailee_auth::{
    Caller, Facts, KeyText, KeyTextError, VerifiedCredential, Via, network_admits, same_hash,
};
use bailee_model::{
    ApiKey, Error, ErrorKind, EventType, KeyId, KeyLimits, KeyState, Mandate, Outcome,
    PrincipalState, Result, TenantId, TenantState, Timestamp, limit,
};
use bailee_store::FoundKey;

use crate::journal::Note;
use crate::{Core, SYSTEM_TENANT, error};

/// Most keys kept; past it the memory starts over.
const KEYS_KEPT_MAX: usize = 20_000;
/// `last_used_at` is exact to this.
const USE_MARK_EVERY: Duration = Duration::from_mins(1);

/// Who a caller is, for itself.
pub struct Identity {
    /// Its key.
    pub key: KeyId,
    /// Until when the key is good.
    pub expires_at: Option<Timestamp>,
    /// What narrows it.
    pub limits: KeyLimits,
}

/// Keys as of a moment ago: hot paths do not read them each time, and a revocation is seen within
/// [`limit::CREDENTIAL_CACHE`] on every node, at once on the node that did it.
#[derive(Default)]
pub(crate) struct Credentials {
    found: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    keys: HashMap<KeyId, Kept>,
    /// How often everything was forgotten: what was read before that must not be kept after it.
    forgotten: u64,
}

struct Kept {
    key: Arc<FoundKey>,
    read_at: Timestamp,
    marked_at: Timestamp,
}

impl Credentials {
    /// Forgets everything: called after any change to keys, principals and tenants on this node.
    pub(crate) fn forget(&self) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.keys.clear();
        found.forgotten += 1;
    }

    /// How often everything was forgotten: taken before a key is read, given when it is kept.
    fn generation(&self) -> u64 {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.forgotten
    }

    fn recall(&self, id: KeyId, now: Timestamp) -> Option<Arc<FoundKey>> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = found.keys.get(&id)?;
        let is_fresh = now >= kept.read_at && now.since(kept.read_at) < limit::CREDENTIAL_CACHE;
        is_fresh.then(|| Arc::clone(&kept.key))
    }

    fn keep(&self, key: &Arc<FoundKey>, now: Timestamp, generation: u64) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.forgotten != generation {
            return;
        }
        if found.keys.len() >= KEYS_KEPT_MAX {
            found.keys.clear();
        }
        let marked_at = found
            .keys
            .get(&key.key.id)
            .map_or(Timestamp::default(), |kept| kept.marked_at);
        found.keys.insert(
            key.key.id,
            Kept {
                key: Arc::clone(key),
                read_at: now,
                marked_at,
            },
        );
    }

    /// Whether it is time to note that the key was used.
    fn mark(&self, id: KeyId, now: Timestamp) -> bool {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = found.keys.get_mut(&id) else {
            return false;
        };
        let is_due = now.since(kept.marked_at) >= USE_MARK_EVERY;
        if is_due {
            kept.marked_at = now;
        }
        is_due
    }
}

/// Why a credential was refused, and in whose journal that belongs: see [`Core::journal_refusal`].
pub struct Refusal {
    error: Error,
    reason: &'static str,
    known: Option<Arc<FoundKey>>,
}

impl Core {
    /// Turns the value of an `Authorization` header into a caller.
    ///
    /// Errors: `credential_missing`, `credential_invalid`, `credential_expired`, `credential_revoked` (401);
    /// `network_not_allowed`, `principal_disabled`, `tenant_suspended` (403). Each but the first is journalled.
    pub async fn identify(&self, credential: Option<&str>, facts: Facts) -> Result<Caller> {
        let Some(credential) = credential else {
            return Err(Error::new(
                ErrorKind::CredentialMissing,
                "The request carries no credential.",
            ));
        };
        match self.check_credential(credential, &facts).await? {
            Ok(caller) => Ok(caller),
            Err(refusal) => Err(self.journal_refusal(refusal, &facts).await?),
        }
    }

    /// As [`Core::identify`], but journals no refusal: for a door that counts refusals first, so that nobody can fill
    /// the journal with them. The outer error is that nothing could be found out.
    pub async fn check_credential(
        &self,
        credential: &str,
        facts: &Facts,
    ) -> Result<std::result::Result<Caller, Refusal>> {
        let found = match self.verify(credential, facts).await? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if self.credentials.mark(found.key.id, facts.now) {
            let (core, id, now) = (self.clone(), found.key.id, facts.now);
            // Nobody waits for the mark, and a lost one is no harm.
            tokio::spawn(async move { core.store.identity().mark_used(id, now).await });
        }
        Ok(Ok(caller(&found, facts.clone())))
    }

    /// What narrows the caller's key, and until when it is good. `None` for jobs.
    pub async fn whoami(&self, caller: &Caller) -> Result<Option<Identity>> {
        let Via::ApiKey(id) = *caller.via() else {
            return Ok(None);
        };
        let found = self.find_key(id, caller.facts().now).await?;
        Ok(found.map(|found| Identity {
            key: id,
            expires_at: found.key.expires_at,
            limits: found.key.limits.clone(),
        }))
    }

    async fn find_key(&self, id: KeyId, now: Timestamp) -> Result<Option<Arc<FoundKey>>> {
        if let Some(found) = self.credentials.recall(id, now) {
            return Ok(Some(found));
        }
        let generation = self.credentials.generation();
        let Some(found) = self
            .store
            .identity()
            .find_key(id)
            .await
            .map_err(error::from_db)?
        else {
            return Ok(None);
        };
        let found = Arc::new(found);
        self.credentials.keep(&found, now, generation);
        Ok(Some(found))
    }

    async fn verify(
        &self,
        credential: &str,
        facts: &Facts,
    ) -> Result<std::result::Result<Arc<FoundKey>, Refusal>> {
        let refused = |kind, detail: &str, reason, known| {
            Ok(Err(Refusal {
                error: Error::new(kind, detail),
                reason,
                known,
            }))
        };
        let Some(text) = bearer(credential) else {
            return refused(
                ErrorKind::CredentialInvalid,
                "The credential is not a bearer token.",
                "scheme",
                None,
            );
        };
        let key = match KeyText::parse(text) {
            Ok(key) => key,
            Err(KeyTextError::Checksum) => {
                let detail = "The API key has a typing error: its checksum does not fit.";
                return refused(ErrorKind::CredentialInvalid, detail, "checksum", None);
            }
            Err(KeyTextError::NotAKey) => {
                return refused(
                    ErrorKind::CredentialInvalid,
                    "No API key matches the one sent.",
                    "unknown",
                    None,
                );
            }
        };
        let found = self.find_key(key.id(), facts.now).await?;
        let hash = key.hash();
        // An unknown key costs the same comparison as a known one.
        let is_live = found.as_ref().map_or_else(
            || same_hash(&hash, &"0".repeat(64)),
            |found| has_secret(&found.key, &hash, facts.now),
        );
        let (Some(found), true) = (found.clone(), is_live) else {
            return refused(
                ErrorKind::CredentialInvalid,
                "No API key matches the one sent.",
                "unknown",
                found,
            );
        };
        Ok(judge(&found, facts)
            .map(|()| Arc::clone(&found))
            .map_err(|(error, reason)| Refusal {
                error,
                reason,
                known: Some(found),
            }))
    }

    /// Journals a refusal and returns what the caller is told.
    pub async fn journal_refusal(&self, refusal: Refusal, facts: &Facts) -> Result<Error> {
        let note = Note::event("auth.identify", EventType::AuthFailed)
            .ended(Outcome::Denied)
            .with(serde_json::json!({ "reason": refusal.reason }));
        let mut entry = self.own_entry(note);
        entry.ip_address = facts.address.map(|address| address.to_canonical());
        entry.request = Some(facts.request);
        "anonymous".clone_into(&mut entry.user);
        let tenant: TenantId = refusal
            .known
            .as_ref()
            .map_or(SYSTEM_TENANT, |known| known.tenant.id);
        if let Some(known) = &refusal.known {
            entry.subject.id = Some(known.key.id.to_string());
        }
        let mut change = self.store.identity().change(tenant);
        change.journal(&entry);
        change.commit().await.map_err(error::from_db)?;
        Ok(refusal.error)
    }

    /// The caller on whose behalf a job runs, with the rights that its creator has now.
    pub(crate) async fn on_behalf(
        &self,
        tenant: TenantId,
        created_with: Option<KeyId>,
        facts: Facts,
        via: impl FnOnce(KeyId) -> Via,
    ) -> Result<Caller> {
        let gone = || {
            Error::new(
                ErrorKind::CredentialRevoked,
                "The credential that asked for this is gone.",
            )
        };
        let id = created_with.ok_or_else(gone)?;
        let found = self
            .find_key(id, facts.now)
            .await?
            .filter(|found| found.tenant.id == tenant)
            .ok_or_else(gone)?;
        judge(&found, &facts).map_err(|(error, _)| error)?;
        let mut credential = credential(&found, facts);
        credential.via = via(id);
        Ok(Caller::verified(credential))
    }
}

impl Core {
    /// The caller in whose name something is done that was left to be done: a principal that is still there and active,
    /// with the roles that it has now.
    pub(crate) async fn by_mandate(
        &self,
        tenant: TenantId,
        mandate: &Mandate,
        facts: Facts,
        via: Via,
    ) -> Result<Caller> {
        let known = self.tenant(tenant).await?;
        if known.tenant.state == TenantState::Suspended {
            return Err(Error::new(
                ErrorKind::TenantSuspended,
                "The tenant is suspended.",
            ));
        }
        if let Some(key) = mandate.key {
            let found = self.find_key(key, facts.now).await?;
            if found.is_none_or(|found| found.key.state == KeyState::Revoked) {
                let detail = "The API key by which this was left to be done was revoked.";
                return Err(Error::new(ErrorKind::CredentialRevoked, detail));
            }
        }
        let reader = self.store.identity().reader(tenant);
        let found = reader.principal(mandate.principal).await;
        let found = found.map_err(error::from_db)?;
        let principal = found.filter(|found| found.state == PrincipalState::Active);
        let principal = principal.ok_or_else(|| {
            Error::new(
                ErrorKind::PrincipalDisabled,
                "Whoever left this to be done is gone or disabled.",
            )
        })?;
        Ok(Caller::verified(VerifiedCredential {
            tenant,
            principal: principal.id,
            label: principal.label(),
            roles: principal.roles,
            scopes: mandate.scopes.clone(),
            via,
            path_prefixes: mandate.path_prefixes.clone(),
            facts,
        }))
    }
}

/// The token of a `Bearer` credential (RFC 6750); the scheme's case does not matter (RFC 9110).
fn bearer(credential: &str) -> Option<&str> {
    let (scheme, token) = credential.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn has_secret(key: &ApiKey, hash: &str, now: Timestamp) -> bool {
    // Every secret is compared, so that the time does not tell which one fits.
    key.secrets.iter().fold(false, |is_live, secret| {
        let is_same = same_hash(&secret.hash, hash);
        is_live | (is_same && secret.until.is_none_or(|until| now < until))
    })
}

/// Whether a genuine key is good here and now.
fn judge(found: &FoundKey, facts: &Facts) -> std::result::Result<(), (Error, &'static str)> {
    let refuse = |kind, detail: &str, reason| Err((Error::new(kind, detail), reason));
    let key = &found.key;
    if key.state == KeyState::Revoked {
        return refuse(
            ErrorKind::CredentialRevoked,
            "The API key was revoked.",
            "revoked",
        );
    }
    if key.expires_at.is_some_and(|end| facts.now >= end) {
        return refuse(
            ErrorKind::CredentialExpired,
            "The API key has expired.",
            "expired",
        );
    }
    if found.tenant.state == TenantState::Suspended {
        return refuse(
            ErrorKind::TenantSuspended,
            "The tenant is suspended.",
            "tenant suspended",
        );
    }
    if found.principal.state == PrincipalState::Disabled {
        return refuse(
            ErrorKind::PrincipalDisabled,
            "The key's owner is disabled.",
            "principal disabled",
        );
    }
    if !network_admits(&key.limits.networks, facts.address) {
        return refuse(
            ErrorKind::NetworkNotAllowed,
            "The key is not taken from this network.",
            "network",
        );
    }
    Ok(())
}

fn credential(found: &FoundKey, facts: Facts) -> VerifiedCredential {
    VerifiedCredential {
        tenant: found.tenant.id,
        principal: found.principal.id,
        label: found.principal.label(),
        roles: found.principal.roles.clone(),
        scopes: found.key.scopes.clone(),
        via: Via::ApiKey(found.key.id),
        path_prefixes: found.key.limits.path_prefixes.clone(),
        facts,
    }
}

fn caller(found: &FoundKey, facts: Facts) -> Caller {
    Caller::verified(credential(found, facts))
}
