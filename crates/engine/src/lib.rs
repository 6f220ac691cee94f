//! The engine: durable work, run in the background.
//!
//! [`Engine::start`] runs transfers and deliveries from the queue, seals and signs the journal, and sweeps. All it knows
//! of rows and bytes it knows through [`Core`]; all it knows of far systems through the connectors. A job may be run
//! twice, or half by one node and half by another: what must happen once is guarded by the lease that each write
//! carries, and by a temporary name at the destination.
#![warn(missing_docs)]

// Tests within use the site of those outside, which knows us by our name.
#[cfg(test)]
extern crate self as bailee_engine;

mod alert_rules;
mod deliveries;
mod flows;
mod lanes;
pub mod limit;
mod looks;
mod pool;
mod prober;
mod remote;
mod runner;
mod schedules;
mod secrets;
mod stop;
mod transfers;
mod upkeep;
mod watches;

pub use secrets::{MachineSecrets, secret_stores};

use std::sync::Arc;
use std::time::Duration;

use bailee_connect::{EgressGuard, Poster};
use bailee_core::Core;
use bailee_core::model::JobKind;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How much runs at once on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineLimits {
    /// Transfers.
    pub transfers: usize,
    /// Of these, transfers of one tenant.
    pub transfers_per_tenant: usize,
    /// Deliveries.
    pub deliveries: usize,
}

impl Default for EngineLimits {
    fn default() -> Self {
        Self {
            transfers: bailee_model::limit::TRANSFERS_RUNNING,
            transfers_per_tenant: bailee_model::limit::TRANSFERS_RUNNING_PER_TENANT,
            deliveries: limit::DELIVERIES_RUNNING,
        }
    }
}

/// What an engine is made of, beside the core.
#[derive(Debug)]
pub struct EngineParts {
    /// Which addresses remotes may have.
    pub guard: EgressGuard,
    /// Folders of this machine below which remotes of kind `local` may be.
    pub local_folders: Vec<String>,
    /// Sends deliveries.
    pub poster: Poster,
    /// The name under which this node holds leases: different on each node and at each start.
    pub node: String,
    /// How much runs at once.
    pub limits: EngineLimits,
}

/// Starts the background work of one node.
pub struct Engine;

/// Background work under way. Dropping it leaves the work running; [`EngineHandle::drain`] ends it.
#[derive(Debug)]
pub struct EngineHandle {
    stop: CancellationToken,
    stop_upkeep: CancellationToken,
    runners: Vec<JoinHandle<()>>,
    upkeep: Vec<JoinHandle<()>>,
}

/// What all work of one engine shares.
pub(crate) struct Shared {
    pub(crate) core: Core,
    pub(crate) guard: EgressGuard,
    pub(crate) local_folders: Vec<String>,
    pub(crate) poster: Poster,
    pub(crate) owner: String,
    pub(crate) lanes: lanes::Lanes,
    pub(crate) paces: transfers::Paces,
    pub(crate) pace: deliveries::Pace,
    pub(crate) pool: Arc<pool::Pool>,
    /// Seats for those who look into folders of remotes.
    pub(crate) looks: Semaphore,
}

impl Shared {
    /// A number by chance.
    pub(crate) fn draw(&self) -> u16 {
        let mut random = [0; 2];
        self.core.chance().fill(&mut random);
        u16::from_be_bytes(random)
    }
}

impl Engine {
    /// Gives the core its prober and starts the loops. Must be called within a Tokio runtime.
    pub fn start(core: Core, parts: EngineParts) -> EngineHandle {
        let shared = Arc::new(Shared {
            core,
            guard: parts.guard,
            local_folders: parts.local_folders,
            poster: parts.poster,
            owner: parts.node,
            lanes: lanes::Lanes::bounded(parts.limits.transfers_per_tenant),
            paces: transfers::Paces::default(),
            pace: deliveries::Pace::default(),
            pool: Arc::default(),
            looks: Semaphore::new(limit::LOOKS_AT_ONCE),
        });
        shared
            .core
            .attach_prober(Arc::new(prober::Prober(Arc::downgrade(&shared))));
        shared
            .core
            .attach_planner(Arc::new(transfers::Planner(Arc::downgrade(&shared))));
        let (stop, stop_upkeep) = (CancellationToken::new(), CancellationToken::new());
        let runner = |kind, capacity| {
            tokio::spawn(
                runner::Runner::new(Arc::clone(&shared), kind, capacity, stop.clone()).run(),
            )
        };
        let runners = vec![
            runner(JobKind::RunTransfer, parts.limits.transfers),
            runner(JobKind::Deliver, parts.limits.deliveries),
            runner(JobKind::FireSchedule, limit::SCHEDULES_RUNNING),
            runner(JobKind::WatchRule, limit::RULES_RUNNING),
            runner(JobKind::CheckRemote, limit::LOOKS_RUNNING),
            runner(JobKind::RunFlow, limit::FLOWS_RUNNING),
            runner(JobKind::WatchFlow, limit::WATCHES_RUNNING),
        ];
        let upkeep = vec![
            tokio::spawn(upkeep::seal(Arc::clone(&shared), stop_upkeep.clone())),
            tokio::spawn(upkeep::sign(Arc::clone(&shared), stop_upkeep.clone())),
            tokio::spawn(upkeep::sweep(Arc::clone(&shared), stop_upkeep.clone())),
            tokio::spawn(upkeep::hang_up(Arc::clone(&shared), stop_upkeep.clone())),
        ];
        EngineHandle {
            stop,
            stop_upkeep,
            runners,
            upkeep,
        }
    }
}

impl EngineHandle {
    /// Takes no new work, lets what is under way store its checkpoint and hand back, seals the journal a last time.
    /// False if that took longer than `timeout`: what was left is cut off, and goes on when its lease ends.
    pub async fn drain(self, timeout: Duration) -> bool {
        let Self {
            stop,
            stop_upkeep,
            mut runners,
            mut upkeep,
        } = self;
        stop.cancel();
        let finished = async {
            for task in &mut runners {
                ended(task.await);
            }
            stop_upkeep.cancel();
            for task in &mut upkeep {
                ended(task.await);
            }
        };
        let is_done = tokio::time::timeout(timeout, finished).await.is_ok();
        for task in runners.iter().chain(&upkeep) {
            task.abort();
        }
        is_done
    }
}

fn ended(result: Result<(), tokio::task::JoinError>) {
    if let Err(error) = result {
        tracing::error!(error = %error, "a loop of the engine did not end well");
    }
}

/// The wait after so many failures in a row: doubling up to a bound.
pub(crate) fn back_off(failures: u32) -> Duration {
    let doubled = limit::BACK_OFF_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(limit::BACK_OFF_MAX)
}
