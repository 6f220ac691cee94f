//! Running flows: one step at a time, each outcome committed before the next begins.
//!
//! A run is walked from its first step each time that a runner takes it up. A step that ended is in its row, and is
//! passed over; so wherever a runner died, the next one comes to the same place. What a step does is done once: what
//! makes things is marked like a client's request with an idempotency key, and everything else finds its work done.
//! A run that waits gives its job back, and holds nothing.

mod clearing;
pub(crate) mod content;
mod facts;
mod files;
mod nesting;
mod place;
mod step;
mod transfer;
mod walk;

use std::time::Duration;

use bailee_core::model::{Error, ErrorKind, FlowRun, Lease, RunState, StepFault, StepState};
use bailee_core::{FlowBegun, FlowWork};

use self::walk::{Halt, Runner};
use crate::stop::{Stop, StopReason};
use crate::{Shared, limit};

/// Goes on with a run until it ends or has to wait.
pub(crate) async fn run(shared: &Shared, lease: &Lease, stop: &Stop) {
    let core = &shared.core;
    let work = match core.flow_works().begin(lease).await {
        Ok(FlowBegun::Work(work)) => *work,
        Ok(FlowBegun::Over) => return,
        Err(error) => return put_off(shared, lease, &error).await,
    };
    let FlowWork {
        run,
        document,
        steps,
    } = work;
    let caller = match core.flow_works().caller(lease.job.tenant, &run).await {
        Ok(caller) => caller,
        Err(error) if is_passing(&error) => return put_off(shared, lease, &error).await,
        Err(error) => {
            let fault = fault_of(&error);
            return end(shared, lease, run, (RunState::Failed, Some(fault))).await;
        }
    };
    let mut runner = Runner::new((shared, lease, stop), caller, (run, document), steps);
    let walked = runner.walk_all().await;
    let run = runner.run.clone();
    match walked {
        Ok(files) | Err(Halt::End(files)) => {
            let ended = FlowRun {
                result: files,
                fault: None,
                ..run
            };
            clear_and_end(&runner, ended, (RunState::Completed, None)).await;
        }
        Err(Halt::Failed(fault)) => {
            clear_and_end(&runner, run, (RunState::Failed, Some(fault))).await;
        }
        Err(Halt::Parked(at)) => park(shared, lease, run, at).await,
        Err(Halt::Cancelled) => cancel(&mut runner).await,
        Err(Halt::Stopped(StopReason::Lost)) => {}
        Err(Halt::Stopped(_)) => postpone(shared, lease, Duration::ZERO).await,
        Err(Halt::Broken(error)) => put_off(shared, lease, &error).await,
    }
}

async fn park(shared: &Shared, lease: &Lease, mut run: FlowRun, at: bailee_core::model::Timestamp) {
    let works = shared.core.flow_works();
    if let Err(error) = works.park(lease, &mut run, at).await {
        return put_off(shared, lease, &error).await;
    }
    if let Err(error) = works.look_again(lease.job.tenant, run.id).await {
        tracing::warn!(run.id = %run.id, %error, "a run may look later than it could");
    }
}

/// Removes what lay between the steps, where the flow wants that, and ends the run. A crash between the two removes once
/// more.
async fn clear_and_end(
    runner: &Runner<'_>,
    run: FlowRun,
    (state, fault): (RunState, Option<StepFault>),
) {
    if let Err(error) = runner.clear_up(state).await {
        return put_off(runner.shared, runner.lease, &error).await;
    }
    end(runner.shared, runner.lease, run, (state, fault)).await;
}

async fn end(
    shared: &Shared,
    lease: &Lease,
    mut run: FlowRun,
    (state, fault): (RunState, Option<StepFault>),
) {
    run.fault = fault.or(run.fault);
    let works = shared.core.flow_works();
    if let Err(error) = works.end(lease, &mut run, state).await {
        put_off(shared, lease, &error).await;
    }
}

/// Ends what a cancelled run has under way, then the run.
async fn cancel(runner: &mut Runner<'_>) {
    let (shared, lease) = (runner.shared, runner.lease);
    let works = shared.core.flow_works();
    let open: Vec<String> = runner
        .steps
        .values()
        .filter(|step| !step.state.is_final())
        .map(|step| step.key.clone())
        .collect();
    for key in open {
        let Some(mut step) = runner.steps.get(&key).cloned() else {
            continue;
        };
        if let Some(transfer) = step.transfer {
            let cancelled = shared
                .core
                .transfers()
                .cancel(&runner.caller, transfer)
                .await;
            if let Err(error) = cancelled
                && is_passing(&error)
                && error.kind() != ErrorKind::StateConflict
            {
                return put_off(shared, lease, &error).await;
            }
        }
        step.state = StepState::Cancelled;
        step.resume_at = None;
        step.finished_at = Some(shared.core.clock().now());
        if let Err(error) = works.save_step(lease, &runner.run, &mut step).await {
            return put_off(shared, lease, &error).await;
        }
    }
    let run = runner.run.clone();
    clear_and_end(runner, run, (RunState::Cancelled, None)).await;
}

/// Whether the same may go well in a moment, whatever the step.
fn is_passing(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InternalError
            | ErrorKind::Unavailable
            | ErrorKind::StorageFull
            | ErrorKind::StateConflict
            | ErrorKind::IdempotencyKeyInProgress
            | ErrorKind::Draining
            | ErrorKind::Overloaded
    )
}

/// What core refused, as the fault of a step.
fn fault_of(error: &Error) -> StepFault {
    StepFault {
        code: error.kind().code().to_owned(),
        detail: error.detail().to_owned(),
        retryable: is_passing(error),
    }
}

async fn put_off(shared: &Shared, lease: &Lease, error: &Error) {
    let is_usual = matches!(
        error.kind(),
        ErrorKind::StateConflict | ErrorKind::IdempotencyKeyInProgress
    );
    if is_usual {
        return postpone(shared, lease, limit::LANE_WAIT).await;
    }
    tracing::warn!(job.id = %lease.job.id, %error, "a run of a flow waits");
    let wait = limit::LOOK_EVERY_MAX.saturating_mul(lease.attempt);
    postpone(shared, lease, wait.min(limit::BEGIN_WAIT_MAX)).await;
}

async fn postpone(shared: &Shared, lease: &Lease, wait: Duration) {
    let core = &shared.core;
    let at = core.clock().now().plus(wait);
    if let Err(error) = core.jobs().postpone(lease, at).await {
        tracing::debug!(job.id = %lease.job.id, %error, "a run goes on when its lease ends");
    }
}
