use bailee_api::{Links, Secret};
use bailee_model as model;

/// A secret as clients see it: its value never comes out.
pub(super) fn view(secret: &model::Secret) -> Secret {
    Secret {
        secret_id: secret.id,
        name: secret.name.to_string(),
        kind: secret.source.kind().into(),
        reference: secret.source.reference(),
        created_at: secret.created_at,
        updated_at: secret.updated_at,
        links: Links::to("secrets", secret.id),
    }
}
