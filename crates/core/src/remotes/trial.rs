//! Trying a remote out, and trusting the key that it showed.

use bailee_auth::{Action, Caller};
use bailee_model::{Error, ErrorKind, Outcome, Remote, RemoteAddress, RemoteId, Result};

use super::{RemoteFinding, Remotes};
use crate::error;
use crate::files::Precondition;
use crate::idempotency::earlier;
use crate::journal::Note;
use crate::ports::ProbeReport;

impl Remotes<'_> {
    /// Tries a remote step by step.
    pub async fn test(&self, caller: &Caller, id: RemoteId) -> Result<ProbeReport> {
        let (permit, remote) = self
            .find(caller, "remotes.test", Action::RemoteManage, id)
            .await?;
        let name = remote.name.clone();
        let target = self.core.target(permit.tenant(), remote).await?;
        let report = self.core.reach()?.probe(target).await;
        let is_fine = report.steps.iter().all(|step| step.ok);
        let status = if is_fine {
            Outcome::Success
        } else {
            Outcome::Error
        };
        let note = Note::record("remotes.test").about(id).ended(status);
        let mut change = self.core.store.aside(&permit);
        change.journal(&self.core.permitted(caller, &permit, note));
        change.commit().await.map_err(error::from_db)?;
        if is_fine {
            // Whoever waits for it need not wait any longer.
            let watch = self.core.remote_watch();
            watch
                .found(permit.tenant(), &name, RemoteFinding::Reached)
                .await?;
        }
        Ok(report)
    }

    /// Pins a host key, by its `SHA256:…` fingerprint.
    pub async fn trust(
        &self,
        caller: &Caller,
        id: RemoteId,
        fingerprint: String,
    ) -> Result<Remote> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        if !fingerprint.starts_with("SHA256:") || fingerprint.len() != 50 {
            let detail = "A fingerprint looks like SHA256: and 43 letters of base64.";
            return Err(Error::field("#/fingerprint", "invalid_fingerprint", detail));
        }
        self.write(
            caller,
            id,
            ("remotes.trust", &Precondition::Unasked),
            |remote, _| match &mut remote.address {
                RemoteAddress::Sftp { host_key, .. } => {
                    *host_key = Some(fingerprint.clone());
                    Ok(())
                }
                _ => Err(Error::new(
                    ErrorKind::StateConflict,
                    "A remote of this kind has no host key.",
                )),
            },
        )
        .await
    }
}
