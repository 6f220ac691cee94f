//! The API document (OpenAPI 3.1), made from the same routes that answer: a route that is not described does not exist.

use bailee_api::{Event, FileEventData, Problem, TransferEventData};
use bailee_model::EventType;
use serde_json::{Map, Value, json};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, Required,
    ResponseBuilder, SecurityRequirement, Server, Tag,
};
use utoipa::{PartialSchema, ToSchema};

use crate::operations::{DOWNLOADS, is_public, is_signed, parameters};
use crate::routes;

/// The name of the security scheme and of the shared answer in the document.
const BEARER: &str = "api_key";
const SIGNATURE: &str = "webhook_signature";
const PROBLEM: &str = "Problem";
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// What the tags group.
const TAGS: [(&str, &str); 25] = [
    ("auth", "Who am I"),
    ("files", "Files and their versions"),
    ("folders", "Places for files"),
    ("uploads", "Uploads by parts"),
    ("transfers", "Bytes from here to there"),
    ("remotes", "Far systems"),
    ("secrets", "Passwords and keys that remotes refer to"),
    ("schedules", "What happens by itself, and when"),
    ("calendars", "Which days are worked on"),
    ("alerts", "What needs attention"),
    ("alert-rules", "What raises alerts"),
    ("pgp-keys", "OpenPGP keys, partners' and own"),
    ("channels", "Folders whose files are handed on to many"),
    ("flows", "What happens to files, when, and in whose name"),
    ("flow-runs", "Runs of flows"),
    ("events", "What happened, as a feed"),
    ("webhooks", "Receivers of events"),
    ("deliveries", "Tries to hand events to receivers"),
    ("audit", "Who did what, provably"),
    ("users", "People who may act"),
    ("service-accounts", "Programs that may act"),
    ("api-keys", "Credentials for programs"),
    ("settings", "What an administrator of a tenant may set"),
    ("tenants", "Customers whose data is kept apart"),
    ("system", "The installation"),
];

/// Problems that belong to an operation, beside those that its shape implies.
const OWN_PROBLEMS: &[(&str, &[u16])] = &[
    ("files.upload", &[408, 409, 413, 507]),
    ("files.write_content", &[404, 408, 409, 413, 422, 507]),
    ("files.delete_content", &[404]),
    ("files.lookup", &[404]),
    ("files.read_content", &[404, 412, 416]),
    ("files.read_content_head", &[404, 412]),
    ("files.download", &[412, 416]),
    ("files.download_head", &[412]),
    ("files.update", &[409]),
    ("files.copy", &[409, 413]),
    ("files.restore", &[409, 413]),
    ("folders.create", &[409]),
    ("folders.stat", &[404]),
    ("folders.children", &[404]),
    ("folders.update", &[404, 409]),
    ("folders.delete", &[404, 409]),
    ("uploads.create", &[409, 413]),
    ("uploads.put_part", &[408, 409, 410, 413, 422, 507]),
    ("uploads.complete", &[409, 410, 413]),
    ("uploads.abort", &[409, 410]),
    ("events.list", &[410]),
    ("events.stream", &[410]),
    ("transfers.create", &[404]),
    ("transfers.update", &[409]),
    ("transfers.cancel", &[409]),
    ("transfers.pause", &[409]),
    ("transfers.resume", &[409]),
    ("transfers.retry", &[409]),
    ("remotes.create", &[409]),
    ("remotes.update", &[409]),
    ("remotes.delete", &[409]),
    ("remotes.test", &[502, 504]),
    ("remotes.new_ssh_key", &[409]),
    ("remotes.children", &[409, 422, 502, 504]),
    ("schedules.create", &[404, 409]),
    ("schedules.replace", &[409]),
    ("schedules.delete", &[409]),
    ("schedules.pause", &[409]),
    ("schedules.resume", &[409]),
    ("alerts.acknowledge", &[409]),
    ("alerts.snooze", &[409]),
    ("alerts.resolve", &[409]),
    ("alert_rules.create", &[409]),
    ("alert_rules.replace", &[409]),
    ("alert_rules.delete", &[409]),
    ("calendars.create", &[409]),
    ("calendars.replace", &[409]),
    ("calendars.delete", &[409]),
    ("secrets.create", &[409, 413]),
    ("secrets.replace", &[409]),
    ("secrets.delete", &[409]),
    ("pgp_keys.import", &[409, 413]),
    ("pgp_keys.generate", &[409, 413]),
    ("pgp_keys.update", &[409]),
    ("pgp_keys.refresh", &[409]),
    ("pgp_keys.delete", &[409]),
    ("channels.create", &[404, 409, 413]),
    ("channels.update", &[404, 409]),
    ("channels.delete", &[409]),
    ("channels.subscribe", &[404, 409, 413]),
    ("channels.update_subscriber", &[404, 409]),
    ("channels.unsubscribe", &[409]),
    ("webhooks.delete", &[409]),
    ("flows.create", &[409]),
    ("flows.replace", &[409]),
    ("flows.delete", &[409]),
    ("flows.rotate_secret", &[409]),
    ("flows.hook", &[409]),
    ("users.create", &[409]),
    ("users.update", &[409]),
    ("users.delete", &[409]),
    ("service_accounts.create", &[409]),
    ("service_accounts.update", &[409]),
    ("service_accounts.delete", &[409]),
    ("api_keys.rotate", &[409]),
    ("tenants.update", &[409]),
    ("tenants.create", &[409]),
    ("audit.latest_checkpoint", &[404]),
    ("audit.consistency", &[404]),
    ("transfers.receipt", &[409]),
];

