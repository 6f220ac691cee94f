//! A remote's configuration between the wire and the model. Both name the fields alike, so one form serves all kinds:
//! the fields of the body that are neither the remote's own nor secrets are its address.

use bailee_api::{ChangeRemote, CreateRemote, FtpsMode, HttpMethod, RemoteKind};
use bailee_core::{NewRemote, RemoteChange, RemoteSecret};
use bailee_model::{
    Error, Remote, RemoteAddress, RemoteSecretField, RemoteTimes, RemoteWindow, Weekday,
};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::extract::from_value;

/// The port of SSH (RFC 4253).
const SFTP_PORT: u16 = 22;
/// The port of FTP (RFC 959).
const FTP_PORT: u16 = 21;
/// The port of FTP that begins with TLS.
const FTPS_IMPLICIT_PORT: u16 = 990;
/// Where a far system starts.
const START: &str = ".";

/// The body that `fields` are, by their `kind`.
pub(super) fn wish(mut fields: Map<String, Value>) -> Result<CreateRemote, Error> {
    let kind = match fields.remove("kind") {
        Some(Value::String(kind)) => RemoteKind::from(kind.as_str()),
        Some(_) => return Err(Error::field("#/kind", "invalid", "Must be a text.")),
        None => return Err(Error::field("#/kind", "missing", "missing field `kind`.")),
    };
    let rest = Value::Object(fields);
    Ok(match kind {
        RemoteKind::Sftp => CreateRemote::Sftp(from_value(rest)?),
        RemoteKind::Ftps => CreateRemote::Ftps(from_value(rest)?),
        RemoteKind::Https => CreateRemote::Https(from_value(rest)?),
        RemoteKind::Webdav => CreateRemote::Webdav(from_value(rest)?),
        RemoteKind::S3 => CreateRemote::S3(from_value(rest)?),
        RemoteKind::AzureBlob => CreateRemote::AzureBlob(from_value(rest)?),
        RemoteKind::Gcs => CreateRemote::Gcs(from_value(rest)?),
        RemoteKind::Bailee => CreateRemote::Bailee(from_value(rest)?),
        RemoteKind::Local => CreateRemote::Local(from_value(rest)?),
        RemoteKind::Other(_) => {
            let known = RemoteKind::KNOWN.join("`, `");
            let detail = format!("Must be one of `{known}`.");
            return Err(Error::field("#/kind", "invalid", detail));
        }
    })
}

/// What a body asks for.
pub(super) fn parse(wish: &CreateRemote) -> Result<NewRemote, Error> {
    check_words(wish)?;
    let mut fields = fields_of(wish)?;
    let name = fields.remove("name").unwrap_or_default();
    let name = name.as_str().unwrap_or_default().parse();
    let name = name.map_err(|detail: &str| {
        let detail = format!("It is not a name: {detail}.");
        Error::field("#/name", "invalid_name", detail)
    })?;
    let concurrency = fields.remove("concurrency");
    let times = times(&mut fields)?;
    let mut secret = RemoteSecret::default();
    for field in RemoteSecretField::ALL {
        match fields.remove(field.as_str()) {
            Some(Value::String(text)) if text.is_empty() => {
                let pointer = format!("#/{}", field.as_str());
                return Err(Error::field(&pointer, "invalid", "Is empty."));
            }
            Some(Value::String(text)) => secret = secret.with(field, SecretString::from(text)),
            Some(Value::Object(reference)) => {
                let id = reference.get("secret_id").and_then(Value::as_str);
                let id = id.and_then(|id| id.parse().ok());
                let missing = || Error::internal("a reference names no secret");
                secret = secret.with_reference(field, id.ok_or_else(missing)?);
            }
            _ => {}
        }
    }
    fill(&mut fields);
    let address: RemoteAddress = serde_json::from_value(Value::Object(fields))
        .map_err(|error| Error::field("#", "invalid", format!("{error}.")))?;
    Ok(NewRemote {
        name,
        address,
        secret: Some(secret).filter(|secret| !secret.is_empty()),
        concurrency: concurrency
            .and_then(|number| number.as_u64())
            .map(|number| u32::try_from(number).unwrap_or(u32::MAX)),
        times,
    })
}

