//! `/flows` and `/flow-runs`.

mod contents;
mod documents;
mod hook;
mod named;
mod partner;
mod runs;
mod saved;
mod steps;
mod transfers;
mod triggers;
mod watch;

use std::time::Instant;

use serde_json::{Value, json};

use crate::kit::{Api, LOOK_EVERY, PATIENCE};

/// Makes a flow; answers its object.
async fn make(api: &Api, document: Value) -> Value {
    let made = api.post("/flows").json(&document).send().await;
    made.is(201).json()
}

/// Makes a flow with these steps and starts it; answers the run's id.
async fn start(api: &Api, name: &str, steps: Value) -> String {
    let flow = make(api, json!({"name": name, "steps": steps})).await;
    begin(api, &flow, &json!({})).await
}

/// Starts a flow; answers the run's id.
async fn begin(api: &Api, flow: &Value, wish: &Value) -> String {
    let path = format!("/flows/{}/runs", flow["flow_id"].as_str().unwrap());
    let run = api.post(&path).json(wish).send().await.is(202).json();
    assert_eq!(run["state"], "queued");
    run["run_id"].as_str().unwrap().to_owned()
}

async fn get(api: &Api, run: &str) -> Value {
    let path = format!("/flow-runs/{run}");
    api.get(&path).send().await.is(200).json()
}

/// The run once `is_so` holds for it.
async fn when(api: &Api, run: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let found = get(api, run).await;
        if is_so(&found) {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE * 2, "still {found}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The run once it ended.
async fn ended(api: &Api, run: &str) -> Value {
    when(api, run, |run| {
        ["completed", "failed", "cancelled"].contains(&run["state"].as_str().unwrap())
    })
    .await
}

#[track_caller]
fn completed(run: &Value) {
    assert_eq!(run["state"], "completed", "{run}");
    assert_eq!(run["error_code"], json!(null), "{run}");
}

/// A step of a run by its key.
#[track_caller]
fn step<'a>(run: &'a Value, key: &str) -> &'a Value {
    let steps = run["steps"].as_array().unwrap();
    let found = steps.iter().find(|step| step["key"] == key);
    found.unwrap_or_else(|| panic!("no step {key} in {run}"))
}

/// The paths of the files that something put out, sorted.
fn paths(files: &Value) -> Vec<String> {
    let files = files.as_array().unwrap().iter();
    let mut paths: Vec<String> = files
        .map(|file| file["path"].as_str().unwrap().to_owned())
        .collect();
    paths.sort();
    paths
}

/// The names of files in a folder of the tenant.
async fn names(api: &Api, folder: &str) -> Vec<String> {
    let answer = api
        .get(&format!("/folders/children?path={folder}"))
        .send()
        .await;
    if answer.status == 404 {
        return Vec::new();
    }
    let rows = answer.is(200).json();
    let rows = rows["data"].as_array().unwrap().iter();
    let files = rows.filter(|row| row["type"] == "file");
    files
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

/// A caller of another principal, with a role.
async fn colleague(admin: &Api, name: &str, role: &str) -> Api {
    let wish = json!({"name": name, "roles": [role]});
    let made = admin.post("/service-accounts").json(&wish).send().await;
    let id = made.is(201).json()["service_account_id"].clone();
    let key = json!({"name": name, "scopes": ["admin"], "principal_id": id});
    let made = admin.new_key(key).await;
    admin.with_key(made["api_key"].as_str().unwrap())
}