/// Operations that take `If-Match`.
const GUARDED: &[&str] = &[
    "files.write_content",
    "files.delete_content",
    "files.update",
    "files.delete",
    "remotes.replace",
    "remotes.update",
    "remotes.delete",
    "schedules.replace",
    "schedules.delete",
    "alert_rules.replace",
    "alert_rules.delete",
    "calendars.replace",
    "calendars.delete",
    "secrets.replace",
    "secrets.delete",
    "pgp_keys.update",
    "pgp_keys.delete",
    "channels.update",
    "channels.delete",
    "channels.update_subscriber",
    "channels.unsubscribe",
    "flows.replace",
    "flows.update",
    "flows.delete",
    "webhooks.update",
    "webhooks.delete",
];

/// The document, without its `webhooks` section, which [`document_json`] adds.
pub fn document() -> OpenApi {
    let mut document = routes::described().into_openapi();
    document.info = InfoBuilder::new()
        .title("Bailee")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Managed file transfer by API. All paths are below `/v1`; the same router answers below `/`. Errors are \
             `application/problem+json`; answers to download requests with `Range` carry no error body.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    document.servers = Some(vec![Server::new("/v1")]);
    document.tags = Some(TAGS.iter().map(|(name, told)| tag(name, told)).collect());
    let components = document.components.get_or_insert_default();
    complete(components);
    for item in document.paths.paths.values_mut() {
        let described = [
            &mut item.get,
            &mut item.head,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in described.into_iter().flatten() {
            dress(operation);
        }
        if let Some(operation) = &mut item.post {
            if !is_signed(operation.operation_id.as_deref().unwrap_or_default()) {
                add(operation, idempotency_key());
            }
            dress(operation);
        }
    }
    document
}

/// The document as text: pretty, sorted, the same on every run and machine.
pub fn document_json() -> String {
    let mut document = serde_json::to_value(document()).unwrap_or_default();
    if let Some(members) = document.as_object_mut() {
        members.insert("webhooks".to_owned(), webhooks());
    }
    let mut text = serde_json::to_string_pretty(&sorted(document)).unwrap_or_default();
    text.push('\n');
    text
}

fn tag(name: &str, told: &str) -> Tag {
    let mut tag = Tag::new(name);
    tag.description = Some(told.to_owned());
    tag
}

fn complete(components: &mut Components) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key: `Authorization: Bearer bailee_…`"))
        .build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    let signature = ApiKeyValue::with_description(
        "webhook-signature",
        "As Standard Webhooks say: `v1,` and base64 of HMAC-SHA-256 over `webhook-id.webhook-timestamp.body` under the \
         secret of what is called; several with spaces between.",
    );
    components.add_security_scheme(SIGNATURE, SecurityScheme::ApiKey(ApiKey::Header(signature)));
    let mut schemas = Vec::new();
    collect::<Problem>(&mut schemas);
    collect::<Event>(&mut schemas);
    collect::<TransferEventData>(&mut schemas);
    collect::<FileEventData>(&mut schemas);
    components.schemas.extend(schemas);
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(PROBLEM)))
        .build();
    let problem = ResponseBuilder::new()
        .description("A problem (RFC 9457); `code` says which, `type` leads to its page.")
        .content("application/problem+json", content)
        .build();
    components
        .responses
        .insert(PROBLEM.to_owned(), RefOr::T(problem));
}

