//! A tenant with one object of each kind, and a good request for each operation.

use std::collections::BTreeMap;
use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use super::document::Operation;
use crate::kit::{Api, Call, Form, LOOK_EVERY, PARTNER_KEY, PATIENCE, Receiver, Server};

/// Objects by the name of their path parameter.
pub(super) struct World {
    pub(super) owner: Api,
    ids: BTreeMap<&'static str, String>,
    /// How many objects were made; names are taken from it.
    made: u32,
    receiver: Receiver,
    exchange: String,
}

impl World {
    /// Makes one object of each kind in the first tenant.
    pub(super) async fn make(server: &Server) -> Self {
        let mut world = Self {
            owner: server.admin(),
            ids: BTreeMap::new(),
            made: 0,
            receiver: Receiver::start(),
            exchange: server.exchange().to_str().unwrap().to_owned(),
        };
        for kind in [
            "file_id",
            "session_id",
            "remote_id",
            "pgp_key_id",
            "secret_id",
            "transfer_id",
            "webhook_id",
            "key_id",
            "user_id",
            "service_account_id",
            "calendar_id",
            "schedule_id",
            "alert_rule_id",
            "alert_id",
            "channel_id",
            "subscriber_id",
            "flow_id",
            "run_id",
        ] {
            world.refresh(kind).await;
        }
        let identity = world
            .owner
            .get("/auth/validate")
            .send()
            .await
            .is(200)
            .json();
        world.put("tenant_id", &identity["tenant_id"]);
        let record = world.owner.records("limit=1").await.remove(0);
        world.put("audit_id", &record["audit_id"]);
        let feed = "/events?after=0&limit=1&wait=30";
        let feed = world.owner.get(feed).send().await.is(200).json();
        world.put("event_id", &feed["data"][0]["event_id"]);
        world.refresh("delivery_id").await;
        world.ids.insert("part", "0".to_owned());
        world.ids.insert("tree_size", "1".to_owned());
        world
    }

    /// Replaces the object of a kind by a new one.
    pub(super) async fn refresh(&mut self, kind: &'static str) {
        self.made += 1;
        let number = self.made;
        let (route, wish) = match kind {
            "file_id" => {
                let file = self
                    .owner
                    .upload(&format!("/m/{number}.txt"), b"matrix")
                    .await;
                return self.put(kind, &file["file_id"]);
            }
            "session_id" => (
                "/uploads",
                json!({"destination": "m", "filename": format!("{number}.bin")}),
            ),
            "remote_id" => (
                "/remotes",
                json!({"name": format!("r{number}"), "kind": "local", "folder": self.exchange}),
            ),
            "secret_id" => (
                "/secrets",
                json!({"name": format!("s{number}"), "kind": "value", "value": "matrix"}),
            ),
            "pgp_key_id" => (
                "/pgp-keys/generate",
                json!({"name": format!("p{number}"), "user_id": format!("P{number}")}),
            ),
            "transfer_id" => {
                let id = self.ids["file_id"].clone();
                (
                    "/transfers",
                    json!({"source": id, "destination": format!("/m/t{number}"), "start_at": "2999-01-01T00:00:00Z"}),
                )
            }
            "webhook_id" => (
                "/webhooks",
                json!({"url": self.receiver.url, "types": ["ping"]}),
            ),
            "key_id" => (
                "/api-keys",
                json!({"name": "matrix", "scopes": ["files:read"]}),
            ),
            "user_id" => ("/users", json!({"name": format!("u{number}")})),
            "service_account_id" => ("/service-accounts", json!({"name": format!("s{number}")})),
            "calendar_id" => ("/calendars", json!({"name": format!("c{number}")})),
            "schedule_id" => (
                "/schedules",
                json!({"name": format!("t{number}"), "cron": "0 0 1 1 *", "transfer": {"source": "/m/", "destination": "/n/"}}),
            ),
            "channel_id" => (
                "/channels",
                json!({"name": format!("c{number}"), "folder": format!("/m/c{number}")}),
            ),
            "subscriber_id" => return self.new_subscriber().await,
            "alert_rule_id" => ("/alert-rules", alert_rule(&format!("a{number}"))),
            "alert_id" => return self.new_alert(&format!("a{number}")).await,
            "flow_id" => ("/flows", asking(&format!("f{number}"))),
            "run_id" => return self.new_run().await,
            "delivery_id" => return self.new_delivery().await,
            _ => return,
        };
        let made = self.owner.post(route).json(&wish).send().await;
        assert!(
            [201, 202].contains(&made.status),
            "{route}: {:?}",
            made.body
        );
        self.put(kind, &made.json()[kind]);
    }

