//! `bailee export`, `bailee diff`, `bailee apply`.

mod linked;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::kit::{Api, Server};

/// A caller at a prompt, in a folder of its own.
struct Desk<'a> {
    server: &'a Server,
    caller: Api,
    folder: tempfile::TempDir,
}

/// How a command ended.
struct Ended {
    code: i32,
    out: String,
    talk: String,
}

impl Ended {
    fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.talk);
        self
    }

    fn says(self, words: &str) -> Self {
        let both = format!("{}\n{}", self.out, self.talk);
        assert!(both.contains(words), "`{words}` is missing in:\n{both}");
        self
    }
}

impl<'a> Desk<'a> {
    fn new(server: &'a Server, caller: Api) -> Self {
        Self {
            server,
            caller,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, words: &[&str], environment: &[(&str, &str)]) -> Ended {
        let mut command = self.server.client_command(&self.caller, words);
        command
            .current_dir(self.folder.path())
            .envs(environment.iter().copied());
        let done = command.output().unwrap();
        Ended {
            code: done.status.code().unwrap(),
            out: String::from_utf8(done.stdout).unwrap(),
            talk: String::from_utf8(done.stderr).unwrap(),
        }
    }

    fn apply(&self, words: &[&str]) -> Ended {
        self.run(&[&["apply", "--yes"], words].concat(), &[])
    }
}

const SITE: &str = r#"# Everything that a small tenant has.
bailee: 1
settings:
  name_rule: portable
  trash_seconds: 86400
users:
  - name: ann
    roles: [member, auditor]
  - {name: bea, state: disabled}
service_accounts:
  - name: nightly
    roles: [member]
---
api_keys:
  - name: upload
    principal: {service_account: nightly}
    scopes: [files:write, files:read]
    path_prefixes: [/reports]
    expires_at: 2099-01-01T00:00:00.000Z
    limits: {reads_per_minute: 100}
  - name: watch
    principal: {service_account: nightly}
    scopes: [events:read]
    expires_at: null
remotes:
  - name: bank
    kind: sftp
    host: sftp.bank.example
    username: acme
    password: {env: BANK_PASSWORD}
    concurrency: 2
  - name: lake
    kind: s3
    region: eu-central-1
    bucket: acme
    access_key_id: AKIA1
    secret_access_key: {file: secrets/lake}
calendars:
  - name: de
    working_days: [mon, tue, wed, thu, fri]
    holidays: [{date: "2026-12-25", name: Christmas Day}]
schedules:
  - name: fetch
    cron: "0 6 * * *"
    time_zone: Europe/Berlin
    calendar: {calendar: de}
    day_rule: business_days
    transfer: {source: "bank:/out/", destination: /in/, on_conflict: replace}
alert_rules:
  - name: keys
    kind: expiry
    severity: critical
    expiry: {what: [api_keys], days: 7}
webhooks:
  - url: https://hooks.example.com/a
    types: [transfer.*, file.uploaded]
    filters: {path_prefix: /reports, remote: bank}
    ed25519: true
  - url: https://hooks.example.com/a
    types: ["*"]
    format: cloudevents
    limits: {per_second: 5}
"#;

const BANK: &[(&str, &str)] = &[("BANK_PASSWORD", "canary-bank")];

/// The references that an export writes in place of secrets.
const EXPORTED: &[(&str, &str)] = &[
    ("REMOTE_BANK_PASSWORD", "canary-bank"),
    ("REMOTE_LAKE_SECRET_ACCESS_KEY", "canary-lake"),
];

#[tokio::test]
async fn what_is_exported_makes_the_same_elsewhere() {
    let server = Server::start().await;
    let here = Desk::new(&server, server.tenant("here").await);
    here.write("site.yaml", SITE);
    here.write("secrets/lake", "canary-lake\n");
    let applied = here.run(
        &["apply", "-f", "site.yaml", "--yes", "--secrets-to", "made"],
        BANK,
    );
    applied.is(0).says("+ remote bank").says("all 13 done");
    for words in [
        &["apply", "-f", "site.yaml"][..],
        &["diff", "-f", "site.yaml"],
    ] {
        let again = here.run(words, &[]).is(0).says("no changes");
        assert_eq!(again.out, "");
    }
    let made: Vec<_> = fs::read_dir(here.folder.path().join("made"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(made.len(), 4, "{made:?}");
    let upload = made
        .iter()
        .find(|path| is_named(path, "api_key-nightly-upload-"));
    let key = fs::read_to_string(upload.unwrap()).unwrap();
    let found = here.caller.with_key(&key);
    assert_eq!(
        found.get("/auth/validate").send().await.is(200).json()["scopes"],
        json!(["files:read", "files:write"])
    );

    let exported = here.run(&["export"], &[]).is(0).out;
    assert!(!exported.contains("canary"), "{exported}");
    let there = Desk::new(&server, server.tenant("there").await);
    there.write("all.yaml", &exported);
    there
        .run(&["apply", "--yes", "-f", "all.yaml"], EXPORTED)
        .is(0);
    assert_eq!(there.run(&["export"], &[]).is(0).out, exported);
    let parts = there.run(&["export", "--folder", "parts"], &[]).is(0);
    parts.says("remotes.yaml");
    there.run(&["export", "--folder", "parts"], &[]).is(7);
    there.run(&["diff", "-f", "parts"], &[]).is(0);
    let json = there.run(&["export", "-o", "json"], &[]).is(0).out;
    there.write("all.json", &json);
    there.run(&["diff", "-f", "all.json"], &[]).is(0);
}

fn is_named(path: &Path, begin: &str) -> bool {
    path.file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .starts_with(begin)
}

#[tokio::test]
async fn differences_are_shown_and_made_to_go() {
    let server = Server::start().await;
    let desk = Desk::new(&server, server.admin());
    let remote = |more: &str| {
        let text = format!(
            "remotes:\n  - name: bank\n    kind: sftp\n    host: h.example\n    username: u\n    password: {{env: P}}\n{more}"
        );
        desk.write("site.yaml", &text);
    };
    remote("    base_path: /in\n    concurrency: 3\n");
    desk.run(&["apply", "-f", "site.yaml"], &[("P", "x")])
        .is(2)
        .says("not confirmed");
    desk.apply(&["-f", "site.yaml"]).is(1).says("`P`");
    assert!(desk.caller.all("/remotes?").await.is_empty());
    let applied = desk.run(&["apply", "--yes", "-f", "site.yaml"], &[("P", "x")]);
    applied.is(0);

    remote("    base_path: /out\n");
    let diff = desk.run(&["diff", "-f", "site.yaml"], &[]).is(2);
    let diff = diff.says("~ remote bank").says("base_path: /in → /out");
    assert!(diff.says("concurrency: 3 → 4").talk.contains("1 to change"));
    let rows = desk
        .run(&["diff", "-f", "site.yaml", "-o", "json"], &[])
        .is(2);
    let rows: Value = serde_json::from_str(&rows.out).unwrap();
    assert_eq!(rows[0]["action"], "change");
    assert_eq!(
        rows[0]["changes"][0],
        json!({"field": "base_path", "from": "/in", "to": "/out"})
    );
    desk.run(&["apply", "--yes", "-f", "site.yaml"], &[("P", "x")])
        .is(0);
    desk.run(&["diff", "-f", "site.yaml"], &[]).is(0);
    let again = desk.run(
        &["apply", "--yes", "--send-secrets", "-f", "site.yaml"],
        &[("P", "y")],
    );
    again.is(0).says("password: a secret → secret of env P");

    desk.write("empty.yaml", "remotes: []\nusers: []\n");
    desk.run(&["diff", "-f", "empty.yaml"], &[])
        .is(0)
        .says("left alone");
    desk.apply(&["-f", "empty.yaml", "--prune"])
        .is(0)
        .says("- remote bank")
        .says("this command acts by it");
    assert!(desk.caller.all("/remotes?").await.is_empty());
}

#[tokio::test]
async fn wrong_files_are_refused_with_place_and_reason() {
    let server = Server::start().await;
    let desk = Desk::new(&server, server.admin());
    for (text, place, reason) in [
        (
            "remotes:\n  - name: a\n    kind: sftp\n    hots: x\n",
            "site.yaml:4: /remotes/0/hots: ",
            "did you mean `host`",
        ),
        ("remote: []\n", "site.yaml:1: /remote: ", "unknown kind"),
        (
            "remotes:\n  - name: a\n    kind: sftp\n    password: hunter2\n",
            "site.yaml:4: /remotes/0/password: ",
            "{env: NAME}",
        ),
        (
            "users:\n  - roles: []\n",
            "site.yaml:2: /users/0: ",
            "`name` is missing",
        ),
        (
            "users:\n  - name: a\n  - name: a\n",
            "site.yaml:3: /users/1: ",
            "told of before",
        ),
        ("users: {}\n", "site.yaml:1: /users: ", "a list"),
        (
            "webhooks:\n  - url: https://h.example/\n    types: ['*']\n    filters: {path: /x}\n",
            "site.yaml:4: /webhooks/0/filters/path: ",
            "path_prefix",
        ),
        (
            "api_keys:\n  - name: k\n    principal: {remote: a}\n    scopes: []\n",
            "site.yaml:3: /api_keys/0/principal: ",
            "service_account",
        ),
        (
            "pgp_keys:\n  - name: own\n    key: |\n      -----BEGIN PGP PRIVATE KEY BLOCK-----\n      hunter2\n",
            "site.yaml:3: /pgp_keys/0/key: ",
            "secret key",
        ),
        (
            "flows:\n  - name: a\n    document:\n      name: b\n      steps: []\n",
            "site.yaml:4: /flows/0/document/name: ",
            "document of \"b\"",
        ),
        (
            "subscribers:\n  - name: bank\n    destination: /in/\n",
            "site.yaml:2: /subscribers/0: ",
            "`channel` is missing",
        ),
        ("bailee: 2\n", "site.yaml:1: /bailee: ", "version 1"),
        ("users:\n  - name: a\n   roles: []\n", "site.yaml:3: ", ""),
    ] {
        desk.write("site.yaml", text);
        let refused = desk
            .apply(&["-f", "site.yaml"])
            .is(1)
            .says(place)
            .says(reason);
        assert!(!refused.talk.contains("hunter2"), "{}", refused.talk);
    }
}

#[tokio::test]
async fn what_only_the_server_knows_to_be_wrong_is_told_by_its_place() {
    let server = Server::start().await;
    let desk = Desk::new(&server, server.admin());
    // What came before stays.
    desk.write(
        "site.yaml",
        "users:\n  - name: first\nwebhooks:\n  - types: ['*']\n    url: https://h.example/\n    limits:\n      per_second: 0\n",
    );
    let refused = desk.apply(&["-f", "site.yaml"]).is(2);
    refused
        .says("site.yaml:7: /webhooks/0/limits/per_second: ")
        .says("1 of 2 done");
    let users = desk.caller.all("/users?").await;
    assert!(users.iter().any(|user| user["name"] == "first"));
    desk.write(
        "site.yaml",
        "api_keys:\n  - name: k\n    principal: {user: nobody}\n    scopes: []\n",
    );
    desk.apply(&["-f", "site.yaml"])
        .is(1)
        .says("there is no user nobody");
    desk.write(
        "site.yaml",
        "remotes:\n  - name: a\n    kind: sftp\n    host: h\n    username: u\n    password: {secret: nope}\n",
    );
    desk.apply(&["-f", "site.yaml"])
        .is(1)
        .says("site.yaml:6: /remotes/0/password: there is no secret nope");
    desk.write(
        "site.yaml",
        "flows:\n  - name: a\n    document:\n      steps:\n        - id: keep\n          kind: copy\n          too: /archive/\n",
    );
    desk.apply(&["-f", "site.yaml"])
        .is(2)
        .says("site.yaml:7: /flows/0/document/steps/0/too: ");
    desk.write(
        "site.yaml",
        "remotes:\n  - name: a\n    kind: local\n    folder: /x\n",
    );
    let reader = Desk::new(&server, server.admin().scoped(&["files:read"]).await);
    reader.write("site.yaml", "remotes: []\n");
    reader.run(&["diff", "-f", "site.yaml"], &[]).is(4);
}
