use std::time::Duration;

use bailee_api::{
    ChangeTransfer, CreateTransfer, Transfer, TransferFile, TransferPlan, TransferState,
    TransferStatus,
};
use bailee_model::{Timestamp, TransferId};
use tokio::time::Instant;

use super::resource;
use crate::call::Call;
use crate::{Error, Listing, Result, limit};

resource! {
    /// Transfers: bytes from here to there.
    Transfers, transfers
}

/// Which transfers a list holds. Everything when nothing is set.
#[derive(Clone, Debug, Default)]
pub struct TransferQuery {
    /// `queued`, `running`, `paused`, `completed`, `failed`.
    pub state: Option<String>,
    /// The label given at creation.
    pub label: Option<String>,
    /// Not before.
    pub created_after: Option<Timestamp>,
    /// Before.
    pub created_before: Option<Timestamp>,
    /// The files of this transfer of many, which no other list shows.
    pub parent: Option<TransferId>,
}

impl Transfers<'_> {
    /// Submits a transfer. It then lives on the server.
    pub async fn create(&self, transfer: &CreateTransfer) -> Result<Transfer> {
        self.0.json(Call::post("/transfers").json(transfer)?).await
    }

    /// What a transfer would do. Nothing is made.
    pub async fn plan(&self, transfer: &CreateTransfer) -> Result<TransferPlan> {
        let wish = CreateTransfer {
            dry_run: true,
            ..transfer.clone()
        };
        self.0.json(Call::post("/transfers").json(&wish)?).await
    }

    /// Transfers, newest first.
    pub fn list(&self, query: &TransferQuery) -> Listing<Transfer> {
        let call = Call::get("/transfers")
            .maybe("state", query.state.as_ref())
            .maybe("label", query.label.as_ref())
            .maybe("created_after", query.created_after)
            .maybe("created_before", query.created_before)
            .maybe("parent", query.parent);
        Listing::new(self.0, call)
    }

    /// The files of a transfer with what became of each, in the order in which they were found; all of them, or those
    /// in one state.
    pub fn files(&self, transfer: TransferId, state: Option<&str>) -> Listing<TransferFile> {
        let call = Call::get(format!("/transfers/{transfer}/files")).maybe("state", state);
        Listing::new(self.0, call)
    }

    /// The whole object.
    pub async fn get(&self, transfer: TransferId) -> Result<Transfer> {
        self.0
            .json(Call::get(format!("/transfers/{transfer}")))
            .await
    }

    /// Changes label, deadline or priority.
    pub async fn change(&self, transfer: TransferId, change: &ChangeTransfer) -> Result<Transfer> {
        let call = Call::patch(format!("/transfers/{transfer}")).json(change)?;
        self.0.json(call).await
    }

    /// The light view. With `wait_seconds` (at most 60) the answer is held until something changes.
    pub async fn status(
        &self,
        transfer: TransferId,
        wait_seconds: Option<u64>,
    ) -> Result<TransferStatus> {
        let call = Call::get(format!("/transfers/{transfer}/status")).maybe("wait", wait_seconds);
        self.0.json(call).await
    }

    /// Asks for the end of a transfer.
    pub async fn cancel(&self, transfer: TransferId) -> Result<Transfer> {
        self.verb(transfer, "cancel").await
    }

    /// Holds a transfer.
    pub async fn pause(&self, transfer: TransferId) -> Result<Transfer> {
        self.verb(transfer, "pause").await
    }

    /// Lets a held transfer go on.
    pub async fn resume(&self, transfer: TransferId) -> Result<Transfer> {
        self.verb(transfer, "resume").await
    }

    /// Makes a new transfer like this failed one.
    pub async fn retry(&self, transfer: TransferId) -> Result<Transfer> {
        self.verb(transfer, "retry").await
    }

    /// Makes a new transfer of those files of this one that failed.
    pub async fn retry_failed(&self, transfer: TransferId) -> Result<Transfer> {
        self.verb(transfer, "retry?failed_only=true").await
    }

    /// The receipt of a transfer that arrived: the bytes as they were signed, to be kept as they are. Of one of many files
    /// it is about all of them together; each file, being a transfer, has its own.
    pub async fn receipt(&self, transfer: TransferId) -> Result<bytes::Bytes> {
        let call = Call::get(format!("/transfers/{transfer}/receipt"));
        Ok(self.0.send(call).await?.body)
    }

    /// Waits for the end, telling `watch` every change. [`Error::Deadline`] after `most`, [`Error::Transfer`] when it
    /// ended `failed`.
    pub async fn wait(
        &self,
        transfer: TransferId,
        most: Option<Duration>,
        mut watch: impl FnMut(&TransferStatus) + Send,
    ) -> Result<TransferStatus> {
        let until = most.map(|most| Instant::now() + most);
        let mut seen: Option<TransferStatus> = None;
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            // The first look is at once; a wait ends a second early so that the answer still arrives in time.
            let wait = seen.as_ref().map(|_| {
                left.map_or(limit::POLL_SECONDS, |left| {
                    left.as_secs().clamp(1, limit::POLL_SECONDS)
                })
            });
            let look = self.status(transfer, wait);
            let status = match (left, most) {
                (Some(left), Some(most)) => tokio::time::timeout(left, look)
                    .await
                    .unwrap_or(Err(Error::Deadline(most)))?,
                _ => look.await?,
            };
            if seen.as_ref() != Some(&status) {
                watch(&status);
            } else if wait.is_some() {
                // A server that does not hold the answer must not be asked in a tight loop.
                tokio::time::sleep(limit::PROGRESS_EVERY).await;
            }
            match status.state {
                TransferState::Completed => return Ok(status),
                TransferState::Failed => return Err(failed(status)),
                _ => seen = Some(status),
            }
        }
    }

    async fn verb(&self, transfer: TransferId, verb: &str) -> Result<Transfer> {
        self.0
            .json(Call::post(format!("/transfers/{transfer}/{verb}")))
            .await
    }
}

fn failed(status: TransferStatus) -> Error {
    let outcome = status
        .outcome
        .map_or("error".to_owned(), |outcome| outcome.to_string());
    Error::Transfer {
        transfer_id: status.transfer_id.to_string(),
        message: status.error_message.unwrap_or_else(|| outcome.clone()),
        outcome,
        error_code: status.error_code,
        hint: status.hint,
    }
}
