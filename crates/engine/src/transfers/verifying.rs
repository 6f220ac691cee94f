//! Comparing what arrived at a remote with what was sent, before it gets its name.

use bailee_connect::RemotePath;
use bailee_core::model::{CopyProof, TransferState, Verify, limit as model_limit};

use super::attempt::Attempt;
use super::far::Far;
use super::fault::{Halt, Trouble};
use super::moving::Moved;
use super::source::Source;

impl Attempt<'_> {
    /// Compares the temporary file with the source, as the transfer asks.
    pub(super) async fn verify(
        &mut self,
        far: &Far,
        source: &Source,
        temporary: &RemotePath,
        moved: Moved,
    ) -> Result<(), Halt> {
        if self.transfer.hash.is_none() {
            self.transfer.hash.clone_from(&moved.hash);
        }
        self.transfer.state = TransferState::Verifying;
        if moved.total_bytes > model_limit::CHECKPOINT_BYTES {
            // Reading all of it back takes a while, and a crash meanwhile must not send it again.
            self.save().await?;
        }
        self.compare(far, source, temporary, moved).await
    }

    /// Compares the file at `place` with the source, as the transfer asks.
    pub(super) async fn compare(
        &mut self,
        far: &Far,
        source: &Source,
        place: &RemotePath,
        moved: Moved,
    ) -> Result<(), Halt> {
        let was_sent_whole = moved.hash.is_some();
        match self.transfer.verify {
            Verify::None => Ok(()),
            Verify::Size => {
                let found = far.size(place, moved.total_bytes).await?.unwrap_or(0);
                if found == moved.total_bytes {
                    self.transfer.proof = Some(CopyProof::Size);
                    return Ok(());
                }
                let what = format!("{found} bytes arrived instead of {}", moved.total_bytes);
                Err(differs(far, &what, was_sent_whole))
            }
            Verify::Hash => {
                let sent = match &self.transfer.hash {
                    Some(hash) => hash.clone(),
                    None => source.digest().await?,
                };
                let (found, proof) = far.proven_digest(place).await?;
                if found != sent {
                    let what = format!("what arrived has SHA-256 {found} instead of {sent}");
                    return Err(differs(far, &what, was_sent_whole));
                }
                self.transfer.hash = Some(sent);
                self.transfer.proof = Some(proof);
                Ok(())
            }
        }
    }
}

/// A copy put together from several tries may hold what another writer left there; one sent in one go may not.
fn differs(far: &Far, what: &str, was_sent_whole: bool) -> Halt {
    let message = format!("Remote `{}`: {what}.", far.name());
    let hint = "Ask the partner whether something changes files as they arrive.";
    let trouble = Trouble::new("digest_mismatch", message, hint);
    if was_sent_whole {
        trouble.into()
    } else {
        trouble.transient().starting_over().into()
    }
}
