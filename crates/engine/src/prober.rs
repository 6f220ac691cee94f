//! Reaches remotes for the core: its port, answered by the connectors.

use std::sync::Weak;

use async_trait::async_trait;
use bailee_connect::{
    Capabilities, CertificateFacts, EntryKind, Fault, FaultKind, Listing, ProbeOptions, RemotePath,
    open, probe,
};
use bailee_core::model::{
    Error, ErrorKind, RemoteCertificate, RemoteKind, Result, SshKeyAlgorithm,
};
use bailee_core::{
    ConnectorAbilities, ProbeReport, ProbeStep, RemoteChild, RemoteFolder, RemoteProber,
    RemoteTarget, SshKeyPair,
};

use crate::{Shared, limit, remote, transfers};

/// The core's means to reach remotes. The core holds it, so it must not hold the core.
pub(crate) struct Prober(pub(crate) Weak<Shared>);

#[async_trait]
impl RemoteProber for Prober {
    fn abilities(&self, kind: RemoteKind) -> ConnectorAbilities {
        let most = Capabilities::most(kind);
        ConnectorAbilities {
            can_read_at: most.can_read_at,
            can_write_at: most.can_write_at,
            can_write: most.can_write,
            can_list: most.can_list,
            can_rename: most.can_rename,
            can_remove: most.can_remove,
            can_copy: most.can_copy,
            has_folders: most.has_folders,
            replaces_atomically: most.replaces_atomically,
            appears_whole: most.appears_whole,
        }
    }

    async fn new_ssh_key(&self, algorithm: SshKeyAlgorithm, comment: &str) -> Result<SshKeyPair> {
        let Some(shared) = self.0.upgrade() else {
            return Err(Error::new(ErrorKind::Draining, "The server is stopping.").retry_after(5));
        };
        let Ok(_seat) = shared.looks.try_acquire() else {
            let detail = "Too many keys are being made; try again in a moment.";
            return Err(Error::new(ErrorKind::Overloaded, detail).retry_after(2));
        };
        let mut seed = [0_u8; 32];
        shared.core.chance().fill(&mut seed);
        let comment = comment.to_owned();
        let making = tokio::task::spawn_blocking(move || match algorithm {
            SshKeyAlgorithm::Ed25519 => bailee_connect::SshKeyPair::ed25519(&seed, &comment),
            SshKeyAlgorithm::Rsa4096 => bailee_connect::SshKeyPair::rsa4096(&comment),
        });
        let made = making.await.map_err(Error::internal)?;
        let pair = made.map_err(Error::internal)?;
        Ok(SshKeyPair {
            private_key: pair.private_key,
            public_key: pair.public_key,
            fingerprint: pair.fingerprint,
        })
    }

    async fn browse(&self, target: RemoteTarget, path: &str) -> Result<RemoteFolder> {
        let Some(shared) = self.0.upgrade() else {
            return Err(Error::new(ErrorKind::Draining, "The server is stopping.").retry_after(5));
        };
        let folder: RemotePath = path.parse().map_err(|error| {
            Error::new(
                ErrorKind::InvalidPath,
                format!("The path cannot be used: {error}."),
            )
        })?;
        let Ok(_seat) = shared.looks.try_acquire() else {
            let detail = "Too many folders are being looked into; try again in a moment.";
            return Err(Error::new(ErrorKind::Overloaded, detail).retry_after(2));
        };
        let name = target.remote.name.to_string();
        let look = browse(&target, &folder, &shared);
        if let Ok(looked) = tokio::time::timeout(limit::BROWSE_TIME_MAX, look).await {
            looked.map_err(|fault| refused(&name, &fault))
        } else {
            let detail = format!("Remote `{name}` took too long to list the folder.");
            Err(Error::new(ErrorKind::RemoteTimeout, detail))
        }
    }

    async fn probe(&self, target: RemoteTarget) -> ProbeReport {
        let Some(shared) = self.0.upgrade() else {
            return failed(
                "draining",
                "The server is stopping.".to_owned(),
                "Try again in a moment.",
            );
        };
        let mut random = [0_u8; 8];
        shared.core.chance().fill(&mut random);
        let file_name = format!(".bailee-test-{}", hex::encode(random));
        report(&shared, target, Some(file_name)).await
    }
}

/// Tries a remote step by step. Nothing is written there without a name for the file.
pub(crate) async fn report(
    shared: &Shared,
    target: RemoteTarget,
    file_name: Option<String>,
) -> ProbeReport {
    let spec = match remote::spec(&target, shared) {
        Ok(spec) => spec,
        Err(error) => {
            return failed(
                "remote_failed",
                format!("The remote's configuration cannot be used: {error}."),
                "Correct it with `bailee remote set`.",
            );
        }
    };
    let options = ProbeOptions {
        folder: RemotePath::default(),
        file_name,
    };
    let probed = probe(spec, &shared.guard, &options);
    let mut report = match tokio::time::timeout(limit::PROBE_TIME_MAX, probed).await {
        Ok(report) => told(report),
        Err(_) => failed(
            "remote_timeout",
            "The test took too long.".to_owned(),
            "Check the line and the partner's load.",
        ),
    };
    let own = target.remote.address.tls();
    let own = own.and_then(|tls| CertificateFacts::of_pem(tls.client_certificate.as_ref()?));
    report
        .certificates
        .extend(own.map(|facts| certificate("client", facts)));
    report
}

fn certificate(owner: &str, facts: CertificateFacts) -> RemoteCertificate {
    RemoteCertificate {
        owner: owner.to_owned(),
        subject: facts.subject,
        expires_at: facts.expires_at,
    }
}

async fn browse(
    target: &RemoteTarget,
    folder: &RemotePath,
    shared: &Shared,
) -> std::result::Result<RemoteFolder, Fault> {
    let spec = remote::spec(target, shared)
        .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))?;
    let connector = open(spec, &shared.guard).await?;
    let listing = connector.list(folder, usize::MAX).await;
    connector.close().await;
    let Listing {
        entries,
        is_cut,
        unnameable_count,
    } = listing?;
    let children = entries.into_iter().filter_map(|entry| {
        let path = folder.child(&entry.name).ok()?;
        Some(RemoteChild {
            path: path.to_string(),
            kind: match entry.kind {
                EntryKind::File => "file",
                EntryKind::Folder => "folder",
                EntryKind::Link => "link",
                EntryKind::Other => "other",
            },
            name: entry.name,
            size_bytes: entry.size_bytes,
            modified_at: entry.modified,
        })
    });
    Ok(RemoteFolder {
        children: children.collect(),
        is_cut,
        unnameable: unnameable_count as u64,
    })
}

/// Why a folder could not be looked into.
fn refused(name: &str, fault: &Fault) -> Error {
    let said = fault.message().trim_end_matches('.');
    let kind = match fault.kind() {
        FaultKind::NotFound => ErrorKind::FolderNotFound,
        FaultKind::Timeout => ErrorKind::RemoteTimeout,
        FaultKind::AddressNotAllowed => ErrorKind::AddressNotAllowed,
        _ => ErrorKind::RemoteFailed,
    };
    Error::new(kind, format!("Remote `{name}`: {said}. {}", fault.fix()))
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
        certificates: report
            .certificate
            .map(|facts| certificate("server", facts))
            .into_iter()
            .collect(),
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
        certificates: Vec::new(),
    }
}
