//! Testing a remote step by step, so that whoever sets it up sees where it fails and what to do.

use std::future::Future;

use bytes::Bytes;
use futures::TryStreamExt;
use tokio::time::Instant;

use crate::certificate::CertificateFacts;
use crate::connector::{Connector, ReadFrom, WriteOptions};
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, HostKey, Result};
use crate::limit;
use crate::local::Local;
use crate::path::RemotePath;
use crate::sftp::{Sftp, SftpConfig, Shaken};
use crate::spec::ConnectorSpec;

/// A step of a test, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeStepName {
    /// The name has an allowed address.
    Resolve,
    /// The address answers, or the folder opens.
    Connect,
    /// The server shows the pinned key.
    HostKey,
    /// The credential is taken.
    SignIn,
    /// The folder can be listed.
    List,
    /// A small file can be written.
    Write,
    /// It reads back as written.
    Read,
    /// It can be removed.
    Delete,
}

impl ProbeStepName {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::HostKey => "host_key",
            Self::SignIn => "sign_in",
            Self::List => "list",
            Self::Write => "write",
            Self::Read => "read",
            Self::Delete => "delete",
        }
    }
}

/// How one step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeStep {
    /// Which step.
    pub name: ProbeStepName,
    /// It succeeded.
    pub is_ok: bool,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What was found or what failed, for people.
    pub detail: String,
    /// What to do about it, if it failed.
    pub fix: Option<String>,
    /// What kind of fault it was, if it failed.
    pub fault: Option<FaultKind>,
}

/// What a test found. It ends with the first step that failed, except that a file written is always removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeReport {
    /// The steps that were taken.
    pub steps: Vec<ProbeStep>,
    /// The host key that is not pinned yet, or is not the pinned one.
    pub seen_host_key: Option<HostKey>,
    /// The certificate that the far system showed, good or not.
    pub certificate: Option<CertificateFacts>,
}

impl ProbeReport {
    /// Every step succeeded.
    pub fn is_ok(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|step| step.is_ok)
    }
}

/// What a test may touch.
#[derive(Clone, Debug)]
pub struct ProbeOptions {
    /// The folder to list and to write to.
    pub folder: RemotePath,
    /// The name of the file that is written, read and removed: made up by the caller, so that it hits nothing.
    /// `None` leaves these steps out.
    pub file_name: Option<String>,
}

/// Tests `spec` and reports. Never fails itself.
pub async fn probe(
    spec: ConnectorSpec,
    guard: &EgressGuard,
    options: &ProbeOptions,
) -> ProbeReport {
    let mut report = ProbeReport::default();
    let sight = spec.sight();
    if let Some(connector) = report.reach(spec, guard).await {
        report.use_it(connector.as_ref(), options).await;
        connector.close().await;
    }
    report.certificate = sight.and_then(|sight| sight.seen());
    report
}

impl ProbeReport {
    async fn reach(
        &mut self,
        spec: ConnectorSpec,
        guard: &EgressGuard,
    ) -> Option<Box<dyn Connector>> {
        match spec {
            ConnectorSpec::Sftp(config) => self
                .reach_sftp(&config, guard)
                .await
                .map(|sftp| Box::new(sftp) as _),
            ConnectorSpec::Local(config) => {
                let open =
                    async { Ok((Local::open(config).await?, "the folder opens".to_owned())) };
                self.step(ProbeStepName::Connect, open)
                    .await
                    .map(|local| Box::new(local) as _)
            }
            spec @ (ConnectorSpec::Ftps(_)
            | ConnectorSpec::Https(_)
            | ConnectorSpec::Webdav(_)
            | ConnectorSpec::Bailee(_)
            | ConnectorSpec::S3(_)
            | ConnectorSpec::AzureBlob(_)
            | ConnectorSpec::Gcs(_)) => self.reach_any(spec, guard).await,
        }
    }

    /// Far systems whose connection and sign-in are one step: `open` asks them for something that needs the credential.
    async fn reach_any(
        &mut self,
        spec: ConnectorSpec,
        guard: &EgressGuard,
    ) -> Option<Box<dyn Connector>> {
        if let Some((host, port)) = spec.host_port() {
            let resolve = async {
                let found =
                    tokio::time::timeout(limit::CONNECT_TIME_MAX, guard.resolve(&host, port)).await;
                let addresses = found.map_err(|_| Fault::timeout("looking up the host name"))??;
                let shown: Vec<_> = addresses.iter().map(|a| a.ip().to_string()).collect();
                Ok(((), shown.join(", ")))
            };
            self.step(ProbeStepName::Resolve, resolve).await?;
        }
        let sign_in = async {
            Ok((
                crate::spec::open(spec, guard).await?,
                "the credential is taken".to_owned(),
            ))
        };
        self.step(ProbeStepName::SignIn, sign_in).await
    }

