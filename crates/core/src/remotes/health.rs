//! How remotes fare: what transfers and looks find out, who waits because of it, and what is told of it.

use std::time::Duration;

use bailee_auth::{Action, Caller};
use bailee_model::{
    Admission, Circuit, Error, EventType, HealthStep, HealthTurn, Job, JobId, JobKind, Lease,
    Outcome, Remote, RemoteCertificate, RemoteHealth, RemoteId, RemoteName, Result, TenantId,
    Timestamp, TransferFault,
};
use bailee_store::{Change, DbError, conflict};
use serde_json::json;

use super::Remotes;
use crate::files::RACES_MAX;
use crate::idempotency::{earlier, made};
use crate::jobs::fenced;
use crate::journal::Note;
use crate::ports::{ProbeReport, ProbeStep, RemoteTarget};
use crate::{Core, error};

/// What the engine finds out about remotes.
pub struct RemoteWatch<'a> {
    pub(crate) core: &'a Core,
}

/// What somebody found out about a remote by using it.
#[derive(Clone, Debug)]
pub enum RemoteFinding {
    /// It was reached and let us in.
    Reached,
    /// It failed in a way that may pass by itself.
    Failed(TransferFault),
    /// It refused us in a way that somebody must mend.
    Refused(TransferFault),
}

impl Remotes<'_> {
    /// What is known of how a remote fares.
    pub async fn health(&self, caller: &Caller, id: RemoteId) -> Result<(Remote, RemoteHealth)> {
        let (permit, remote) = self
            .find(caller, "remotes.health", Action::RemoteRead, id)
            .await?;
        let reader = self.core.store.reader(&permit);
        let health = reader.remote_health(id).await.map_err(error::from_db)?;
        Ok((remote, health.unwrap_or_default()))
    }

    /// Lets transfers go to a remote again at once.
    pub async fn reset_circuit(
        &self,
        caller: &Caller,
        id: RemoteId,
    ) -> Result<(Remote, RemoteHealth)> {
        if let Some(made) = earlier(caller)? {
            return Ok(made);
        }
        for _ in 0..RACES_MAX {
            let (permit, remote) = self
                .find(caller, "remotes.reset_circuit", Action::RemoteManage, id)
                .await?;
            let reader = self.core.store.reader(&permit);
            let old = reader.remote_health(id).await.map_err(error::from_db)?;
            let old = old.unwrap_or_default();
            let mut health = old.clone();
            let mut change = self.core.store.change(&permit);
            if health.reset() {
                health.revision += 1;
                change.put_remote_health(id, &health);
                self.core.wake(&mut change, &old, &health);
            }
            let note = Note::record("remotes.reset_circuit").about(id);
            change.journal(&self.core.permitted(caller, &permit, note));
            let remote = super::without_secret(&remote);
            made(&mut change, &(&remote, &health))?;
            match change.commit().await {
                Ok(()) => return Ok((remote, health)),
                Err(DbError::Conflict(conflict::REMOTE_HEALTH)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("remote"))
    }
}

impl RemoteWatch<'_> {
    /// The remote that is to be looked at; `None` if nobody wants that any more, and the job is gone.
    pub async fn begin(&self, lease: &Lease) -> Result<Option<RemoteTarget>> {
        let tenant = lease.job.tenant;
        let id: RemoteId = lease.job.subject.parse().map_err(Error::internal)?;
        let found = self.core.store.queue().reader(tenant).remote(id).await;
        let found = found.map_err(error::from_db)?;
        let wanted = found.filter(|remote| remote.times.health_check_seconds.is_some());
        let Some(remote) = wanted else {
            self.core.jobs().finish(lease).await?;
            return Ok(None);
        };
        Ok(Some(self.core.target(tenant, remote).await?))
    }

    /// Keeps what a look found, tells what follows from it, and has the next one come in its time.
    pub async fn looked(&self, lease: &Lease, remote: &Remote, report: &ProbeReport) -> Result<()> {
        let (core, tenant) = (self.core, lease.job.tenant);
        let queue = core.store.queue();
        for _ in 0..RACES_MAX {
            let now = core.clock.now();
            let found = queue.reader(tenant).remote_with_health(&remote.name).await;
            let found = found.map_err(error::from_db)?;
            let Some((_, old)) = found.filter(|(stored, _)| stored.revision == remote.revision)
            else {
                // It was changed meanwhile: what was found is of another one.
                return core.jobs().postpone(lease, now).await;
            };
            let old = old.unwrap_or_default();
            let mut health = old.clone();
            let turn = health.looked_at(now, fault_of(remote, report));
            health.steps = report.steps.iter().map(kept).collect();
            if !report.certificates.is_empty() {
                health.certificates.clone_from(&report.certificates);
            }
            let expiring = health.expiring(now);
            health.revision += 1;
            let mut change = queue.change(tenant);
            change.put_remote_health(remote.id, &health);
            core.wake(&mut change, &old, &health);
            core.tell_turn(&mut change, remote, turn, (&old, &health));
            for (certificate, days) in &expiring {
                change.journal(&core.own_entry(ending(remote, certificate, *days)));
            }
            change.run_again(lease, next_look(remote, now));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::REMOTE_HEALTH)) => {}
                Err(error) => return Err(fenced(error)),
            }
        }
        Err(error::too_fast("remote"))
    }

    /// Takes note of what was found out about the remote of a name.
    pub async fn found(
        &self,
        tenant: TenantId,
        name: &RemoteName,
        finding: RemoteFinding,
    ) -> Result<()> {
        let now = self.core.clock.now();
        self.core
            .change_health(tenant, name, |health| match &finding {
                RemoteFinding::Reached => health.succeeded(now),
                RemoteFinding::Failed(cause) => health.failed(now, cause.clone()),
                RemoteFinding::Refused(cause) => health.refused(now, cause.clone()),
            })
            .await
    }
}

