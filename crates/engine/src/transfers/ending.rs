//! How a try ends: in a final state, in the queue for another try, or handed back as it is.

use std::time::Duration;

use bailee_core::model::{
    Error, ErrorKind, Timestamp, TransferFault, TransferOutcome, TransferState, WaitReason,
};

use super::attempt::Attempt;
use super::fault::{Halt, Trouble};
use crate::limit;
use crate::stop::StopReason;

/// What is written last.
#[derive(Clone, Debug)]
enum Last {
    Complete,
    Fail(TransferOutcome, TransferFault),
    Again(TransferFault, Timestamp),
}

impl Attempt<'_> {
    /// Stores how the try ended.
    pub(super) async fn end(mut self, result: Result<(), Halt>) {
        self.tell_findings(&result).await;
        let last = match result {
            Ok(()) => Some(Last::Complete),
            Err(Halt::Trouble(trouble)) => Some(self.after(*trouble)),
            Err(Halt::Stopped(reason)) => self.stopped(reason).await,
        };
        if let Some(last) = last {
            self.write(last).await;
        }
    }

    fn after(&mut self, trouble: Trouble) -> Last {
        if trouble.starts_over && !self.transfer.has_arrived {
            self.checkpoint = super::checkpoint::Checkpoint::default();
            self.transfer.bytes_done = 0;
        }
        if !self.tries_again(&trouble) {
            let outcome = trouble.outcome;
            let fault = if trouble.is_transient {
                trouble.exhausted(self.transfer.attempt)
            } else {
                trouble.fault
            };
            return Last::Fail(outcome, fault);
        }
        let delay_ms = self
            .transfer
            .retry
            .delay_ms(self.transfer.attempt, self.shared.draw());
        // A far system may ask for a longer rest, but not for ever.
        let asked = trouble.wait.unwrap_or_default().min(limit::ASKED_WAIT_MAX);
        let delay = Duration::from_millis(delay_ms).max(asked);
        let at = self.shared.core.clock().now().plus(delay);
        // A deadline before the next try is told when it passes, not when the try would have been.
        Last::Again(
            trouble.fault,
            self.transfer
                .deadline
                .map_or(at, |deadline| at.min(deadline)),
        )
    }

    async fn stopped(&mut self, reason: StopReason) -> Option<Last> {
        match reason {
            StopReason::Deadline => Some(Last::Fail(TransferOutcome::Expired, expired())),
            StopReason::Steered => self.steered().await,
            StopReason::Closed => {
                self.wait_for_window().await;
                None
            }
            StopReason::Drain | StopReason::Unsaved => {
                let given = self.shared.core.runs().hand_back(self.lease).await;
                self.note("hand back", given);
                None
            }
            StopReason::Lost => None,
        }
    }

    /// A window closed: it goes on from its checkpoint when all of them are open.
    async fn wait_for_window(&mut self) {
        let now = self.shared.core.clock().now();
        let closed = self.bounds.iter().filter_map(|bound| bound.closed(now));
        let until = closed.max().unwrap_or(now);
        self.transfer.checkpoint = self.checkpoint.to_value();
        let runs = self.shared.core.runs();
        let waits = runs
            .wait(self.lease, &mut self.transfer, (WaitReason::Window, until))
            .await;
        self.note("wait", waits);
    }

    /// Somebody wants it cancelled, paused, or both one after the other: what is stored now counts.
    async fn steered(&mut self) -> Option<Last> {
        let core = &self.shared.core;
        self.look_again().await;
        if self.transfer.cancel_requested {
            return Some(Last::Fail(TransferOutcome::Cancelled, cancelled()));
        }
        let stored = core
            .runs()
            .reload(self.lease.job.tenant, self.transfer.id)
            .await;
        let over = match stored {
            Ok(stored) if stored.state == TransferState::Paused => {
                self.transfer.state = TransferState::Paused;
                self.transfer.revision = stored.revision;
                self.transfer.checkpoint = self.checkpoint.to_value();
                // Without this it goes on from an older checkpoint, and no worse.
                let _ = core.runs().save(self.lease, &mut self.transfer).await;
                core.jobs().finish(self.lease).await
            }
            Ok(stored) if stored.state.is_final() => core.jobs().finish(self.lease).await,
            _ => core.runs().hand_back(self.lease).await,
        };
        self.note("let go", over);
        None
    }

    async fn write(&mut self, last: Last) {
        self.transfer.checkpoint = match &last {
            Last::Again(..) => self.checkpoint.to_value(),
            Last::Complete | Last::Fail(..) => None,
        };
        for _ in 0..limit::RACES_MAX {
            let (runs, lease) = (self.shared.core.runs(), self.lease);
            let transfer = &mut self.transfer;
            let written = match last.clone() {
                Last::Complete => runs.complete(lease, transfer).await,
                Last::Fail(outcome, fault) => runs.fail(lease, transfer, outcome, fault).await,
                Last::Again(fault, at) => runs.retry_later(lease, transfer, fault, at).await,
            };
            match written {
                Ok(()) => {
                    count(&last);
                    return;
                }
                // Somebody steered it at the last moment. What happened has happened; but a try to come is theirs to stop.
                Err(error) if error.kind() == ErrorKind::StateConflict => {
                    if self.look_again().await == StopReason::Steered
                        && matches!(last, Last::Again(..))
                    {
                        if let Some(Last::Fail(outcome, fault)) = self.steered().await {
                            return Box::pin(self.write(Last::Fail(outcome, fault))).await;
                        }
                        return;
                    }
                }
                Err(error) => return self.note("end", Err(error)),
            }
        }
        tracing::info!(transfer.id = %self.transfer.id, "another runner has the transfer");
    }

    fn note(&self, what: &str, result: Result<(), Error>) {
        match result {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::StateConflict => {
                tracing::debug!(transfer.id = %self.transfer.id, what, "the lease was lost before");
            }
            Err(error) => {
                tracing::warn!(transfer.id = %self.transfer.id, what, error = %error, "a transfer goes on when its lease ends");
            }
        }
    }
}

fn count(last: &Last) {
    let outcome = match last {
        Last::Complete => TransferOutcome::Succeeded,
        Last::Fail(outcome, _) => *outcome,
        Last::Again(..) => return,
    };
    metrics::counter!("bailee_transfers_total", "outcome" => outcome.as_str()).increment(1);
}

fn expired() -> TransferFault {
    TransferFault {
        code: "deadline_exceeded".to_owned(),
        message: "The transfer's deadline passed.".to_owned(),
        hint: Some("Submit it again with a later deadline.".to_owned()),
    }
}

fn cancelled() -> TransferFault {
    TransferFault {
        code: "cancelled".to_owned(),
        message: "The transfer was cancelled.".to_owned(),
        hint: Some("Submit it again, or retry it.".to_owned()),
    }
}
