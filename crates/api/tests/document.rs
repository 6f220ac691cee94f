//! What the types say about themselves in the API document.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use bailee_api::*;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Collects `T` and everything below it, by name.
fn collect<T: ToSchema>(into: &mut BTreeMap<String, Value>) {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    for (name, schema) in found {
        let schema = serde_json::to_value(schema).unwrap();
        if let Some(other) = into.insert(name.clone(), schema.clone()) {
            assert_eq!(other, schema, "two schemas are called {name}");
        }
    }
}

macro_rules! collect_all {
    ($($name:ident)*) => {{
        let mut all = BTreeMap::new();
        $(collect::<$name>(&mut all); assert_eq!($name::name(), stringify!($name));)*
        all
    }};
}

fn requests() -> BTreeMap<String, Value> {
    collect_all!(
        ChangeFile CopyFile RestoreFile CreateFolder ChangeFolder OpenUpload CompleteUpload CreateTransfer ChangeTransfer
        CreateRemote ChangeRemote TrustHostKey CreateWebhook ChangeWebhook RotateWebhookSecret TestWebhook CreateApiKey
        ChangeApiKey RotateApiKey CreatePrincipal ChangePrincipal CreateTenant ChangeTenant ChangeSettings
        CreateChannel ChangeChannel CreateSubscriber ChangeSubscriber ReplaySubscriber
    )
}

fn answers() -> BTreeMap<String, Value> {
    collect_all!(
        Identity File FileVerification Folder FolderEntry UploadSession UploadPart Transfer TransferStatus Remote RemoteTest
        Webhook Delivery Event EventFeed EventCatalogue TransferEventData FileEventData AuditRecord AuditCheckpoint
        AuditVerification AuditKeys ApiKey User ServiceAccount Tenant TenantUsage Settings Health SystemHealth SystemInfo
        Channel Subscriber Publication Problem
    )
}

fn lists() -> BTreeMap<String, Value> {
    collect_all!(
        FileList FolderEntryList UploadSessionList TransferList RemoteList WebhookList DeliveryList AuditRecordList
        AuditCheckpointList ApiKeyList UserList ServiceAccountList TenantList ChannelList SubscriberList PublicationList
    )
}

fn visit(value: &Value, look: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            look(fields);
            fields.values().for_each(|below| visit(below, look));
        }
        Value::Array(items) => items.iter().for_each(|below| visit(below, look)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let mut all = requests();
    all.extend(answers());
    all.extend(lists());
    let mut wanted = BTreeSet::new();
    for schema in all.values() {
        visit(schema, &mut |fields| {
            if let Some(Value::String(to)) = fields.get("$ref") {
                wanted.insert(to.trim_start_matches("#/components/schemas/").to_owned());
            }
        });
    }
    let known: BTreeSet<String> = all.keys().cloned().collect();
    assert_eq!(
        wanted.difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

/// Parts of answers that are parts of requests too, where they may be left out.
const SENT_TOO: [(&str, &str); 1] = [("RemoteWindow", "days")];

#[test]
fn every_field_of_an_answer_is_always_there() {
    let mut all = answers();
    all.extend(lists());
    for (name, schema) in all {
        let Some(Value::Object(properties)) = schema.get("properties") else {
            continue;
        };
        let required = schema.get("required").cloned().unwrap_or(json!([]));
        for field in properties.keys() {
            if SENT_TOO.contains(&(name.as_str(), field)) {
                continue;
            }
            assert!(
                required.as_array().unwrap().contains(&json!(field)),
                "{name}.{field}"
            );
        }
    }
}

#[test]
fn requests_are_closed() {
    for (name, schema) in requests() {
        if schema.get("properties").is_some() {
            assert_eq!(
                schema.get("additionalProperties"),
                Some(&json!(false)),
                "{name}"
            );
        }
    }
}

#[test]
fn ids_times_words_and_nulls_look_as_documented() {
    let all = answers();
    let field = |schema: &str, name: &str| {
        all.get(schema)
            .and_then(|found| found.pointer(&format!("/properties/{name}")))
            .cloned()
            .unwrap()
    };
    assert_eq!(field("File", "file_id").get("type"), Some(&json!("string")));
    let created = field("File", "created_at");
    assert_eq!(created.get("format"), Some(&json!("date-time")));
    let expires = field("File", "expires_at");
    assert_eq!(expires.get("type"), Some(&json!(["string", "null"])));
    assert_eq!(expires.get("format"), Some(&json!("date-time")));
    assert_eq!(
        all.get("TransferState")
            .and_then(|state| state.get("x-extensible-enum")),
        Some(&json!([
            "queued",
            "running",
            "paused",
            "completed",
            "failed"
        ]))
    );
}

#[test]
fn unions_are_told_apart_by_a_named_tag() {
    let all = requests();
    let remote = all.get("CreateRemote").unwrap();
    assert_eq!(
        remote.pointer("/discriminator/mapping/local"),
        Some(&json!("#/components/schemas/CreateLocalRemote"))
    );
    let local = all.get("CreateLocalRemote").unwrap();
    assert_eq!(
        local.pointer("/properties/kind/enum"),
        Some(&json!(["local"]))
    );
    assert_eq!(
        local.get("required"),
        Some(&json!(["kind", "name", "folder"]))
    );
}

#[test]
fn what_a_patch_cannot_empty_is_not_nullable() {
    let all = requests();
    let patch = all.get("ChangeFile").unwrap();
    assert_eq!(
        patch.pointer("/properties/path/type"),
        Some(&json!("string"))
    );
    assert_eq!(
        patch.pointer("/properties/tags/type"),
        Some(&json!(["array", "null"]))
    );
    assert_eq!(patch.get("required"), None);
}