/// Why a look failed, in the words of a transfer.
fn fault_of(remote: &Remote, report: &ProbeReport) -> Option<TransferFault> {
    let step = report.steps.iter().find(|step| !step.ok)?;
    let said = step.detail.trim_end_matches('.');
    Some(TransferFault {
        code: step.error_code.unwrap_or("remote_failed").to_owned(),
        message: format!("Remote `{}`: {said}.", remote.name),
        hint: step.fix.clone(),
    })
}

fn kept(step: &ProbeStep) -> HealthStep {
    HealthStep {
        name: step.name.to_owned(),
        is_ok: step.ok,
        duration_ms: step.duration_ms,
        detail: step.detail.clone(),
        error_code: step.error_code.map(str::to_owned),
        hint: step.fix.clone(),
    }
}

fn ending(remote: &Remote, certificate: &RemoteCertificate, days: u32) -> Note {
    Note::event("remotes.watch", EventType::CredentialExpiring)
        .about(remote.id)
        .with(json!({
            "remote_id": remote.id,
            "remote": remote.name,
            "owner": certificate.owner,
            "subject": certificate.subject,
            "expires_at": certificate.expires_at,
            "days": days,
        }))
}

fn next_look(remote: &Remote, now: Timestamp) -> Timestamp {
    let seconds = remote.times.health_check_seconds.unwrap_or(u32::MAX);
    now.plus(Duration::from_secs(seconds.into()))
}

impl Core {
    /// Has a remote looked at from now on, as often as it wants, or no more.
    pub(crate) fn schedule_looks(&self, change: &mut Change, remote: &Remote) {
        let subject = remote.id.to_string();
        if remote.times.health_check_seconds.is_none() {
            change.drop_job(JobKind::CheckRemote, &subject);
            return;
        }
        self.look_from_now(change, (JobKind::CheckRemote, "look"), subject);
    }

