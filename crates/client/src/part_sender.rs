use std::sync::Arc;

use bailee_api::UploadPart;
use bailee_model::UploadId;
use bytes::Bytes;
use tokio::task::JoinSet;

use crate::progress::Meter;
use crate::{Client, Error, Result};

/// Keeps up to `parallel` parts under way. Dropping it stops them.
pub(crate) struct PartSender {
    client: Client,
    session: UploadId,
    parallel: usize,
    meter: Arc<Meter>,
    tasks: JoinSet<Result<UploadPart>>,
}

impl PartSender {
    pub(crate) fn new(
        client: &Client,
        session: UploadId,
        parallel: usize,
        meter: Arc<Meter>,
    ) -> Self {
        Self {
            client: client.clone(),
            session,
            parallel,
            meter,
            tasks: JoinSet::new(),
        }
    }

    pub(crate) async fn send(&mut self, number: u32, part: Bytes) -> Result<()> {
        while self.tasks.len() >= self.parallel {
            self.one().await?;
        }
        let (client, session) = (self.client.clone(), self.session);
        self.tasks
            .spawn(async move { client.uploads().put_part(session, number, part).await });
        Ok(())
    }

    pub(crate) async fn finish(mut self) -> Result<()> {
        while !self.tasks.is_empty() {
            self.one().await?;
        }
        Ok(())
    }

    async fn one(&mut self) -> Result<()> {
        match self.tasks.join_next().await {
            Some(Ok(part)) => self.meter.add(part?.size),
            Some(Err(stopped)) => Err(Error::usage(format!("a part's task ended: {stopped}"))),
            None => Ok(()),
        }
    }
}
