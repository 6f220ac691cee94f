//! From a reference to the value, for a moment: a store is not asked at each connection, and what it said is good a while
//! longer when it does not answer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bailee_model::{
    Error, ErrorKind, Result, Secret, SecretId, SecretSource, TenantId, Timestamp, limit,
};
use secrecy::{ExposeSecret, SecretString};

use super::rules::check_source;
use crate::ports::SecretAsk;
use crate::{Core, error};

/// Most values that are remembered; past it the memory starts over.
const VALUES_KEPT_MAX: usize = 1_000;

/// What was read lately. Memory only.
#[derive(Default)]
pub(crate) struct SecretCache(Mutex<HashMap<(TenantId, SecretId, u64), Read>>);

#[derive(Clone)]
struct Read {
    value: SecretString,
    at: Timestamp,
}

impl SecretCache {
    fn recall(&self, key: (TenantId, SecretId, u64)) -> Option<Read> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&key).cloned()
    }

    fn keep(&self, key: (TenantId, SecretId, u64), read: Read) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= VALUES_KEPT_MAX {
            all.clear();
        }
        all.insert(key, read);
    }
}

impl Core {
    /// The value of a secret that a remote refers to.
    pub(crate) async fn resolve(&self, tenant: TenantId, id: SecretId) -> Result<SecretString> {
        let found = self.store.facts(tenant).secret(id).await;
        let Some(secret) = found.map_err(error::from_db)? else {
            return Err(failed("The remote refers to a secret that is gone."));
        };
        let known = self.tenant(tenant).await?;
        let sealed = match &secret.sealed {
            None => None,
            Some(sealed) => {
                let plain = known.key.open_secret(sealed, &id.to_string());
                let plain = plain.map_err(error::from_key)?;
                let text = std::str::from_utf8(&plain).map_err(Error::internal)?;
                Some(SecretString::from(text.to_owned()))
            }
        };
        if secret.source == SecretSource::Value {
            return sealed.ok_or_else(|| Error::internal("a secret has no value"));
        }
        // What the operator has taken back counts at once, whatever was read before.
        let checked = check_source(&secret.source, &self.settings);
        checked.map_err(|error| failed(&of(&secret, error.detail())))?;
        let (now, key) = (self.clock.now(), (tenant, id, secret.revision));
        let old = self.secrets_read.recall(key);
        let age = |read: &Read| now.since(read.at);
        if let Some(old) = old
            .as_ref()
            .filter(|old| now >= old.at && age(old) < limit::SECRET_FRESH)
        {
            return Ok(old.value.clone());
        }
        let Some(stores) = self.secret_stores.get() else {
            return Err(unavailable(&of(
                &secret,
                "this node reads no secrets elsewhere.",
            )));
        };
        let ask = SecretAsk {
            source: secret.source.clone(),
            credential: sealed,
            now,
        };
        match stores.read(ask).await {
            Ok(value) if is_fit(&value) => {
                let read = Read {
                    value: value.clone(),
                    at: now,
                };
                self.secrets_read.keep(key, read);
                Ok(value)
            }
            Ok(_) => Err(failed(&of(&secret, "it is empty or too long."))),
            Err(fault) if fault.is_transient => match old {
                Some(old) if now >= old.at && age(&old) < limit::SECRET_STALE_MAX => {
                    tracing::info!(secret.id = %id, tenant.id = %tenant, error = %fault.detail, "a secret is taken from memory");
                    Ok(old.value)
                }
                _ => Err(unavailable(&of(&secret, &fault.detail))),
            },
            Err(fault) => Err(failed(&of(&secret, &fault.detail))),
        }
    }
}

fn is_fit(value: &SecretString) -> bool {
    (1..=limit::SECRET_BYTES_MAX).contains(&value.expose_secret().len())
}

fn of(secret: &Secret, detail: &str) -> String {
    format!("The secret `{}` could not be read: {detail}", secret.name)
}

/// Somebody has to change something.
fn failed(detail: &str) -> Error {
    Error::new(ErrorKind::SecretUnreadable, detail)
}

/// It may be there a little later.
fn unavailable(detail: &str) -> Error {
    Error::new(ErrorKind::SecretUnavailable, detail).retry_after(30)
}
