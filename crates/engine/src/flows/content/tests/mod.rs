//! Steps on files of a real core: what they put out, and that a fault leaves nothing.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod archives;
mod checks;
mod pgp;

use bailee_core::FileQuery;
use bailee_core::model::{ContentOut, ContentStep, FlowFile, FolderPath, PageRequest, StepFault};
use serde_json::Value;

use super::run;
use site::Site;

#[expect(dead_code, reason = "nothing is transferred here")]
#[path = "../../../../tests/site/mod.rs"]
mod site;

/// The folder of a step, as a run would give it.
fn out(name: &str) -> ContentOut {
    ContentOut {
        folder: format!("/out/{name}").parse().unwrap(),
    }
}

fn step(text: Value) -> ContentStep {
    serde_json::from_value(text).unwrap()
}

async fn put(site: &Site, path: &str, bytes: &[u8]) -> FlowFile {
    let file = site.put(path, bytes).await.file;
    FlowFile {
        name: file.path.name().clone(),
        path: file.path,
        file_id: file.id,
        size_bytes: file.size_bytes,
        hash: file.hash,
    }
}

async fn act(
    site: &Site,
    text: Value,
    files: &[FlowFile],
    folder: &str,
) -> Result<Vec<FlowFile>, StepFault> {
    run(&site.core, &site.caller, &step(text), files, &out(folder)).await
}

/// The paths below a folder, sorted.
async fn below(site: &Site, folder: &FolderPath) -> Vec<String> {
    let query = FileQuery {
        below: Some(folder.clone()),
        ..FileQuery::default()
    };
    let page = PageRequest {
        limit: 500,
        after: None,
    };
    let found = site.core.files().list(&site.caller, query, page).await;
    let mut paths: Vec<_> = found
        .unwrap()
        .data
        .iter()
        .map(|file| file.path.to_string())
        .collect();
    paths.sort();
    paths
}

/// A fault's code, once it is sure that the step left nothing behind.
async fn fault(site: &Site, text: Value, files: &[FlowFile]) -> String {
    let fault = act(site, text.clone(), files, "fault").await.unwrap_err();
    let left = below(site, &out("fault").folder).await;
    assert_eq!(left, Vec::<String>::new(), "{text}: {fault:?}");
    assert!(!fault.detail.is_empty());
    assert!(
        pages().contains(&fault.code.as_str()),
        "{} has no page",
        fault.code
    );
    fault.code
}

/// Pages of problems, by name.
fn pages() -> Vec<&'static str> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/problems");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        &*Box::leak(name.trim_end_matches(".md").to_owned().into_boxed_str())
    });
    names.collect()
}

fn names(files: &[FlowFile]) -> Vec<&str> {
    files.iter().map(|file| file.name.as_str()).collect()
}
