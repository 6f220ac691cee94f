use axum::response::Response;
use bailee_api::{Links, Secret};
use bailee_model::{self as model, Error};
use serde_json::{Value, json};

use crate::answer::{Answer, Body, tagged};

/// A secret as clients see it: where its value is, and whether something of it is kept. Neither the value nor what signs
/// in where it is comes out.
pub(super) fn view(secret: &model::Secret) -> Result<Secret, Error> {
    // Model and wire name the fields alike.
    let unfit = || Error::internal("a secret has no form on the wire");
    let Ok(Value::Object(mut fields)) = serde_json::to_value(&secret.source) else {
        return Err(unfit());
    };
    let kind = secret.source.kind();
    let own = json!({
        "secret_id": secret.id,
        "name": secret.name,
        "reference": secret.source.reference(),
        "has_value": kind == "value",
        "has_token": kind == "vault",
        "has_secret_access_key": kind == "aws_secrets_manager",
        "has_client_secret": kind == "azure_key_vault",
        "created_at": secret.created_at,
        "updated_at": secret.updated_at,
        "links": Links::to("secrets", secret.id),
    });
    if let Value::Object(own) = own {
        fields.extend(own);
    }
    serde_json::from_value(Value::Object(fields)).map_err(|_| unfit())
}

/// 200 with a secret and its ETag.
pub(super) fn found(secret: &model::Secret) -> Answer<Response> {
    Ok(tagged(&secret.revision.to_string(), Body(view(secret)?)))
}
