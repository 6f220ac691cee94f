//! Changing what may be changed of a transfer that has not ended.

use bailee_auth::Caller;
use bailee_model::{JobKind, Result, Timestamp, Transfer, TransferId};

use super::Transfers;
use super::steer::ended;
use crate::checks;

/// What changes of a transfer; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct TransferChange {
    /// Another label, or none.
    pub label: Option<Option<String>>,
    /// Another deadline, or none.
    pub deadline: Option<Option<Timestamp>>,
    /// Another priority.
    pub priority: Option<i32>,
}

impl Transfers<'_> {
    /// Changes label, deadline or priority. A try that is under way keeps its deadline.
    pub async fn change(
        &self,
        caller: &Caller,
        id: TransferId,
        wish: TransferChange,
    ) -> Result<Transfer> {
        if let Some(Some(label)) = &wish.label {
            checks::text("#/label", label)?;
        }
        self.steer(caller, id, "transfers.update", |_, change, transfer| {
            if transfer.state.is_final() {
                return Err(ended(transfer));
            }
            if let Some(label) = &wish.label {
                transfer.label.clone_from(label);
            }
            if let Some(deadline) = wish.deadline {
                transfer.deadline = deadline;
            }
            if let Some(priority) = wish.priority {
                transfer.priority = priority;
                let subject = transfer.id.to_string();
                change.set_priority(JobKind::RunTransfer, &subject, priority);
                if transfer.counts.is_some() {
                    change.set_files_priority(transfer.id, priority);
                }
            }
            Ok(())
        })
        .await
    }
}
