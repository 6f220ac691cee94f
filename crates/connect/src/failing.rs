//! A connector that fails when told to: how the engine's retries and checkpoints are tested.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bailee_model::Timestamp;
use bytes::Bytes;
use futures::StreamExt;

use crate::connector::{
    ByteStream, Capabilities, Connector, Listing, ReadFrom, RemoteEntry, RemoteWriter, Replace,
    WriteOptions,
};
use crate::fault::{Fault, FaultKind, Result};
use crate::path::RemotePath;

/// When to fail, counted over everything made from the same plan: calls, writes of a writer, and chunks of a stream.
#[derive(Debug)]
pub struct FailurePlan {
    calls: AtomicU64,
    fails_at: u64,
    kind: FaultKind,
}

impl FailurePlan {
    /// Fails the call with number `fails_at`, counted from 1, with `kind`. All others go through.
    pub fn new(fails_at: u64, kind: FaultKind) -> Arc<Self> {
        Arc::new(Self {
            calls: AtomicU64::new(0),
            fails_at,
            kind,
        })
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn step(&self) -> Result<()> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if number == self.fails_at {
            return Err(Fault::new(
                self.kind.clone(),
                format!("call {number} was made to fail"),
            ));
        }
        Ok(())
    }
}

/// A connector under a [`FailurePlan`].
#[derive(Debug)]
pub struct Failing {
    inner: Box<dyn Connector>,
    plan: Arc<FailurePlan>,
}

impl Failing {
    /// `inner`, failing by `plan`. Give the plan to several to count across reconnects.
    pub fn new(inner: Box<dyn Connector>, plan: Arc<FailurePlan>) -> Self {
        Self { inner, plan }
    }
}

#[async_trait]
impl Connector for Failing {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteEntry>> {
        self.plan.step()?;
        self.inner.stat(path).await
    }

    async fn list(&self, path: &RemotePath, limit: usize) -> Result<Listing> {
        self.plan.step()?;
        self.inner.list(path, limit).await
    }

    async fn list_after(&self, path: &RemotePath, after: &str, limit: usize) -> Result<Listing> {
        self.plan.step()?;
        self.inner.list_after(path, after, limit).await
    }

    async fn read(&self, path: &RemotePath, from: ReadFrom) -> Result<ByteStream> {
        self.plan.step()?;
        let plan = Arc::clone(&self.plan);
        let bytes = self.inner.read(path, from).await?;
        Ok(bytes.map(move |chunk| plan.step().and(chunk)).boxed())
    }

    async fn write(
        &self,
        path: &RemotePath,
        options: WriteOptions,
    ) -> Result<Box<dyn RemoteWriter>> {
        self.plan.step()?;
        let inner = self.inner.write(path, options).await?;
        Ok(Box::new(FailingWriter {
            inner,
            plan: Arc::clone(&self.plan),
        }))
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        self.plan.step()?;
        self.inner.rename(from, to, replace).await
    }

    async fn remove(&self, path: &RemotePath) -> Result<()> {
        self.plan.step()?;
        self.inner.remove(path).await
    }

    async fn mkdir(&self, path: &RemotePath) -> Result<()> {
        self.plan.step()?;
        self.inner.mkdir(path).await
    }

    async fn copy(&self, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<()> {
        self.plan.step()?;
        self.inner.copy(from, to, replace).await
    }

    async fn set_modified(&self, path: &RemotePath, modified: Timestamp) -> Result<()> {
        self.plan.step()?;
        self.inner.set_modified(path, modified).await
    }

    async fn sha256(&self, path: &RemotePath) -> Result<Option<[u8; 32]>> {
        self.plan.step()?;
        self.inner.sha256(path).await
    }

    async fn abandon(&self, path: &RemotePath, token: &str) -> Result<()> {
        self.plan.step()?;
        self.inner.abandon(path, token).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

struct FailingWriter {
    inner: Box<dyn RemoteWriter>,
    plan: Arc<FailurePlan>,
}

#[async_trait]
impl RemoteWriter for FailingWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.plan.step()?;
        self.inner.write(bytes).await
    }

    fn confirmed_bytes(&self) -> u64 {
        self.inner.confirmed_bytes()
    }

    fn token(&self) -> Option<String> {
        self.inner.token()
    }

    async fn flush(&mut self) -> Result<u64> {
        self.plan.step()?;
        self.inner.flush().await
    }

    async fn finish(self: Box<Self>) -> Result<u64> {
        self.plan.step()?;
        self.inner.finish().await
    }
}
