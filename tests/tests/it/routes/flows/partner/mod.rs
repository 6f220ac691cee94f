//! The flow of `docs/examples/partner-csv.yaml`, as it stands there, between real systems: OpenSSH, GnuPG, a bucket.

mod bad_files;
mod filed;
mod kills;

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::{ended, get, step};
use crate::kit::{Api, Gpg, PATIENCE, Peer, Receiver, Server, Sshd};

const DOCUMENT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../docs/examples/partner-csv.yaml"
);
const STEPS: [&str; 7] = [
    "fetch",
    "signatures",
    "verify",
    "decrypt",
    "check",
    "file",
    "tell",
];

/// A server with the flow, and everybody whom it deals with.
struct World {
    server: Server,
    partner: Sshd,
    lake: Peer,
    /// The partner's own keys, and our public one.
    gpg: Gpg,
    hook: Receiver,
    /// Where the flow is found.
    flow: String,
}

impl World {
    /// All of it. No time of the schedule comes, since the flow is switched off; calls start it nevertheless.
    async fn new() -> Self {
        let world = Self::scheduled().await;
        let admin = world.admin();
        let off = admin.patch(&world.flow).json(&json!({"enabled": false}));
        off.send().await.is(200);
        world.rests().await;
        world
    }

    /// All of it, as it is once the file of the documentation is applied.
    async fn scheduled() -> Self {
        let server = Server::start().await;
        let admin = server.admin();
        let partner = Sshd::start("");
        let place = partner.files();
        fs::create_dir(place.join("outgoing")).unwrap();
        let lake = Peer::moto().await;
        let remotes = [
            json!({"name": "partner", "kind": "sftp", "host": "127.0.0.1", "port": partner.port,
                "username": partner.user, "private_key": partner.key("ed25519"),
                "host_key": partner.host_key(), "base_path": place.to_str().unwrap()}),
            json!({"name": "lake", "kind": "s3", "endpoint": lake.url(), "region": "us-east-1",
                "bucket": "box", "access_key_id": "acme", "secret_access_key": "canary-s3-2"}),
        ];
        for wish in remotes {
            admin.post("/remotes").json(&wish).send().await.is(201);
        }
        let gpg = Gpg::with_key("Partner", "2y", "");
        let wish = json!({"name": "ours", "user_id": "Acme Files <files@acme.example>"});
        let ours = admin.post("/pgp-keys/generate").json(&wish).send().await;
        let id = ours.is(201).json()["pgp_key_id"].clone();
        let path = format!("/pgp-keys/{}/export", id.as_str().unwrap());
        let public = admin.get(&path).send().await.is(200).json();
        import(&admin, "partner", &gpg).await;
        gpg.import(public["public_key"].as_str().unwrap());
        let hook = Receiver::start();
        let wish = json!({"url": hook.url, "types": ["flow.notified", "flow.run_completed", "flow.run_failed"]});
        admin.post("/webhooks").json(&wish).send().await.is(201);
        let flow = bailee(&server, &["flow", "apply", DOCUMENT]).await;
        Self {
            server,
            partner,
            lake,
            gpg,
            hook,
            flow: format!("/flows/{}", flow["flow_id"].as_str().unwrap()),
        }
    }

    fn admin(&self) -> Api {
        self.server.admin()
    }

    /// Waits until no run of the flow is open.
    async fn rests(&self) {
        for run in self.runs().await {
            ended(&self.admin(), run["run_id"].as_str().unwrap()).await;
        }
    }

    async fn runs(&self) -> Vec<Value> {
        let id = self.flow.trim_start_matches("/flows/");
        let path = format!("/flow-runs?limit=50&flow_id={id}");
        self.admin().all(&path).await
    }

    /// Starts the flow as people do; answers the run's id.
    async fn begin(&self) -> String {
        let run = bailee(&self.server, &["flow", "run", "partner-csv"]).await;
        run["run_id"].as_str().unwrap().to_owned()
    }

    /// Has the partner put up a table, encrypted for us and signed by `signer`: the signature first.
    fn offer(&self, signer: &Gpg, name: &str, table: &str) {
        let plain = self.gpg.write(name, table.as_bytes());
        let message = self.gpg.path(&format!("{name}.pgp"));
        let [plain, sealed] = [&plain, &message].map(|path| path.to_str().unwrap());
        self.gpg.run(&[
            "--recipient",
            "files@acme.example",
            "--output",
            sealed,
            "--encrypt",
            plain,
        ]);
        let signature = signer.path(&format!("{name}.pgp.sig"));
        let sign = ["--output", signature.to_str().unwrap(), "--detach-sign"];
        signer.run(&[&sign[..], &[sealed]].concat());
        let outgoing = self.partner.files().join("outgoing");
        for made in [signature, message] {
            fs::copy(&made, outgoing.join(made.file_name().unwrap())).unwrap();
        }
    }

