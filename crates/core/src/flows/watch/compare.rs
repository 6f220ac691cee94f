//! What a look found: which files are new, which settle, which are gone; and the runs of those that are new.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use bailee_model::flow::{Sighting, TimeSpan, WatchState, WatchTrigger};
use bailee_model::{Error, ErrorKind, Flow, Lease, Outcome, Result, StepFault, Timestamp, limit};
use bailee_store::{Change, DbError, conflict};
use serde_json::{Map, Value, json};

use super::{FlowWatches, SeenFile, WatchLook, WatchedFlow, settled, watches};
use crate::error;
use crate::files::RACES_MAX;
use crate::flows::start::{Admitted, TriggeredRun};
use crate::journal::Note;

/// Files whose memory is written in one transaction.
const WRITTEN_AT_ONCE: usize = 500;
/// A file that is about to settle is not looked at sooner than this.
const SETTLED_SOONEST: Duration = Duration::from_secs(1);

/// What became of a file that would start a run.
enum Start {
    Run,
    Refused(Error),
}

/// What a look found out, to be written at its end.
#[derive(Default)]
struct Findings {
    /// To be remembered until they settle.
    settling: Vec<Sighting>,
    forgotten: Vec<String>,
    files: u64,
    waiting: u64,
    /// When the first of those that settle may be ready.
    ready_at: Option<Timestamp>,
    /// The flow takes no other run now.
    is_full: bool,
    fault: Option<StepFault>,
}

impl FlowWatches<'_> {
    /// Starts runs for what a look found to be new, and remembers what it saw. `state_conflict`: the lease is lost or the
    /// flow was changed meanwhile; it is to be looked again.
    pub async fn looked(
        &self,
        lease: &Lease,
        (watched, watch): (&WatchedFlow, &WatchTrigger),
        look: WatchLook,
    ) -> Result<()> {
        let reader = self.core.store.queue().reader(lease.job.tenant);
        let flow = &watched.flow;
        let states = reader.watch_states(flow.id).await.map_err(error::from_db)?;
        let old = states.iter().find(|state| state.path == watch.path);
        let now = self.core.clock.now();
        let (mut looked_at, mut next_at) = (now, now.plus(watch.every.duration()));
        let findings = match look {
            WatchLook::Files(files) => {
                let known = reader.sightings(flow.id, limit::FLOW_WATCH_FILES_MAX as u64 + 1);
                let known = known.await.map_err(error::from_db)?;
                self.compare(lease, (watched, watch), (files, known))
                    .await?
            }
            WatchLook::Failed(fault) => unchanged(old, Some(fault)),
            WatchLook::Later(until) => {
                looked_at = old.map_or(now, |old| old.looked_at);
                next_at = until.max(now.plus(limit::FLOW_WATCH_EVERY.0));
                unchanged(old, old.and_then(|old| old.fault.clone()))
            }
        };
        let soonest = now.plus(SETTLED_SOONEST);
        let ready_at = findings.ready_at.map(|at| at.max(soonest));
        let state = WatchState {
            path: watch.path.clone(),
            flow_revision: flow.revision,
            looked_at,
            next_at: ready_at.map_or(next_at, |at| at.min(next_at)),
            files: findings.files,
            files_waiting: findings.waiting,
            fault: findings.fault.clone(),
        };
        let gone = states
            .iter()
            .filter(|state| !watches(&watched.document).any(|watch| watch.path == state.path));
        self.keep(lease, flow, &findings).await?;
        let mut change = self.core.store.queue().change(lease.job.tenant);
        change.hold(lease).hold_flow(flow);
        for state in gone {
            change.drop_watch_state(flow.id, state);
        }
        change.put_watch_state(flow.id, &state);
        let told = |state: &WatchState| state.fault.as_ref().map(|fault| fault.code.clone());
        if told(&state) != old.and_then(told) {
            change.journal(&self.core.own_entry(turned(flow, &state)));
        }
        change.commit().await.map_err(settled)
    }

    /// What is new of the files that are there, and what is gone of those that were. Starts the runs.
    async fn compare(
        &self,
        lease: &Lease,
        (watched, watch): (&WatchedFlow, &WatchTrigger),
        (files, known): (Vec<SeenFile>, Vec<Sighting>),
    ) -> Result<Findings> {
        let now = self.core.clock.now();
        let there: BTreeSet<String> = files
            .iter()
            .map(|file| watch.path.place_of(&file.name))
            .collect();
        let is_gone = |place: &str| {
            let is_own = watch.path.means(place);
            let is_meant =
                is_own || watches(&watched.document).any(|watch| watch.path.means(place));
            !is_meant || (is_own && !there.contains(place))
        };
        let (gone, known): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|known| is_gone(&known.place));
        let others = known.iter().filter(|known| !there.contains(&known.place));
        let mut findings = Findings {
            files: files.len() as u64,
            forgotten: gone.into_iter().map(|gone| gone.place).collect(),
            ..Findings::default()
        };
        if others.count() + files.len() > limit::FLOW_WATCH_FILES_MAX {
            findings.fault = Some(too_many());
            return Ok(findings);
        }
        let known: BTreeMap<String, Sighting> = known
            .into_iter()
            .map(|known| (known.place.clone(), known))
            .collect();
        for file in &files {
            let place = watch.path.place_of(&file.name);
            let mark = file.mark();
            let same = known.get(&place).filter(|known| known.mark == mark);
            if same.is_some_and(|known| known.has_run) {
                continue;
            }
            let sighting = Sighting {
                since: same.map_or(now, |known| known.since),
                has_run: false,
                place,
                mark,
            };
            let settle = watch.settle.map(TimeSpan::duration);
            let ready_at = sighting.since.plus(settle.unwrap_or_default());
            if ready_at > now {
                findings.waiting += 1;
                findings.ready_at = findings
                    .ready_at
                    .map_or(Some(ready_at), |at| Some(at.min(ready_at)));
                if same.is_none() {
                    findings.settling.push(sighting);
                }
                continue;
            }
            // What has no room now is new at the next look.
            if findings.is_full {
                findings.waiting += 1;
                continue;
            }
            let start = self.start(lease, &watched.flow, (watch, file, sighting));
            if let Start::Refused(error) = start.await? {
                findings.waiting += 1;
                findings.is_full = true;
                let is_usual = error.kind() == ErrorKind::StateConflict;
                let fault = StepFault::permanent(error.kind().code(), error.detail());
                findings.fault = (!is_usual).then_some(fault);
            }
        }
        Ok(findings)
    }

    /// Starts the run of a file and remembers the file: both, or neither.
    async fn start(
        &self,
        lease: &Lease,
        flow: &Flow,
        (watch, file, sighting): (&WatchTrigger, &SeenFile, Sighting),
    ) -> Result<Start> {
        let run = run_of(watch, file, &sighting);
        let sighting = Sighting {
            has_run: true,
            ..sighting
        };
        let queue = self.core.store.queue();
        for _ in 0..RACES_MAX {
            let reader = queue.reader(lease.job.tenant);
            let mut change = queue.change(lease.job.tenant);
            change.hold(lease).put_sighting(flow.id, &sighting);
            let known = reader.flow_run_for(flow.id, &run.key).await;
            if known.map_err(error::from_db)?.is_none() {
                let admitted = self.core.admit_trigger(&reader, &mut change, (flow, &run));
                if let Admitted::Refused(error) = admitted.await? {
                    return Ok(Start::Refused(error));
                }
            }
            match change.commit().await {
                Ok(()) => return Ok(Start::Run),
                Err(DbError::Conflict(conflict::FLOW_RUN_REVISION | conflict::FLOW_RUN_KEY)) => {}
                Err(error) => return Err(settled(error)),
            }
        }
        Err(error::too_fast("flow"))
    }

    /// Writes what a look saw and started nothing for, some files at a time.
    async fn keep(&self, lease: &Lease, flow: &Flow, findings: &Findings) -> Result<()> {
        let write = |act: &dyn Fn(&mut Change)| {
            let mut change = self.core.store.queue().change(lease.job.tenant);
            change.hold(lease).hold_flow(flow);
            act(&mut change);
            change
        };
        for some in findings.settling.chunks(WRITTEN_AT_ONCE) {
            let change = write(&|change| {
                for sighting in some {
                    change.put_sighting(flow.id, sighting);
                }
            });
            change.commit().await.map_err(settled)?;
        }
        for some in findings.forgotten.chunks(WRITTEN_AT_ONCE) {
            let change = write(&|change| {
                for place in some {
                    change.forget_sighting(flow.id, place);
                }
            });
            change.commit().await.map_err(settled)?;
        }
        Ok(())
    }
}