/// When the remote is used and looked at.
fn times(fields: &mut Map<String, Value>) -> Result<RemoteTimes, Error> {
    let mut times = RemoteTimes::default();
    let seconds = fields.remove("health_check_seconds").unwrap_or_default();
    times.health_check_seconds = seconds.as_u64().and_then(|n| u32::try_from(n).ok());
    if let Some(Value::String(zone)) = fields.remove("time_zone") {
        times.time_zone = zone.parse().map_err(|detail| {
            Error::field("#/time_zone", "invalid", format!("Is none: {detail}."))
        })?;
    }
    let windows = fields.remove("windows").unwrap_or_default();
    for (at, window) in windows.as_array().into_iter().flatten().enumerate() {
        times.windows.push(self::window(at, window)?);
    }
    Ok(times)
}

fn window(at: usize, window: &Value) -> Result<RemoteWindow, Error> {
    let wrong = |field: &str, detail: &str| {
        let pointer = format!("#/windows/{at}/{field}");
        Error::field(&pointer, "invalid", format!("It {detail}."))
    };
    let text = |field: &str| {
        window
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let days = window.get("days").cloned().unwrap_or_default();
    let known = |day: &Value| serde_json::from_value::<Weekday>(day.clone()).ok();
    let days: Option<Vec<_>> = days.as_array().into_iter().flatten().map(known).collect();
    Ok(RemoteWindow {
        days: days.ok_or_else(|| wrong("days", "holds `mon` to `sun`"))?,
        from: text("from")
            .parse()
            .map_err(|detail| wrong("from", detail))?,
        to: text("to").parse().map_err(|detail| wrong("to", detail))?,
        bytes_per_second: window
            .get("bytes_per_second")
            .and_then(Value::as_u64)
            .unwrap_or_default(),
    })
}

/// What `patch` makes of `remote`: its configuration as a body, merged with the patch (RFC 7396), and read again.
pub(super) fn change(patch: &ChangeRemote, remote: &Remote) -> Result<RemoteChange, Error> {
    let patch = patch.fields();
    if patch
        .get("kind")
        .is_some_and(|kind| kind != remote.kind().as_str())
    {
        let detail = "A remote keeps its kind; make a new one.";
        return Err(Error::field("#/kind", "immutable", detail));
    }
    let mut merged = fields_of(&remote.address)?;
    merged.insert("name".to_owned(), json!(remote.name));
    merged.insert("concurrency".to_owned(), json!(remote.concurrency));
    merged.extend(fields_of(&remote.times)?);
    // An empty field and one that is not there are the same here; so a null is kept, for its name to be judged.
    merged.extend(patch.clone());
    let mut new = parse(&wish(merged)?)?;
    let forget = forgotten(patch, remote)?;
    if new.address.is_elsewhere(&remote.address) && !patch.contains_key("host_key") {
        // Another machine has another key.
        if let RemoteAddress::Sftp { host_key, .. } = &mut new.address {
            *host_key = None;
        }
    }
    Ok(RemoteChange {
        name: Some(new.name),
        address: Some(new.address).filter(|address| *address != remote.address),
        secret: new.secret,
        forget,
        concurrency: new.concurrency,
        times: Some(new.times).filter(|times| *times != remote.times),
    })
}

/// The fields of `remote` and its address, by name, for an answer.
pub(super) fn shown(remote: &Remote) -> Map<String, Value> {
    let mut fields = fields_of(&remote.address).unwrap_or_default();
    for field in RemoteSecretField::ALL {
        let is_kept = remote.secret_fields.contains(&field);
        fields.insert(format!("has_{}", field.as_str()), Value::Bool(is_kept));
    }
    fields
}

fn fields_of(value: &impl Serialize) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(Error::internal("a remote's configuration has no fields")),
    }
}

