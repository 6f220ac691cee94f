use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bailee_core::{Caller, Door, Facts, Via};
use bailee_model::{Error, ErrorKind};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::observe::SignedIn;
use super::{RequestFacts, idempotency, parameters};
use crate::operations::{Allowance, Operation};
use crate::problem::Failure;
use crate::rate_limit::{Claim, Source, Standing};
use crate::site::Site;

/// Finds out who asks and whether it asks too often. Runs before path, query and body are parsed, so that a stranger
/// learns nothing from how those are refused.
pub(crate) async fn sign_in(
    State(site): State<Site>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(facts) = request.extensions().get::<RequestFacts>().cloned() else {
        return Failure::from(Error::internal("a request without facts")).into_response();
    };
    let Some(operation) = facts.operation.clone() else {
        return Failure::from(Error::internal("a route without an operation")).into_response();
    };
    if operation.needs_no_key {
        let standing = by_address(&site, &facts, &operation);
        return within(standing, proceed(&site, &operation, request, next)).await;
    }
    let caller = match identify(&site, &facts, request.headers()).await {
        Ok(caller) => caller.asking_for(Arc::clone(&operation.id)),
        Err(error) => return Failure::from(error).into_response(),
    };
    let standing = match by_credential(&site, &facts, &operation, &caller).await {
        Ok(standing) => standing,
        Err(error) => return Failure::from(error).into_response(),
    };
    request.extensions_mut().insert(caller.clone());
    let mut answer = within(standing, proceed(&site, &operation, request, next)).await;
    answer.extensions_mut().insert(SignedIn(caller));
    answer
}

/// Steps 4 and 5, and the operation.
async fn proceed(site: &Site, operation: &Operation, request: Request, next: Next) -> Response {
    match parameters::known(&request, operation) {
        Ok(()) => idempotency::replay(site, request, next).await,
        Err(error) => Failure::from(error).into_response(),
    }
}

/// Finds out who asks; refusals are counted against their address.
pub(crate) async fn identify(
    site: &Site,
    facts: &RequestFacts,
    headers: &HeaderMap,
) -> Result<Caller, Error> {
    let credential = credential(headers)?;
    let claim = guesses(site, facts)?;
    let asking = asking(facts);
    let Some(credential) = credential else {
        return site.core().identify(None, asking).await;
    };
    // Guessing is stopped before it costs a look into the database.
    refuse_if_over(Some(site.limiter().peek(claim, facts.now)))?;
    match site.core().check_credential(credential, &asking).await? {
        Ok(caller) => Ok(caller),
        Err(refusal) => {
            // Counted before it is journalled, whatever the reason: even a genuine key that is refused must not fill
            // the journal.
            refuse_if_over(Some(site.limiter().take(claim, facts.now)))?;
            Err(site.core().journal_refusal(refusal, &asking).await?)
        }
    }
}

/// What a core use case is told of a request.
pub(crate) fn asking(facts: &RequestFacts) -> Facts {
    Facts {
        address: facts.address,
        request: facts.id,
        now: facts.now,
        door: Door::Rest,
    }
}

/// The allowance from which refused credentials of an address are taken.
pub(crate) fn guesses(site: &Site, facts: &RequestFacts) -> Result<Claim, Error> {
    // Keys may be bound to networks: without an address that cannot be judged, and nobody comes in.
    let unknown = || Error::internal("a request without a peer");
    Ok(Claim {
        source: Source::address(facts.address.ok_or_else(unknown)?),
        allowance: Allowance::Auth,
        quota: site.limiter().quota(Allowance::Auth),
    })
}

/// The one credential of a request. Two are refused: which of them was meant is not ours to guess.
fn credential(headers: &HeaderMap) -> Result<Option<&str>, Error> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Error::new(
            ErrorKind::CredentialInvalid,
            "The request carries two credentials.",
        ));
    }
    // Not text: nothing we ever handed out. Core refuses it as it refuses any other.
    Ok(first.map(|value| value.to_str().unwrap_or_default()))
}

fn by_address(site: &Site, facts: &RequestFacts, operation: &Operation) -> Option<Standing> {
    let source = Source::address(facts.address?);
    let quota = site.limiter().quota(operation.allowance);
    Some(site.limiter().take(
        Claim {
            source,
            allowance: operation.allowance,
            quota,
        },
        facts.now,
    ))
}

async fn by_credential(
    site: &Site,
    facts: &RequestFacts,
    operation: &Operation,
    caller: &Caller,
) -> Result<Option<Standing>, Error> {
    let Via::ApiKey(key) = *caller.via() else {
        return Ok(None);
    };
    let usual = site.limiter().quota(operation.allowance);
    let own = |pick: fn(&bailee_model::KeyLimits) -> Option<u32>| async move {
        let identity = site.core().whoami(caller).await?;
        Ok::<_, Error>(
            identity
                .and_then(|known| pick(&known.limits))
                .unwrap_or(usual),
        )
    };
    let quota = match operation.allowance {
        Allowance::Free => return Ok(None),
        Allowance::Read => own(|limits| limits.reads_per_minute).await?,
        Allowance::Write => own(|limits| limits.writes_per_minute).await?,
        Allowance::Auth | Allowance::Status => usual,
    };
    Ok(Some(site.limiter().take(
        Claim {
            source: Source::Key(key),
            allowance: operation.allowance,
            quota,
        },
        facts.now,
    )))
}

pub(crate) fn refuse_if_over(standing: Option<Standing>) -> Result<(), Error> {
    match standing.filter(|standing| standing.is_over) {
        None => Ok(()),
        Some(over) => {
            let name = over.allowance.name();
            let detail = format!(
                "More than {} requests in {} seconds against limit `{name}`.",
                over.quota, over.window_seconds
            );
            Err(Error::new(ErrorKind::RateLimited, detail)
                .retry_after(u32::try_from(over.reset_seconds).unwrap_or(u32::MAX))
                .with("violated_policies", vec![name]))
        }
    }
}

/// Runs the rest within the allowance, and says on the answer what is left of it.
async fn within(standing: Option<Standing>, rest: impl Future<Output = Response>) -> Response {
    let mut answer = match refuse_if_over(standing) {
        Ok(()) => rest.await,
        Err(error) => Failure::from(error).into_response(),
    };
    if let Some(standing) = standing {
        let (policy, left) = standing.headers();
        for (name, text) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                answer
                    .headers_mut()
                    .insert(HeaderName::from_static(name), value);
            }
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn two_credentials_are_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(credential(&headers).unwrap(), None);
        headers.append("authorization", "Bearer a".parse().unwrap());
        assert_eq!(credential(&headers).unwrap(), Some("Bearer a"));
        headers.append("authorization", "Bearer b".parse().unwrap());
        let error = credential(&headers).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CredentialInvalid);
    }
}