    /// A run that waits for a second person, started by another than the owner.
    async fn new_run(&mut self) {
        let number = self.made;
        let wish = json!({"name": format!("starter{number}"), "roles": ["administrator"]});
        let made = self
            .owner
            .post("/service-accounts")
            .json(&wish)
            .send()
            .await;
        let id = made.is(201).json()["service_account_id"].clone();
        let wish = json!({"name": "starter", "scopes": ["admin"], "principal_id": id});
        let key = self.owner.new_key(wish).await;
        let starter = self.owner.with_key(key["api_key"].as_str().unwrap());
        let flow = asking(&format!("asks{number}"));
        let flow = starter
            .post("/flows")
            .json(&flow)
            .send()
            .await
            .is(201)
            .json();
        let path = format!("/flows/{}/runs", flow["flow_id"].as_str().unwrap());
        let run = starter.post(&path).send().await.is(202).json();
        self.put("run_id", &run["run_id"]);
        self.wait_for_run("waiting").await;
    }

    /// Waits until the run is in a state.
    pub(super) async fn wait_for_run(&self, state: &str) {
        let begun = Instant::now();
        loop {
            let path = format!("/flow-runs/{}", self.ids["run_id"]);
            let run = self.owner.get(&path).send().await.is(200).json();
            if run["state"] == state {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "not {state}: {run}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn new_delivery(&mut self) {
        let path = format!("/webhooks/{}/test", self.ids["webhook_id"]);
        self.owner.post(&path).json(&json!({})).send().await.is(202);
        let begun = Instant::now();
        loop {
            let rows = self.owner.all("/deliveries?limit=1&state=succeeded").await;
            if let Some(row) = rows.first() {
                return self.put("delivery_id", &row["delivery_id"]);
            }
            assert!(begun.elapsed() < PATIENCE, "no delivery");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn new_subscriber(&mut self) {
        let path = format!("/channels/{}/subscribers", self.ids["channel_id"]);
        let wish = json!({"name": format!("s{}", self.made), "destination": "/m/subscribed/"});
        let made = self.owner.post(&path).json(&wish).send().await;
        self.put("subscriber_id", &made.is(201).json()["subscriber_id"]);
    }

    /// A rule that counts its own making raises an alert at once.
    async fn new_alert(&mut self, name: &str) {
        let wish = json!({
            "name": name, "kind": "threshold",
            "threshold": {"measure": "entries", "above": 0, "filter": {"operations": ["alert_rules.create"]}},
        });
        let rule = self.owner.post("/alert-rules").json(&wish).send().await;
        let rule = rule.is(201).json()["alert_rule_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let begun = Instant::now();
        loop {
            let path = format!("/alerts?limit=1&alert_rule_id={rule}");
            if let Some(row) = self.owner.all(&path).await.first() {
                return self.put("alert_id", &row["alert_id"]);
            }
            assert!(begun.elapsed() < PATIENCE, "no alert");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn put(&mut self, kind: &'static str, id: &Value) {
        self.ids.insert(kind, id.as_str().unwrap().to_owned());
    }

    /// Has paths name another object of a kind.
    pub(super) fn name(&mut self, kind: &'static str, id: &str) {
        self.ids.insert(kind, id.to_owned());
    }

    pub(super) fn id(&self, kind: &str) -> &str {
        &self.ids[kind]
    }

    /// The path of an operation on this world's objects, with what must be in its query.
    pub(super) fn path(&self, operation: &Operation) -> String {
        let mut path = operation.path.clone();
        for (name, id) in &self.ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        assert!(!path.contains('{'), "the world has nothing for {path}");
        let query: Vec<&str> = operation.required_query.iter().map(|_| "path=/m").collect();
        if query.is_empty() {
            path
        } else {
            format!("{path}?{}", query.join("&"))
        }
    }

    /// A good request of `caller` at a path of this world.
    pub(super) fn request(&self, caller: &Api, operation: &Operation, path: &str) -> Call {
        let call = caller.call(operation.method.clone(), path);
        match self.body(operation) {
            Some(body) => call.json(&body),
            None if operation.id == "files.upload" => {
                call.header("content-type", &Form::content_type()).body(
                    Form::new()
                        .text("destination", "m")
                        .file("form.txt", b"form")
                        .body(),
                )
            }
            None if operation.method == Method::PUT => call.body("bytes"),
            None => call,
        }
    }

    /// A body that the operation takes.
    pub(super) fn body(&self, operation: &Operation) -> Option<Value> {
        Some(match operation.id.as_str() {
            "api_keys.create" => json!({"name": "k", "scopes": ["files:read"]}),
            "webhooks.recover" => json!({"since": "2026-01-01T00:00:00Z"}),
            "folders.create" => json!({"path": "/m/made"}),
            "files.copy" => json!({"path": "/m/copied.txt"}),
            "folders.update" => json!({"path": "/moved"}),
            "remotes.create" => json!({"name": "made", "kind": "local", "folder": self.exchange}),
            "remotes.replace" => {
                json!({"name": "replaced", "kind": "local", "folder": self.exchange})
            }
            "remotes.trust" => {
                json!({"fingerprint": "SHA256:uNiVztksCsDhcc0u9e8BrMnTs1UHjPP9mMA2Y3n1lqI"})
            }
            "remotes.new_ssh_key" => json!({"algorithm": "ed25519"}),
            "remotes.update" => json!({"concurrency": 2}),
            "service_accounts.create" | "users.create" | "tenants.create" => {
                json!({"name": "made"})
            }
            "calendars.create" | "calendars.replace" => {
                json!({"name": operation.id, "holidays": [{"date": "*-12-25", "name": "Christmas Day"}]})
            }
            "schedules.create" | "schedules.replace" => {
                json!({"name": operation.id, "cron": "@yearly", "transfer": {"source": "/m/", "destination": "/n/"}})
            }
            "alert_rules.create" | "alert_rules.replace" => alert_rule(&operation.id),
            "channels.create" => json!({"name": "made", "folder": "/m/made"}),
            "channels.subscribe" => json!({"name": "made", "destination": "/m/other/"}),
            "channels.replay" => json!({"which": "all"}),
            "alerts.snooze" => json!({"seconds": 60}),
            "transfers.create" => {
                json!({"source": self.id("file_id"), "destination": "/m/moved.txt"})
            }
            "secrets.create" => json!({"name": "made", "kind": "value", "value": "matrix"}),
            "secrets.replace" => json!({"name": "replaced", "kind": "value", "value": "matrix"}),
            "pgp_keys.import" => json!({"name": "partner", "key": PARTNER_KEY}),
            "pgp_keys.generate" => json!({"name": "made", "user_id": "Made"}),
            "pgp_keys.update" => json!({"usage": ["sign"]}),
            "pgp_keys.refresh" => json!({"key": PARTNER_KEY}),
            "uploads.create" => json!({"destination": "m", "filename": "made.bin"}),
            "webhooks.create" => json!({"url": self.receiver.url, "types": ["ping"]}),
            "webhooks.update" => json!({"types": ["ping", "file.*"]}),
            "flows.create" => asking("made"),
            "flows.replace" => asking("replaced"),
            "flows.update" => json!({"enabled": false}),
            "files.update" => json!({"tags": ["matrix"]}),
            "settings.change" => json!({"trash_seconds": 3600}),
            "tenants.update" => json!({"quota_files": 100_000}),
            "api_keys.update" | "users.update" | "service_accounts.update" => {
                json!({"name": "renamed"})
            }
            _ if operation.takes_json => json!({}),
            _ => return None,
        })
    }
}

/// A rule that raises nothing by itself.
fn alert_rule(name: &str) -> Value {
    json!({"name": name, "kind": "expiry", "expiry": {"what": ["api_keys"]}})
}

/// A flow whose runs wait for a second person.
fn asking(name: &str) -> Value {
    json!({"name": name, "triggers": [{"kind": "hook"}], "steps": [{"id": "ask", "kind": "approve"}]})
}