    /// What waits at the partner's, by name.
    fn waiting(&self) -> Vec<String> {
        let found = fs::read_dir(self.partner.files().join("outgoing")).unwrap();
        let names = found.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// What is in the bucket, by key.
    async fn filed(&self) -> BTreeMap<String, String> {
        let bucket = format!("{}/box", self.lake.url());
        let listed = text(&format!("{bucket}?list-type=2")).await;
        let mut found = BTreeMap::new();
        for part in listed.split("<Key>").skip(1) {
            let key = part.split("</Key>").next().unwrap();
            found.insert(key.to_owned(), text(&format!("{bucket}/{key}")).await);
        }
        found
    }

    /// The notices of a run that came, each event once, when the event of its end has come too.
    async fn told(&self, run: &str) -> Vec<Value> {
        let begun = std::time::Instant::now();
        loop {
            let bodies = self.hook.received();
            let bodies = bodies.iter().map(crate::kit::Received::json);
            let mut of_run: BTreeMap<String, Value> = BTreeMap::new();
            for body in bodies.filter(|body| body["data"]["run_id"] == run) {
                of_run.insert(body["event_id"].as_str().unwrap().to_owned(), body);
            }
            let is_end = |body: &&Value| body["type"] != "flow.notified";
            let ends = of_run.values().filter(is_end).count();
            let notices = of_run.len() - ends;
            let has_told = self.step_told(run).await;
            if ends == 1 && (notices > 0 || !has_told) {
                let notices = of_run.into_values();
                return notices
                    .filter(|body| body["type"] == "flow.notified")
                    .collect();
            }
            assert!(begun.elapsed() < PATIENCE, "{of_run:?}");
            tokio::time::sleep(crate::kit::LOOK_EVERY).await;
        }
    }

    /// Whether a run came to its last step, and did it.
    async fn step_told(&self, run: &str) -> bool {
        let run = get(&self.admin(), run).await;
        let steps = run["steps"].as_array().unwrap();
        steps
            .iter()
            .any(|step| step["key"] == "tell" && step["state"] == "completed")
    }
}

/// Makes a partner's public key known under a name.
async fn import(admin: &Api, name: &str, gpg: &Gpg) {
    let wish = json!({"name": name, "key": gpg.public()});
    admin.post("/pgp-keys").json(&wish).send().await.is(201);
}

/// What the command line of an administrator answers.
async fn bailee(server: &Server, words: &[&str]) -> Value {
    let mut command = server.client_command(&server.admin(), words);
    command.args(["-o", "json"]);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap());
    let done = done.await.unwrap();
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{words:?}: {complaint}");
    serde_json::from_slice(&done.stdout).unwrap()
}

/// What the bucket answers. It lets in who brings a signature, whatever that is.
async fn text(url: &str) -> String {
    let signed = "AWS4-HMAC-SHA256 Credential=acme/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    let call = reqwest::Client::new().get(url);
    let answer = call.header("authorization", signed).send().await.unwrap();
    assert!(answer.status().is_success(), "{url}: {}", answer.status());
    answer.text().await.unwrap()
}

/// A table as the flow wants it.
fn table(product: &str) -> String {
    format!("product,price\n{product},12.50\nspare part,3\n")
}

/// The states of a run's steps, in their order.
#[track_caller]
fn states(run: &Value) -> Vec<(&str, &str)> {
    let steps = run["steps"].as_array().unwrap().iter();
    steps
        .map(|step| {
            (
                step["key"].as_str().unwrap(),
                step["state"].as_str().unwrap(),
            )
        })
        .collect()
}

/// All steps, completed.
fn all_completed() -> Vec<(&'static str, &'static str)> {
    STEPS.map(|step| (step, "completed")).into()
}

/// The files between the steps of a run.
async fn between(admin: &Api, run: &str) -> usize {
    let path = format!("/files?limit=50&path_prefix=/.flows/{run}/");
    admin.all(&path).await.len()
}

#[track_caller]
fn fault<'a>(run: &'a Value, key: &str) -> (&'a str, &'a str) {
    let step = step(run, key);
    assert_eq!(step["state"], "failed", "{run}");
    let text = |name: &str| step[name].as_str().unwrap();
    (text("error_code"), text("error_message"))
}