fn collect<T: ToSchema>(schemas: &mut Vec<(String, RefOr<utoipa::openapi::Schema>)>) {
    schemas.push((T::name().into_owned(), <T as PartialSchema>::schema()));
    T::schemas(schemas);
}

/// What follows from an operation's shape: security, problems, headers, names for generated clients.
fn dress(operation: &mut Operation) {
    let id = operation.operation_id.clone().unwrap_or_default();
    let (group, method) = id.split_once('.').unwrap_or(("", &id));
    let names = ExtensionsBuilder::new()
        .add("x-sdk-group", group)
        .add("x-sdk-method", method)
        .build();
    operation.extensions.get_or_insert_default().merge(names);
    let scheme = if is_signed(&id) { SIGNATURE } else { BEARER };
    operation.security = Some(if is_public(&id) {
        Vec::new()
    } else {
        vec![SecurityRequirement::new(scheme, Vec::<String>::new())]
    });
    for status in problems(operation, &id) {
        let answers = &mut operation.responses.responses;
        answers
            .entry(status.to_string())
            .or_insert_with(|| RefOr::Ref(Ref::from_response_name(PROBLEM)));
    }
    for (name, told) in headers(&id) {
        add(operation, header(name, told));
    }
}

/// Statuses of the problems that an operation can answer with.
fn problems(operation: &Operation, id: &str) -> Vec<u16> {
    let mut problems = vec![400, 429, 431, 500, 503];
    if !is_public(id) {
        problems.extend([401, 403]);
    }
    if parameters(operation).any(|parameter| parameter.parameter_in == ParameterIn::Path) {
        problems.push(404);
    }
    if parameters(operation).any(|parameter| parameter.name == IDEMPOTENCY_KEY) {
        problems.extend([409, 422]); // its first run goes on, or was another request
    }
    if let Some(RefOr::T(body)) = &operation.request_body {
        let is_json = body.content.contains_key("application/json");
        problems.extend(if is_json {
            &[413, 415, 422][..]
        } else {
            &[415, 422]
        });
    }
    if GUARDED.contains(&id) {
        problems.extend([412, 428]);
    }
    let own = OWN_PROBLEMS.iter().find(|(known, _)| *known == id);
    problems.extend(own.map_or(&[][..], |(_, statuses)| statuses));
    problems
}

/// Request headers that mean something to an operation.
fn headers(id: &str) -> Vec<(&'static str, &'static str)> {
    let mut headers = Vec::new();
    if GUARDED.contains(&id) {
        headers.push((
            "If-Match",
            "Only if the object still has this ETag; 412 otherwise.",
        ));
    }
    if DOWNLOADS.contains(&id) {
        headers.push(("If-None-Match", "304 if the bytes have this ETag."));
        if !id.ends_with("_head") {
            headers.push((
                "Range",
                "Which bytes (RFC 9110): `bytes=20-`, `bytes=-6`, several with commas.",
            ));
            headers.push((
                "If-Range",
                "The range only if the bytes have this ETag; all of them otherwise.",
            ));
        }
    }
    match id {
        "files.write_content" => headers.extend([
            ("If-None-Match", "`*`: only if nothing is there."),
            (
                "Repr-Digest",
                "`sha-256=:…:` of the bytes; checked before anything is visible.",
            ),
        ]),
        "uploads.put_part" => {
            headers.push((
                "Content-Digest",
                "`sha-256=:…:` of the part; checked before it is held.",
            ));
        }
        _ => {}
    }
    headers
}