    /// Makes a look at something due now, in the tenant's lane of such looks; each subject has one job for them.
    pub(crate) fn look_from_now(
        &self,
        change: &mut Change,
        (kind, lane): (JobKind, &str),
        subject: String,
    ) {
        let now = self.clock.now();
        let tenant = change.tenant();
        change.enqueue_look(&Job {
            id: JobId::new(now, &*self.chance),
            tenant,
            kind,
            subject,
            lane: format!("{lane}:{tenant}"),
            run_at: now,
            priority: 0,
        });
    }

    /// Until when a transfer has to wait for a remote. One of those who waited is let go, to try for all.
    pub(crate) async fn waits_for(
        &self,
        tenant: TenantId,
        remote: &Remote,
    ) -> Result<Option<Timestamp>> {
        let queue = self.store.queue();
        for _ in 0..RACES_MAX {
            let found = queue.reader(tenant).remote_health(remote.id).await;
            let Some(mut health) = found.map_err(error::from_db)? else {
                return Ok(None);
            };
            let now = self.clock.now();
            match health.admission(now) {
                Admission::Go => return Ok(None),
                Admission::Wait(until) => return Ok(Some(until)),
                Admission::Try => {}
            }
            health.try_now(now);
            health.revision += 1;
            let mut change = queue.change(tenant);
            change.put_remote_health(remote.id, &health);
            match change.commit().await {
                Ok(()) => return Ok(None),
                Err(DbError::Conflict(conflict::REMOTE_HEALTH)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("remote"))
    }

    async fn change_health(
        &self,
        tenant: TenantId,
        name: &RemoteName,
        act: impl Fn(&mut RemoteHealth) -> Option<HealthTurn>,
    ) -> Result<()> {
        let queue = self.store.queue();
        for _ in 0..RACES_MAX {
            let found = queue.reader(tenant).remote_with_health(name).await;
            let Some((remote, old)) = found.map_err(error::from_db)? else {
                return Ok(());
            };
            let old = old.unwrap_or_default();
            let mut health = old.clone();
            let turn = act(&mut health);
            if health == old {
                return Ok(());
            }
            health.revision += 1;
            let mut change = queue.change(tenant);
            change.put_remote_health(remote.id, &health);
            self.wake(&mut change, &old, &health);
            self.tell_turn(&mut change, &remote, turn, (&old, &health));
            match change.commit().await {
                Ok(()) => return Ok(()),
                Err(DbError::Conflict(conflict::REMOTE_HEALTH)) => {}
                Err(error) => return Err(error::from_db(error)),
            }
        }
        Err(error::too_fast("remote"))
    }

    /// Those who waited go on when the circuit closes.
    pub(crate) fn wake(&self, change: &mut Change, old: &RemoteHealth, new: &RemoteHealth) {
        if let (Some(until), Circuit::Closed) = (old.waits_until, new.circuit) {
            change.wake_waiting(until, self.clock.now());
        }
    }

    /// Adds the entry of a remote that fell or recovered.
    pub(crate) fn tell_turn(
        &self,
        change: &mut Change,
        remote: &Remote,
        turn: Option<HealthTurn>,
        (old, new): (&RemoteHealth, &RemoteHealth),
    ) {
        let Some(turn) = turn else { return };
        let (event, outcome, cause) = match turn {
            HealthTurn::Fell => (EventType::RemoteUnhealthy, Outcome::Error, &new.cause),
            HealthTurn::Recovered => (EventType::RemoteRecovered, Outcome::Success, &old.cause),
        };
        let since = old.since.filter(|_| turn == HealthTurn::Recovered);
        let note = Note::event("remotes.watch", event)
            .about(remote.id)
            .ended(outcome)
            .with(json!({
                "remote_id": remote.id,
                "remote": remote.name,
                "state": new.state,
                "circuit": new.circuit,
                "error_code": cause.as_ref().map(|cause| &cause.code),
                "error_message": cause.as_ref().map(|cause| &cause.message),
                "unhealthy_since": since,
            }));
        change.journal(&self.own_entry(note));
    }
}
