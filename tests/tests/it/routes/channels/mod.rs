//! `/channels`: what arrives in a folder is handed on to each subscriber once.

mod bounds;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};

use crate::kit::{Api, LOOK_EVERY, PATIENCE, Receiver, Server};

/// A channel with subscribers, seen by its owner.
struct Channel {
    owner: Api,
    path: String,
}

impl Channel {
    async fn make(owner: &Api, wish: Value) -> Self {
        let made = owner
            .post("/channels")
            .json(&wish)
            .send()
            .await
            .is(201)
            .json();
        Self {
            owner: owner.clone(),
            path: format!("/channels/{}", made["channel_id"].as_str().unwrap()),
        }
    }

    /// Adds a subscriber; answers its path.
    async fn subscribe(&self, wish: Value) -> String {
        let path = format!("{}/subscribers", self.path);
        let made = self
            .owner
            .post(&path)
            .json(&wish)
            .send()
            .await
            .is(201)
            .json();
        format!("{path}/{}", made["subscriber_id"].as_str().unwrap())
    }

    /// The files of a subscriber, oldest first, once `count` of them are in `state` and none is elsewhere.
    async fn files(&self, subscriber: &str, state: &str, count: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let mut rows = self
                .owner
                .all(&format!("{subscriber}/files?limit=50"))
                .await;
            if rows.len() == count && rows.iter().all(|row| row["state"] == state) {
                rows.reverse();
                return rows;
            }
            assert!(begun.elapsed() < PATIENCE, "not {count} {state}: {rows:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn set(&self, path: &str, wish: Value) {
        self.owner.patch(path).json(&wish).send().await.is(200);
    }

    async fn replay(&self, subscriber: &str, wish: Value) {
        let path = format!("{subscriber}/replay");
        self.owner.post(&path).json(&wish).send().await.is(202);
    }
}

/// A remote that is a folder of the server's machine.
async fn far(server: &Server, owner: &Api, name: &str) -> PathBuf {
    let folder = server.exchange().join(name);
    fs::create_dir(&folder).unwrap();
    let wish = json!({"name": name, "kind": "local", "folder": folder});
    owner.post("/remotes").json(&wish).send().await.is(201);
    folder
}

fn paths(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .map(|row| row["path"].as_str().unwrap())
        .collect()
}

/// How many transfers carry a label.
async fn transfers(owner: &Api, label: &str) -> usize {
    owner
        .all(&format!("/transfers?limit=100&label={label}"))
        .await
        .len()
}

#[tokio::test]
async fn each_file_reaches_each_subscriber_once() {
    let mut server = Server::start().await;
    let owner = server.admin();
    let receiver = Receiver::start();
    let bank = far(&server, &owner, "bank").await;
    let hook = json!({"url": receiver.url, "types": ["ping"]});
    let hook = owner
        .post("/webhooks")
        .json(&hook)
        .send()
        .await
        .is(201)
        .json();
    owner.upload("/out/prices/early.csv", b"too early").await;
    let channel = Channel::make(
        &owner,
        json!({"name": "prices", "folder": "/out/prices", "exclude": ["*.tmp"]}),
    )
    .await;
    let at_bank = json!({"name": "bank", "destination": "bank:/in/"});
    let at_bank = channel.subscribe(at_bank).await;
    let copy = json!({"name": "copy", "destination": "/archive/", "include": ["eu/**"]});
    let copy = channel.subscribe(copy).await;
    let told = json!({"name": "told", "webhook_id": hook["webhook_id"]});
    let told = channel.subscribe(told).await;

    let first = owner.upload("/out/prices/a.csv", b"one").await;
    owner.upload("/out/prices/eu/b.csv", b"two").await;
    owner.upload("/out/prices/c.tmp", b"not a price").await;
    owner.upload("/out/other.csv", b"elsewhere").await;
    for (subscriber, wanted) in [
        (&at_bank, &["a.csv", "eu/b.csv"][..]),
        (&told, &["a.csv", "eu/b.csv"]),
        (&copy, &["eu/b.csv"]),
    ] {
        let rows = channel.files(subscriber, "completed", wanted.len()).await;
        assert_eq!(paths(&rows), wanted);
    }
    assert_eq!(fs::read(bank.join("in/a.csv")).unwrap(), b"one");
    assert_eq!(fs::read(bank.join("in/eu/b.csv")).unwrap(), b"two");
    let archived = owner
        .get("/files/lookup?path=/archive/eu/b.csv")
        .send()
        .await;
    archived.is(200);
    let events = receiver.wait_for(2).await;
    for event in &events {
        assert_eq!(event.json()["type"], "file.uploaded");
    }
    let is_first = |file: &Value| *file == first["file_id"];
    assert!(
        events
            .iter()
            .any(|event| is_first(&event.json()["file_id"]))
    );

    again_after_a_start(&mut server, &channel, [&at_bank, &copy], &bank).await;
    assert_eq!(receiver.wait_for(3).await.len(), 3);
    for operation in ["channels.create", "channels.subscribe"] {
        owner.records(&format!("operation={operation}")).await;
    }
}

/// A new version is a new file; what was handed on is not handed on again after a start.
async fn again_after_a_start(
    server: &mut Server,
    channel: &Channel,
    [at_bank, copy]: [&String; 2],
    bank: &Path,
) {
    let owner = &channel.owner;
    server.stop();
    server.start_again().await;
    let path = "/files/content?path=/out/prices/a.csv";
    let written = owner.call(reqwest::Method::PUT, path).body("three");
    written.send().await.is(200);
    channel.files(at_bank, "completed", 3).await;
    channel.files(copy, "completed", 1).await;
    assert_eq!(fs::read(bank.join("in/a.csv")).unwrap(), b"three");
    assert_eq!(transfers(owner, "prices/bank").await, 3);
    assert_eq!(transfers(owner, "prices/copy").await, 1);
    let counts = owner.get(at_bank).send().await.is(200).json();
    let wanted = json!({"waiting": 0, "under_way": 0, "completed": 3, "failed": 0});
    assert_eq!(counts["files"], wanted);
}

#[tokio::test]
async fn one_that_fails_delays_no_other_and_is_repeated_alone() {
    let server = Server::start().await;
    let owner = server.admin();
    let bank = far(&server, &owner, "bank").await;
    let shop = far(&server, &owner, "shop").await;
    // A file stands where a folder should be: nothing can be written below it.
    fs::write(bank.join("in"), b"in the way").unwrap();
    let channel = Channel::make(&owner, json!({"name": "c", "folder": "/c"})).await;
    let at_bank = json!({"name": "bank", "destination": "bank:/in/"});
    let at_bank = channel.subscribe(at_bank).await;
    let at_shop = json!({"name": "shop", "destination": "shop:/"});
    let at_shop = channel.subscribe(at_shop).await;
    let a = owner.upload("/c/a", b"a").await;
    owner.upload("/c/b", b"b").await;
    channel.files(&at_shop, "completed", 2).await;
    channel.files(&at_bank, "failed", 2).await;

    fs::remove_file(bank.join("in")).unwrap();
    channel
        .replay(&at_bank, json!({"file_id": a["file_id"]}))
        .await;
    let begun = Instant::now();
    loop {
        let rows = owner.all(&format!("{at_bank}/files?limit=50")).await;
        let states: Vec<_> = rows.iter().map(|row| &row["state"]).collect();
        if states == ["failed", "completed"] {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{rows:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    channel.replay(&at_bank, json!({"which": "failed"})).await;
    let rows = channel.files(&at_bank, "completed", 2).await;
    assert_eq!(rows[0]["replays"], 1);
    fs::remove_file(shop.join("a")).unwrap();
    channel
        .replay(&at_shop, json!({"since": "2020-01-01T00:00:00Z"}))
        .await;
    let begun = Instant::now();
    while !shop.join("a").exists() {
        assert!(begun.elapsed() < PATIENCE, "nothing was repeated");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    channel.files(&at_shop, "completed", 2).await;
    assert_eq!(transfers(&owner, "c/shop").await, 4);
    assert_eq!(transfers(&owner, "c/bank").await, 4);
    owner.records("operation=channels.replay").await;
}

#[tokio::test]
async fn what_arrives_in_a_pause_waits_also_through_a_crash() {
    let mut server = Server::start().await;
    let owner = server.admin();
    let bank = far(&server, &owner, "bank").await;
    let channel = Channel::make(&owner, json!({"name": "c", "folder": "/c"})).await;
    let at_bank = json!({"name": "bank", "destination": "bank:/"});
    let at_bank = channel.subscribe(at_bank).await;
    let copy = channel
        .subscribe(json!({"name": "copy", "destination": "/copy/"}))
        .await;
    channel.set(&at_bank, json!({"state": "paused"})).await;
    for number in 0..20 {
        owner.upload(&format!("/c/{number:02}"), b"x").await;
    }
    channel.files(&at_bank, "waiting", 20).await;
    channel.files(&copy, "completed", 20).await;
    channel.set(&channel.path, json!({"state": "paused"})).await;
    channel.set(&at_bank, json!({"state": "active"})).await;
    owner.upload("/c/20", b"x").await;
    channel.files(&at_bank, "waiting", 21).await;
    assert_eq!(fs::read_dir(&bank).unwrap().count(), 0);
    channel.set(&channel.path, json!({"state": "active"})).await;
    server.kill();
    server.start_again().await;
    channel.files(&at_bank, "completed", 21).await;
    channel.files(&copy, "completed", 21).await;
    assert_eq!(transfers(&owner, "c/bank").await, 21);
    assert_eq!(transfers(&owner, "c/copy").await, 21);
}

#[tokio::test]
async fn a_circle_of_channels_ends() {
    let server = Server::start().await;
    let owner = server.admin();
    let there = Channel::make(&owner, json!({"name": "there", "folder": "/a"})).await;
    let back = Channel::make(&owner, json!({"name": "back", "folder": "/b"})).await;
    let loops = there
        .subscribe(json!({"name": "s", "destination": "/b/"}))
        .await;
    back.subscribe(json!({"name": "s", "destination": "/a/"}))
        .await;
    let own = json!({"name": "own", "destination": "/a/below/"});
    let path = format!("{}/subscribers", there.path);
    let refused = owner.post(&path).json(&own).send().await;
    let refused = refused.problem(422, "validation_failed");
    assert_eq!(refused["errors"][0]["pointer"], "#/destination");
    owner.upload("/a/x", b"x").await;
    let begun = Instant::now();
    loop {
        let rows = owner.all(&format!("{loops}/files?limit=50")).await;
        if rows
            .iter()
            .any(|row| row["state"] == "failed" && row["transfer_id"].is_null())
        {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{rows:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[tokio::test]
async fn a_subscription_has_the_rights_of_its_owner_at_the_moment() {
    let server = Server::start().await;
    let admin = server.admin();
    far(&server, &admin, "bank").await;
    let wish = json!({"name": "publisher", "roles": ["administrator"]});
    let made = admin
        .post("/service-accounts")
        .json(&wish)
        .send()
        .await
        .is(201)
        .json();
    let account = format!(
        "/service-accounts/{}",
        made["service_account_id"].as_str().unwrap()
    );
    let wish =
        json!({"name": "k", "scopes": ["admin"], "principal_id": made["service_account_id"]});
    let key = admin.new_key(wish).await;
    let owner = admin.with_key(key["api_key"].as_str().unwrap());
    let channel = Channel::make(&owner, json!({"name": "c", "folder": "/c"})).await;
    let at_bank = json!({"name": "bank", "destination": "bank:/"});
    let at_bank = channel.subscribe(at_bank).await;
    let channel = Channel {
        owner: admin.clone(),
        ..channel
    };
    admin.upload("/c/a", b"a").await;
    channel.files(&at_bank, "completed", 1).await;
    admin
        .patch(&account)
        .json(&json!({"roles": []}))
        .send()
        .await
        .is(200);
    admin.upload("/c/b", b"b").await;
    let begun = Instant::now();
    loop {
        let rows = admin.all(&format!("{at_bank}/files?limit=50")).await;
        if rows.len() == 2 && rows[0]["state"] == "failed" {
            let transfer = format!("/transfers/{}", rows[0]["transfer_id"].as_str().unwrap());
            let ended = admin.get(&transfer).send().await.is(200).json();
            assert_eq!(ended["state"], "failed");
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{rows:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    // Whoever changes it takes it over.
    channel.set(&at_bank, json!({"state": "active"})).await;
    channel.replay(&at_bank, json!({"which": "failed"})).await;
    channel.files(&at_bank, "completed", 2).await;
}
