use bailee_api::{Links, Remote};
use bailee_model::{self as model, Error};
use serde_json::{Value, json};

use super::form::shown;
use crate::answer::{Answer, Body, tagged};

/// A remote as clients see it: its secrets never come out.
pub(super) fn view(remote: &model::Remote) -> Result<Remote, Error> {
    let mut fields = shown(remote);
    let own = json!({
        "remote_id": remote.id,
        "name": remote.name,
        "secret_ids": remote.secret_refs,
        "ssh_keys": remote.ssh_keys,
        "concurrency": remote.concurrency,
        "health_check_seconds": remote.times.health_check_seconds,
        "time_zone": remote.times.time_zone,
        "windows": remote.times.windows,
        "created_at": remote.created_at,
        "links": Links::to("remotes", remote.id),
    });
    if let Value::Object(own) = own {
        fields.extend(own);
    }
    serde_json::from_value(Value::Object(fields))
        .map_err(|_| Error::internal("a remote has no form on the wire"))
}

/// 200 with a remote and its ETag.
pub(super) fn found(remote: &model::Remote) -> Answer {
    Ok(tagged(&remote.revision.to_string(), Body(view(remote)?)))
}
