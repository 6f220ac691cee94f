//! Tests remotes for the core: its port, answered by the connectors.

use std::sync::Weak;

use async_trait::async_trait;
use bailee_connect::{ProbeOptions, RemotePath, probe};
use bailee_core::{ProbeReport, ProbeStep, RemoteProber, RemoteTarget};

use crate::{Shared, limit, remote, transfers};

/// The core's means to test remotes. The core holds it, so it must not hold the core.
pub(crate) struct Prober(pub(crate) Weak<Shared>);

#[async_trait]
impl RemoteProber for Prober {
    async fn probe(&self, target: RemoteTarget) -> ProbeReport {
        let Some(shared) = self.0.upgrade() else {
            return failed(
                "draining",
                "The server is stopping.".to_owned(),
                "Try again in a moment.",
            );
        };
        let spec = match remote::spec(&target, &shared) {
            Ok(spec) => spec,
            Err(error) => {
                return failed(
                    "remote_failed",
                    format!("The remote's configuration cannot be used: {error}."),
                    "Correct it with `bailee remote set`.",
                );
            }
        };
        let mut random = [0_u8; 8];
        shared.core.chance().fill(&mut random);
        let options = ProbeOptions {
            folder: RemotePath::default(),
            file_name: Some(format!(".bailee-test-{}", hex::encode(random))),
        };
        match tokio::time::timeout(limit::PROBE_TIME_MAX, probe(spec, &shared.guard, &options))
            .await
        {
            Ok(report) => told(report),
            Err(_) => failed(
                "remote_timeout",
                "The test took too long.".to_owned(),
                "Check the line and the partner's load.",
            ),
        }
    }
}

fn told(report: bailee_connect::ProbeReport) -> ProbeReport {
    let steps = report.steps.into_iter().map(|step| ProbeStep {
        name: step.name.as_str(),
        ok: step.is_ok,
        duration_ms: step.duration_ms,
        detail: step.detail,
        error_code: step
            .fault
            .map(|fault| transfers::probe_code(&fault, step.name)),
        fix: step.fix,
    });
    ProbeReport {
        steps: steps.collect(),
        seen_host_key: report.seen_host_key.map(|key| key.fingerprint),
    }
}

fn failed(error_code: &'static str, detail: String, fix: &str) -> ProbeReport {
    let step = ProbeStep {
        name: "connect",
        ok: false,
        duration_ms: 0,
        detail,
        error_code: Some(error_code),
        fix: Some(fix.to_owned()),
    };
    ProbeReport {
        steps: vec![step],
        seen_host_key: None,
    }
}
