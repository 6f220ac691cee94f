//! What a try found out about the remotes at its ends.

use bailee_core::RemoteFinding;
use bailee_core::model::{End, RemoteName};

use super::attempt::Attempt;
use super::fault::{Halt, Verdict, Word};

impl Attempt<'_> {
    /// Tells how the remotes at the ends fare. Whether that is kept changes nothing for this transfer.
    pub(super) async fn tell_findings(&self, result: &Result<(), Halt>) {
        match result {
            Ok(()) => {
                for end in [&self.transfer.source, &self.transfer.destination] {
                    if let End::Remote { remote, .. } = end {
                        self.tell(remote, RemoteFinding::Reached).await;
                    }
                }
            }
            Err(Halt::Trouble(trouble)) => {
                let Some(Verdict { remote, word }) = &trouble.verdict else {
                    return;
                };
                let Ok(remote) = remote.parse() else { return };
                let finding = match word {
                    Word::Failing => RemoteFinding::Failed(trouble.fault.clone()),
                    Word::Refusing => RemoteFinding::Refused(trouble.fault.clone()),
                    Word::Answering => RemoteFinding::Reached,
                };
                self.tell(&remote, finding).await;
            }
            Err(Halt::Stopped(_)) => {}
        }
    }

    async fn tell(&self, remote: &RemoteName, finding: RemoteFinding) {
        let watch = self.shared.core.remote_watch();
        let told = watch.found(self.lease.job.tenant, remote, finding).await;
        if let Err(error) = told {
            tracing::info!(remote = %remote, error = %error, "how a remote fares could not be kept");
        }
    }
}