fn add(operation: &mut Operation, parameter: Parameter) {
    operation
        .parameters
        .get_or_insert_default()
        .push(RefOr::T(parameter));
}

fn header(name: &str, told: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(told))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

fn idempotency_key() -> Parameter {
    header(
        IDEMPOTENCY_KEY,
        "1 to 255 visible ASCII characters. A repetition within a day gets the first answer, with \
         `Idempotent-Replayed: true`.",
    )
}

/// What webhooks receive, a section that the builder does not know.
fn webhooks() -> Value {
    let describe = |kind: &EventType| {
        let body = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}});
        let operation = json!({
            "operationId": format!("on.{}", kind.as_str()),
            "summary": crate::events::types::told(*kind),
            "description": "Signed: `webhook-signature` (Standard Webhooks) and `X-Signature` (hex HMAC-SHA256 of the body). 2xx within 15 s is success.",
            "security": [],
            "requestBody": {"required": true, "content": body},
            "responses": {"2XX": {"description": "Taken"}, "410": {"description": "Gone: the webhook is disabled"}},
        });
        (kind.as_str().to_owned(), json!({"post": operation}))
    };
    Value::Object(EventType::ALL.iter().map(describe).collect())
}

/// Members in alphabetical order, whatever order the JSON library keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members
                .into_iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use std::collections::BTreeSet;

    use super::*;
    use crate::operations::methods;

    #[test]
    fn every_operation_is_complete_and_named_once() {
        let document = document();
        let tags: BTreeSet<&str> = TAGS.iter().map(|(name, _)| *name).collect();
        let mut ids = BTreeSet::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in methods(item) {
                let id = operation.operation_id.clone().unwrap();
                assert!(id.contains('.'), "{method} {path}: {id}");
                assert!(operation.summary.is_some(), "{id} has no summary");
                assert!(
                    tags.contains(operation.tags.as_ref().unwrap()[0].as_str()),
                    "{id}"
                );
                assert!(operation.responses.responses.contains_key("429"), "{id}");
                assert!(ids.insert(id.clone()), "{id} is there twice");
            }
        }
        assert!(ids.len() >= 80, "{} operations", ids.len());
        let named = OWN_PROBLEMS
            .iter()
            .map(|(id, _)| *id)
            .chain(GUARDED.iter().copied())
            .chain(DOWNLOADS);
        for id in named {
            assert!(ids.contains(id), "{id} is no operation");
        }
    }

    #[test]
    fn what_takes_a_condition_says_so() {
        let mut guarded = BTreeSet::new();
        let mut open = vec![std::path::PathBuf::from("src")];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).unwrap();
                open.extend(entries.map(|entry| entry.unwrap().path()));
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            if let Some((_, after)) = text.split_once("operation_id = \"")
                && text.contains("Guard(guard): Guard")
            {
                guarded.insert(after.split('"').next().unwrap().to_owned());
            }
        }
        let said = GUARDED
            .iter()
            .map(|&id| id.to_owned())
            .collect::<BTreeSet<_>>();
        assert_eq!(guarded, said);
    }

    #[test]
    fn every_reference_is_defined() {
        let document: Value = serde_json::from_str(&document_json()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut open = vec![&document];
        while let Some(value) = open.pop() {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(target)) = members.get("$ref") {
                        let pointer = target.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{target}");
                    }
                    open.extend(members.values());
                }
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
    }

    #[test]
    fn the_text_is_the_same_every_time() {
        assert_eq!(document_json(), document_json());
        assert!(document_json().contains("\"transfer.completed\""));
    }
}
