use bailee_api::{ApiKey, KeyLimits, KeyState, Links, SecretText};
use bailee_core::KeyText;
use bailee_model::{self as model, Timestamp};

/// A key as clients see it now; its text only where it is shown once.
pub(super) fn view(
    (key, last_used_at): (&model::ApiKey, Option<Timestamp>),
    text: Option<&KeyText>,
    now: Timestamp,
) -> ApiKey {
    ApiKey {
        key_id: key.id,
        name: key.name.clone(),
        principal_id: key.principal,
        scopes: key.scopes.clone(),
        path_prefixes: key
            .limits
            .path_prefixes
            .iter()
            .map(ToString::to_string)
            .collect(),
        allowed_networks: key.limits.networks.clone(),
        limits: KeyLimits {
            reads_per_minute: key.limits.reads_per_minute,
            writes_per_minute: key.limits.writes_per_minute,
        },
        state: state(key, now),
        api_key: text.map(|text| SecretText::from(text.reveal())),
        expires_at: key.expires_at,
        created_at: key.created_at,
        last_used_at,
        rotated_at: key.rotated_at,
        revoked_at: key.revoked_at,
        links: Links::to("api-keys", key.id),
    }
}

fn state(key: &model::ApiKey, now: Timestamp) -> KeyState {
    match key.state {
        model::KeyState::Revoked => KeyState::Revoked,
        model::KeyState::Active if key.expires_at.is_some_and(|end| now >= end) => {
            KeyState::Expired
        }
        model::KeyState::Active => KeyState::Active,
    }
}