    async fn reach_sftp(&mut self, config: &SftpConfig, guard: &EgressGuard) -> Option<Sftp> {
        let deadline = Instant::now() + config.times.connect;
        let resolve = async {
            let found =
                tokio::time::timeout_at(deadline, guard.resolve(&config.host, config.port)).await;
            let addresses = found.map_err(|_| Fault::timeout("looking up the host name"))??;
            let shown: Vec<_> = addresses
                .iter()
                .map(|address| address.ip().to_string())
                .collect();
            Ok((addresses, shown.join(", ")))
        };
        let addresses = self.step(ProbeStepName::Resolve, resolve).await?;
        let connect = async {
            let (stream, address) = guard.connect(&addresses, deadline).await?;
            Ok((stream, format!("{address} answers")))
        };
        let stream = self.step(ProbeStepName::Connect, connect).await?;
        let shake = async {
            Ok((
                Shaken::shake_hands(stream, config).await?,
                "the pinned key".to_owned(),
            ))
        };
        let shaken = self.step(ProbeStepName::HostKey, shake).await?;
        let sign_in = async {
            let sftp = Sftp::start(shaken.sign_in(config).await?, config).await?;
            Ok((sftp, format!("signed in as {}", config.user)))
        };
        self.step(ProbeStepName::SignIn, sign_in).await
    }

    async fn use_it(&mut self, far: &dyn Connector, options: &ProbeOptions) {
        let list = async {
            let listing = far.list(&options.folder, limit::LIST_ENTRIES_MAX).await?;
            Ok(((), format!("{} entries", listing.entries.len())))
        };
        let can = far.capabilities();
        if can.can_list && self.step(ProbeStepName::List, list).await.is_none() {
            return;
        }
        // What cannot be removed is not written.
        let Some(name) = options
            .file_name
            .as_ref()
            .filter(|_| can.can_write && can.can_remove)
        else {
            return;
        };
        let Ok(path) = options.folder.child(name) else {
            return;
        };
        let content = Bytes::from(format!("Bailee tests this folder with {name}.\n"));
        let write = async {
            // Nothing of the partner's is ever overwritten, should the name be taken against all odds.
            if far.stat(&path).await?.is_some() {
                return Err(Fault::new(
                    FaultKind::Exists,
                    format!("`{path}` is there already"),
                ));
            }
            let mut writer = far.write(&path, WriteOptions::default()).await?;
            writer.write(content.clone()).await?;
            let bytes = writer.finish().await?;
            Ok(((), format!("{bytes} bytes written")))
        };
        if self.step(ProbeStepName::Write, write).await.is_none() {
            return;
        }
        let read = async {
            let bytes: Vec<Bytes> = far
                .read(&path, ReadFrom::default())
                .await?
                .try_collect()
                .await?;
            if bytes.concat() != content {
                return Err(Fault::protocol(
                    "the file reads back with other bytes than were written",
                ));
            }
            Ok(((), "the same bytes came back".to_owned()))
        };
        self.step(ProbeStepName::Read, read).await;
        let delete = async { Ok((far.remove(&path).await?, "the test file is gone".to_owned())) };
        self.step(ProbeStepName::Delete, delete).await;
    }

    async fn step<T>(
        &mut self,
        name: ProbeStepName,
        work: impl Future<Output = Result<(T, String)>>,
    ) -> Option<T> {
        let begun = Instant::now();
        let result = work.await;
        let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok((found, detail)) => {
                self.steps.push(ProbeStep {
                    name,
                    is_ok: true,
                    duration_ms,
                    detail,
                    fix: None,
                    fault: None,
                });
                Some(found)
            }
            Err(fault) => {
                self.seen_host_key = fault.seen_host_key().cloned();
                self.steps.push(ProbeStep {
                    name,
                    is_ok: false,
                    duration_ms,
                    detail: fault.message().to_owned(),
                    fix: Some(fault.fix().to_owned()),
                    fault: Some(fault.kind().clone()),
                });
                None
            }
        }
    }
}