impl SeenFile {
    /// Tells this version from others.
    fn mark(&self) -> String {
        let told = json!([
            self.size_bytes,
            self.modified.map(Timestamp::ms),
            self.version
        ]);
        hex::encode(digest(&SHA256, told.to_string().as_bytes()))
    }
}

/// What the look before knew, and why this one knows nothing.
fn unchanged(old: Option<&WatchState>, fault: Option<StepFault>) -> Findings {
    Findings {
        files: old.map_or(0, |old| old.files),
        waiting: old.map_or(0, |old| old.files_waiting),
        fault,
        ..Findings::default()
    }
}

fn too_many() -> StepFault {
    let detail = format!(
        "A flow's watches know at most {} files; have those that are done removed or moved, or narrow the path.",
        limit::FLOW_WATCH_FILES_MAX
    );
    StepFault::permanent("too_many_files", detail)
}

fn run_of(watch: &WatchTrigger, file: &SeenFile, sighting: &Sighting) -> TriggeredRun {
    let cause = format!(
        "{}\n{}\n{}",
        sighting.place,
        sighting.mark,
        sighting.since.ms()
    );
    let told = [
        ("remote", json!(watch.path.remote())),
        ("path", json!(watch.path.path_of(&file.name))),
        ("source", json!(sighting.place)),
        ("file_name", json!(file.name)),
        ("size", json!(file.size_bytes)),
        ("modified_at", json!(file.modified)),
    ];
    let mut facts: Map<String, Value> = Map::new();
    facts.extend(told.map(|(name, value)| (name.to_owned(), value)));
    TriggeredRun {
        kind: "watch",
        key: hex::encode(digest(&SHA256, cause.as_bytes())),
        facts,
        ..TriggeredRun::default()
    }
}

/// The entry of a watch that fares otherwise than before.
fn turned(flow: &Flow, state: &WatchState) -> Note {
    let outcome = match &state.fault {
        Some(_) => Outcome::Error,
        None => Outcome::Success,
    };
    Note::record("flows.watch")
        .about(flow.id)
        .ended(outcome)
        .with(json!({
            "flow_id": flow.id,
            "flow": flow.name,
            "path": state.path,
            "files": state.files,
            "files_waiting": state.files_waiting,
            "error_code": state.fault.as_ref().map(|fault| &fault.code),
            "error_message": state.fault.as_ref().map(|fault| &fault.detail),
        }))
}