/// What a secret's null asks for. One that signs in is replaced by another, so that a remote never loses its only one by
/// a slip; what stood in for a new key goes.
fn forgotten(patch: &Map<String, Value>, remote: &Remote) -> Result<Vec<RemoteSecretField>, Error> {
    use RemoteSecretField as Field;

    let has_key = remote.secret_fields.contains(&Field::PrivateKey);
    let stands_in =
        |field: Field| has_key && matches!(field, Field::Password | Field::PreviousPrivateKey);
    let is_null = |name: &str| patch.get(name).is_some_and(Value::is_null);
    if is_null("concurrency") {
        return Err(Error::field(
            "#/concurrency",
            "invalid",
            "Must be a number.",
        ));
    }
    let nulls = RemoteSecretField::ALL
        .into_iter()
        .filter(|field| is_null(field.as_str()));
    let nulls: Vec<_> = nulls.collect();
    let only = nulls
        .iter()
        .find(|field| field.signs_in() && !stands_in(**field));
    match only {
        Some(field) => Err(Error::field(
            &format!("#/{}", field.as_str()),
            "not_supported",
            "A secret is replaced by another, not removed.",
        )),
        None => Ok(nulls),
    }
}

/// Words that this version does not know are kept in answers and refused in wishes.
fn check_words(wish: &CreateRemote) -> Result<(), Error> {
    match wish {
        CreateRemote::Ftps(wish) => match &wish.mode {
            Some(FtpsMode::Other(_)) => {
                let detail = "Is `explicit` or `implicit`.";
                Err(Error::field("#/mode", "invalid", detail))
            }
            _ => Ok(()),
        },
        CreateRemote::Https(wish) => match &wish.method {
            Some(HttpMethod::Other(_)) => {
                let detail = "Is `put` or `post`.";
                Err(Error::field("#/method", "invalid", detail))
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Puts in what stands for absent fields.
fn fill(fields: &mut Map<String, Value>) {
    fields.retain(|_, value| !value.is_null());
    let mut absent = |name: &str, value: Value| fields.entry(name).or_insert(value).clone();
    let kind = absent("kind", Value::Null);
    match kind.as_str().unwrap_or_default() {
        "sftp" => _ = absent("port", json!(SFTP_PORT)),
        "ftps" => {
            let is_implicit = absent("mode", json!("explicit")) == "implicit";
            let port = if is_implicit {
                FTPS_IMPLICIT_PORT
            } else {
                FTP_PORT
            };
            _ = absent("port", json!(port));
        }
        "https" => {
            absent("can_write", json!(false));
            absent("method", json!("put"));
        }
        "s3" => {
            absent("path_style", json!(false));
            absent("sends_checksums", json!(true));
        }
        _ => {}
    }
    if !matches!(kind.as_str(), Some("https" | "webdav" | "local")) {
        absent("base_path", json!(START));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use bailee_model::{Chance, ErrorKind, RemoteId, Timestamp};

    use super::*;

    struct Zero;

    impl Chance for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn new(body: Value) -> Result<NewRemote, Error> {
        parse(&wish(body.as_object().unwrap().clone())?)
    }

    fn remote(wish: Value) -> Remote {
        let new = new(wish).unwrap();
        let now = Timestamp::from_ms(1_700_000_000_000);
        Remote {
            id: RemoteId::new(now, &Zero),
            name: new.name,
            address: new.address,
            secret_fields: new.secret.map(|secret| secret.fields()).unwrap_or_default(),
            secret_refs: std::collections::BTreeMap::new(),
            sealed_secret: None,
            ssh_keys: Vec::new(),
            concurrency: 4,
            times: new.times,
            created_at: now,
            revision: 1,
        }
    }

    fn bank() -> Remote {
        remote(
            json!({"kind": "sftp", "name": "bank", "host": "a", "username": "u", "host_key": "SHA256:x"}),
        )
    }

    fn changed(remote: &Remote, patch: Value) -> Result<RemoteChange, Error> {
        change(&from_value(patch)?, remote)
    }

    fn host_key(change: RemoteChange) -> Option<String> {
        match change.address {
            Some(RemoteAddress::Sftp { host_key, .. }) => host_key,
            _ => None,
        }
    }

    #[test]
    fn another_host_forgets_the_key_unless_a_new_one_comes() {
        let moved = changed(&bank(), json!({"host": "b"})).unwrap();
        assert!(moved.address.is_some());
        assert_eq!(host_key(moved), None);
        let kept = changed(&bank(), json!({"username": "v"})).unwrap();
        assert_eq!(host_key(kept).as_deref(), Some("SHA256:x"));
        let given = changed(&bank(), json!({"host": "b", "host_key": "SHA256:y"})).unwrap();
        assert_eq!(host_key(given).as_deref(), Some("SHA256:y"));
    }

    #[test]
    fn nothing_changes_that_is_not_named() {
        for same in [json!({}), json!({"host": "a"}), json!({"base_path": null})] {
            let change = changed(&bank(), same).unwrap();
            assert!(change.address.is_none() && change.secret.is_none());
        }
    }

    #[test]
    fn a_patch_is_judged_like_a_body() {
        for (patch, kind, pointer) in [
            (
                json!({"folder": "/srv"}),
                ErrorKind::UnknownField,
                "#/folder",
            ),
            (json!({"folder": null}), ErrorKind::UnknownField, "#/folder"),
            (
                json!({"api_key": null}),
                ErrorKind::UnknownField,
                "#/api_key",
            ),
            (json!({"port": "x"}), ErrorKind::ValidationFailed, "#/port"),
            (json!({"host": null}), ErrorKind::ValidationFailed, "#/host"),
            (
                json!({"password": null}),
                ErrorKind::ValidationFailed,
                "#/password",
            ),
            (
                json!({"kind": "ftps"}),
                ErrorKind::ValidationFailed,
                "#/kind",
            ),
            (
                json!({"concurrency": null}),
                ErrorKind::ValidationFailed,
                "#/concurrency",
            ),
        ] {
            let error = changed(&bank(), patch).unwrap_err();
            assert_eq!(error.kind(), kind, "{pointer}");
            assert_eq!(error.fields().first().unwrap().pointer, pointer);
        }
    }

    #[test]
    fn every_kind_is_read_and_shown_as_it_was_given() {
        let bodies = [
            json!({"kind": "ftps", "host": "h", "username": "u", "mode": "implicit"}),
            json!({"kind": "https", "url": "https://h/", "bearer_token": "canary", "ca_pem": "c"}),
            json!({"kind": "webdav", "url": "https://h/", "username": "u", "password": "canary"}),
            json!({"kind": "s3", "region": "r", "bucket": "b", "access_key_id": "i", "secret_access_key": "canary"}),
            json!({"kind": "azure_blob", "account": "a", "container": "c", "sas_token": "canary"}),
            json!({"kind": "gcs", "bucket": "b", "service_account_key": "canary"}),
            json!({"kind": "bailee", "url": "https://h/", "api_key": "canary"}),
            json!({"kind": "local", "folder": "/srv"}),
        ];
        for mut body in bodies {
            body.as_object_mut()
                .unwrap()
                .insert("name".to_owned(), json!("far"));
            let remote = remote(body.clone());
            let shown = shown(&remote);
            for (name, value) in body.as_object().unwrap() {
                if value == "canary" {
                    assert_eq!(shown.get(&format!("has_{name}")), Some(&json!(true)));
                } else if name != "name" {
                    assert_eq!(shown.get(name), Some(value), "{name}");
                }
            }
            assert!(!format!("{shown:?}").contains("canary"));
            let same = changed(&remote, json!({"concurrency": 5})).unwrap();
            assert!(same.address.is_none(), "{body}");
        }
    }

    #[test]
    fn the_port_follows_from_how_tls_begins() {
        for (mode, port) in [("explicit", 21), ("implicit", 990)] {
            let body =
                json!({"kind": "ftps", "name": "f", "host": "h", "username": "u", "mode": mode});
            assert_eq!(shown(&remote(body)).get("port"), Some(&json!(port)));
        }
        let body =
            json!({"kind": "ftps", "name": "f", "host": "h", "username": "u", "mode": "plain"});
        let error = new(body).unwrap_err();
        assert_eq!(error.fields().first().unwrap().pointer, "#/mode");
    }
}
