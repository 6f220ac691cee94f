use bailee_auth::{Caller, network_is_within, reads_as_network};
use bailee_model::{
    ApiKey, Error, ErrorKind, FolderPath, KeyLimits, Result, Scopes, Timestamp, limit,
};

/// Most networks or path prefixes of one key.
const BOUNDS_MAX: usize = 64;

/// What bounds the keys that a caller makes or changes: its own key, and its right to manage identities.
pub(super) struct Bounds {
    pub(super) manages: bool,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) limits: KeyLimits,
}

impl Bounds {
    /// Until when a new key is good. Without the right to manage identities, no longer than the key that made it.
    pub(super) fn end(
        &self,
        wanted: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let usual = now.plus(limit::KEY_LIFE);
        let most = self.expires_at.map_or(usual, |end| end.min(usual));
        match wanted {
            Some(end) if end <= now => Err(Error::field(
                "#/expires_at",
                "in_the_past",
                "Must be in the future.",
            )),
            Some(end) if !self.manages && end > most => Err(Error::field(
                "#/expires_at",
                "wider",
                format!("Your credential can make keys until {most}."),
            )),
            Some(end) => Ok(Some(end)),
            None if self.manages => Ok(Some(usual)),
            None => Ok(Some(most)),
        }
    }

    /// Refuses new bounds of a key that are wider than its old ones, unless they come from who may set them.
    pub(super) fn admit_change(
        &self,
        key: &ApiKey,
        scopes: &Scopes,
        limits: &KeyLimits,
    ) -> Result<()> {
        if self.manages {
            return Ok(());
        }
        if !key.scopes.hold_all(scopes) {
            let detail = "Only who may manage identities can give this key more scopes.";
            return Err(Error::field("#/scopes", "wider", detail));
        }
        within(limits, &key.limits)
    }

    /// Until when a key is good that has an end already. Without the right to manage identities it only comes nearer.
    pub(super) fn moved_end(
        &self,
        key: &ApiKey,
        wanted: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        if wanted.is_some_and(|end| end <= now) {
            let detail = "Must be in the future; to end a key now, revoke it.";
            return Err(Error::field("#/expires_at", "in_the_past", detail));
        }
        if key.expires_at.is_some_and(|end| end <= now) {
            let detail = "The key has ended; rotate it or make another.";
            return Err(Error::new(ErrorKind::StateConflict, detail));
        }
        let is_later = key
            .expires_at
            .is_some_and(|old| wanted.is_none_or(|end| end > old));
        if is_later && !self.manages {
            let detail = "Only who may manage identities can give this key more time.";
            return Err(Error::field("#/expires_at", "wider", detail));
        }
        Ok(wanted)
    }
}

/// A key cannot make a wider one: neither more scopes nor more folders, networks or requests.
pub(super) fn narrower(
    caller: &Caller,
    scopes: &Scopes,
    limits: &KeyLimits,
    bounds: &Bounds,
) -> Result<()> {
    if scopes.iter().next().is_none() {
        return Err(Error::field(
            "#/scopes",
            "empty",
            "A key needs at least one scope.",
        ));
    }
    if !caller.scopes().hold_all(scopes) {
        return Err(Error::field(
            "#/scopes",
            "wider",
            "A key cannot hold scopes that your credential lacks.",
        ));
    }
    within(limits, &bounds.limits)?;
    let raises = |wanted: Option<u32>, own: Option<u32>| wanted.is_some() && own.is_none();
    if !bounds.manages
        && (raises(limits.reads_per_minute, bounds.limits.reads_per_minute)
            || raises(limits.writes_per_minute, bounds.limits.writes_per_minute))
    {
        // The installation's figure holds where a key has none of its own, and it may be the lower one.
        let detail = "Rates are set by who may manage identities.";
        return Err(Error::field("#/limits", "wider", detail));
    }
    Ok(())
}

/// Whether bounds are nowhere wider than others.
fn within(limits: &KeyLimits, outer: &KeyLimits) -> Result<()> {
    let is_below = |path: &FolderPath| {
        let mut outer = outer.path_prefixes.iter();
        outer.any(|bound| path.is_within(bound))
    };
    if !outer.path_prefixes.is_empty()
        && (limits.path_prefixes.is_empty() || !limits.path_prefixes.iter().all(is_below))
    {
        let detail = "A key cannot reach folders outside those of your credential.";
        return Err(Error::field("#/path_prefixes", "wider", detail));
    }
    let is_inside = |network: &String| network_is_within(network, &outer.networks);
    if !outer.networks.is_empty()
        && (limits.networks.is_empty() || !limits.networks.iter().all(is_inside))
    {
        let detail = "A key cannot be used from networks outside those of your credential.";
        return Err(Error::field("#/allowed_networks", "wider", detail));
    }
    let is_more = |wanted: Option<u32>, most: Option<u32>| {
        most.is_some_and(|most| wanted.is_none_or(|wanted| wanted > most))
    };
    if is_more(limits.reads_per_minute, outer.reads_per_minute)
        || is_more(limits.writes_per_minute, outer.writes_per_minute)
    {
        let detail = "A key cannot have higher rates than your credential.";
        return Err(Error::field("#/limits", "wider", detail));
    }
    Ok(())
}

pub(super) fn check_limits(limits: &KeyLimits) -> Result<()> {
    if limits.path_prefixes.len() > BOUNDS_MAX || limits.networks.len() > BOUNDS_MAX {
        return Err(Error::field(
            "#/path_prefixes",
            "too_many",
            format!("At most {BOUNDS_MAX}."),
        ));
    }
    match limits
        .networks
        .iter()
        .position(|network| !reads_as_network(network))
    {
        Some(at) => Err(Error::field(
            &format!("#/allowed_networks/{at}"),
            "invalid_network",
            "A network looks like 192.0.2.0/24 or 2001:db8::/32.",
        )),
        None => Ok(()),
    }
}
