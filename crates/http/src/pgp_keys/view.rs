use axum::response::Response;
use bailee_api::{Links, PgpKey, PgpKeyPart};
use bailee_core::Core;
use bailee_model::{self as model, Timestamp};

use crate::answer::{Body, Created, tagged};

/// A key as clients see it: its secret part never comes out.
pub(super) fn view(key: &model::PgpKey, now: Timestamp) -> PgpKey {
    PgpKey {
        pgp_key_id: key.id,
        name: key.name.to_string(),
        fingerprint: key.primary.fingerprint.clone(),
        user_ids: key.user_ids.clone(),
        algorithm: key.primary.algorithm.clone(),
        has_secret: key.has_secret,
        usage: key.usage.iter().map(|one| (*one).into()).collect(),
        trust: key.trust.into(),
        state: key.state(now).into(),
        key_created_at: key.primary.created_at,
        expires_at: key.primary.expires_at,
        subkeys: key.subkeys.iter().map(|one| part(one, now)).collect(),
        created_at: key.created_at,
        links: Links::to("pgp-keys", key.id),
    }
}

fn part(part: &model::PgpKeyPart, now: Timestamp) -> PgpKeyPart {
    PgpKeyPart {
        fingerprint: part.fingerprint.clone(),
        algorithm: part.algorithm.clone(),
        created_at: part.created_at,
        expires_at: part.expires_at,
        state: part.state(now).into(),
        can_encrypt: part.can_encrypt,
        can_sign: part.can_sign,
    }
}

/// 200 with a key and its ETag.
pub(super) fn found(key: &model::PgpKey, core: &Core) -> Response {
    let body = view(key, core.clock().now());
    tagged(&key.revision.to_string(), Body(body))
}

/// 201 with a new key and its ETag.
pub(super) fn created(key: &model::PgpKey, core: &Core) -> Response {
    let body = view(key, core.clock().now());
    let location = body.links.own.clone();
    tagged(&key.revision.to_string(), Created { location, body })
}
