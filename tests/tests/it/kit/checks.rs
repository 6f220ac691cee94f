//! What must hold of a server at the end of every test, and of every fault.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start programs beside the server"
)]

use std::panic::resume_unwind;
use std::process::Command;

use serde_json::Value;

use super::background;
use super::server::{Role, Server, binary};

impl Server {
    /// Has the journal of every tenant walked. The journal must be whole whatever happened.
    pub(crate) async fn verify_journal(&self) {
        for api in [self.admin(), self.operator()] {
            let report = api.post("/audit/verify").send().await.is(200).json();
            assert_eq!(report["ok"], true, "the journal does not verify: {report}");
        }
    }

    /// Opens every sealed byte of a stopped server.
    pub(crate) fn scrub(&self) {
        let mut command = Command::new(binary());
        command.args(["vault", "scrub"]);
        self.configure(&mut command, Role::Server);
        let done = command.output().unwrap();
        assert!(
            done.status.success(),
            "`bailee vault scrub`: {}\n{}{}",
            done.status,
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// Usage as the server counts it must equal what its lists show: current files, older versions, the trash, and the
    /// parts of open uploads.
    pub(crate) async fn check_usage(&self) {
        let tenant_id = self.tenant_id();
        let path = format!("/tenants/{tenant_id}/usage");
        let usage = self.operator().get(&path).send().await.is(200).json();
        let mut files = std::collections::BTreeMap::new();
        for filter in ["", "&state=deleted"] {
            for file in self.admin().all(&format!("/files?limit=500{filter}")).await {
                let path = format!("/files/{}/versions", file["file_id"].as_str().unwrap());
                let versions = self.admin().get(&path).send().await.is(200).json();
                for version in versions["data"].as_array().unwrap().iter().chain([&file]) {
                    let id = version["file_id"].as_str().unwrap().to_owned();
                    files.insert(id, version["size"].as_u64().unwrap());
                }
            }
        }
        let mut bytes: u64 = files.values().sum();
        // The list does not look at parts, the session itself does.
        for upload in self.admin().all("/uploads?limit=500").await {
            let path = format!("/uploads/{}", upload["session_id"].as_str().unwrap());
            let session = self.admin().get(&path).send().await.is(200).json();
            bytes += session["bytes_received"].as_u64().unwrap();
        }
        assert_eq!(
            usage["bytes_used"], bytes,
            "usage is not what files have: {usage}, {files:?}"
        );
        assert_eq!(
            usage["files_used"],
            files.len(),
            "usage is not the number of files: {usage}"
        );
    }

    /// What must hold of a server that is still running.
    pub(super) fn check_running(&self) {
        std::thread::scope(|scope| {
            let checked = scope.spawn(|| background().block_on(self.verify_journal()));
            if let Err(panic) = checked.join() {
                resume_unwind(panic);
            }
        });
    }

    /// No WARN and no ERROR line but what the test announced.
    pub(super) fn check_log(&self) {
        let announced = self.announced();
        for line in self.log().lines() {
            let level = serde_json::from_str::<Value>(line)
                .ok()
                .and_then(|entry| entry["level"].as_str().map(ToOwned::to_owned));
            let is_bad = match level.as_deref() {
                Some(level) => ["WARN", "ERROR"].contains(&level),
                None => line.contains("panicked"),
            };
            let is_meant = announced.iter().any(|text| line.contains(text.as_str()));
            assert!(!is_bad || is_meant, "the server complained: {line}");
        }
    }
}
