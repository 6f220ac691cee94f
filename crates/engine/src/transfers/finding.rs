//! What a try found out about the remotes that it used.

use bailee_core::RemoteFinding;
use bailee_core::model::{End, Lease, RemoteName};

use super::attempt::Attempt;
use super::fault::{Halt, Verdict, Word};
use crate::Shared;

impl Attempt<'_> {
    /// Tells how the remotes at the ends fare. Whether that is kept changes nothing for this transfer.
    pub(super) async fn tell_findings(&self, result: &Result<(), Halt>) {
        let ends = [&self.transfer.source, &self.transfer.destination];
        let remotes = ends.into_iter().filter_map(|end| match end {
            End::Remote { remote, .. } => Some(remote),
            _ => None,
        });
        for (remote, finding) in found_by(result, remotes) {
            tell(self.shared, self.lease, &remote, finding).await;
        }
    }
}

/// How remotes fare by what came of using them: all of them if it went well, the one at fault if it did not.
pub(super) fn found_by<'r, T>(
    result: &Result<T, Halt>,
    remotes: impl IntoIterator<Item = &'r RemoteName>,
) -> Vec<(RemoteName, RemoteFinding)> {
    match result {
        Ok(_) => remotes
            .into_iter()
            .map(|remote| (remote.clone(), RemoteFinding::Reached))
            .collect(),
        Err(Halt::Trouble(trouble)) => {
            let Some(Verdict { remote, word }) = &trouble.verdict else {
                return Vec::new();
            };
            let finding = match word {
                Word::Failing => RemoteFinding::Failed(trouble.fault.clone()),
                Word::Refusing => RemoteFinding::Refused(trouble.fault.clone()),
                Word::Answering => RemoteFinding::Reached,
            };
            let remote = remote.parse().ok();
            remote.map(|remote| (remote, finding)).into_iter().collect()
        }
        Err(Halt::Stopped(_)) => Vec::new(),
    }
}

/// Takes note of how a remote fares.
pub(super) async fn tell(
    shared: &Shared,
    lease: &Lease,
    remote: &RemoteName,
    finding: RemoteFinding,
) {
    let watch = shared.core.remote_watch();
    let told = watch.found(lease.job.tenant, remote, finding).await;
    if let Err(error) = told {
        tracing::info!(remote = %remote, error = %error, "how a remote fares could not be kept");
    }
}
