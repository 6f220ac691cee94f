//! The bounds of this crate, by name. Those that other crates share are in [`bailee_model::limit`].

use std::time::Duration;

/// Deliveries under way at once on one node, unless the operator says otherwise.
pub const DELIVERIES_RUNNING: usize = 512;
/// Schedules that are looked at at once on one node.
pub(crate) const SCHEDULES_RUNNING: usize = 8;
/// Alert rules that are looked at at once on one node.
pub(crate) const RULES_RUNNING: usize = 8;

/// A far system that is busy is left alone for so long at most, whatever it asks for.
pub(crate) const ASKED_WAIT_MAX: Duration = Duration::from_mins(10);
/// Jobs leased in one go. Not more than a fresh lane takes, or the rest would have to be handed back at once.
pub(crate) const BATCH_MAX: usize = bailee_model::limit::DELIVERIES_PER_WEBHOOK;
/// Lanes that are remembered while nothing runs in them.
pub(crate) const LANES_KEPT_MAX: usize = 4_096;
/// Longest time that a delivery waits for its turn where a webhook's rate is bounded; beyond it, it goes back.
pub(crate) const PACE_WAIT_MAX: Duration = Duration::from_secs(2);
/// How long a lane rests whose next turns are all taken: less than they last, so that no turn is missed.
pub(crate) const PACE_REST: Duration = Duration::from_secs(1);
/// How long a job waits whose lane turned out to be full.
pub(crate) const LANE_WAIT: Duration = Duration::from_millis(250);
/// Longest time between two looks at the queue: jobs that another node queued wake nobody here.
pub(crate) const LOOK_EVERY_MAX: Duration = Duration::from_secs(1);
/// Shortest time between two looks at the queue, however much is committed.
pub(crate) const LOOK_EVERY_MIN: Duration = Duration::from_millis(10);
/// How long the queue rests when all that is due belongs to full lanes.
pub(crate) const FULL_WAIT: Duration = Duration::from_millis(100);
/// How long a job waits after its runner panicked, for each time it was leased.
pub(crate) const PANIC_WAIT: Duration = Duration::from_secs(30);
/// The longest such wait.
pub(crate) const PANIC_WAIT_MAX: Duration = Duration::from_hours(1);

/// How long a lease is surely held after it was asked for: a little less than what the database was told.
pub(crate) const LEASE_SURE: Duration =
    bailee_model::limit::LEASE.saturating_sub(Duration::from_secs(1));
/// How long a receiver that was asked may still answer when this node stops.
pub(crate) const ANSWER_GRACE: Duration = Duration::from_secs(2);
/// Longest wait of a job that could not begin.
pub(crate) const BEGIN_WAIT_MAX: Duration = Duration::from_mins(1);

/// How often a running transfer looks whether somebody wants it to stop.
pub(crate) const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Shortest time between two such looks.
pub(crate) const WATCH_REST: Duration = Duration::from_millis(400);
/// How often progress is stored while bytes move slower than a checkpoint each time. Within
/// [`bailee_model::limit::CHECKPOINT_EVERY`].
pub(crate) const PROGRESS_EVERY: Duration = Duration::from_secs(2);
/// Free names that are tried beside a taken one.
pub(crate) const NAMES_TRIED_MAX: u32 = 100;
/// How long clearing up at a remote may take.
pub(crate) const CLEAR_UP_TIME_MAX: Duration = Duration::from_secs(5);
/// How often a final write is tried again that lost a race.
pub(crate) const RACES_MAX: u32 = 4;

/// How long a connector waits for the next file of its remote. Shorter than far systems wait before they hang up.
pub(crate) const IDLE_CONNECTOR_TIME: Duration = Duration::from_secs(5);
/// How long a connector that waited may take to show that its far side is still there.
pub(crate) const ALIVE_TIME_MAX: Duration = Duration::from_secs(2);
/// Connectors that wait on one node.
pub(crate) const IDLE_CONNECTORS_MAX: usize = 64;
/// How often those are hung up that nobody came for.
pub(crate) const IDLE_CONNECTORS_SWEPT_EVERY: Duration = Duration::from_secs(2);
/// Looks at remotes under way at once on one node.
pub(crate) const LOOKS_RUNNING: usize = 4;
/// How long a look waits that could not be kept.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Folders of remotes that are looked into at once on one node: each may hold as many entries as a listing has at most.
pub(crate) const LOOKS_AT_ONCE: usize = 8;
/// Longest look into a folder of a remote.
pub(crate) const BROWSE_TIME_MAX: Duration = Duration::from_mins(1);
/// Longest look for a plan of a transfer.
pub(crate) const PLAN_TIME_MAX: Duration = Duration::from_secs(30);
/// Runs of flows under way at once on one node.
pub const FLOWS_RUNNING: usize = 16;
/// Flows whose watches are looked after at once on one node: each may hold a page of a listing, and as many files as a
/// flow's watches know.
pub(crate) const WATCHES_RUNNING: usize = 8;
/// Of these, flows of one tenant: remotes that do not answer keep nobody else's from being looked at.
pub(crate) const WATCHES_PER_TENANT: usize = 4;
/// Longest look of a watch.
pub(crate) const WATCH_TIME_MAX: Duration = Duration::from_mins(5);
/// How often a run looks at the transfer that it waits for; its end makes it look at once.
pub(crate) const TRANSFER_LOOK_EVERY: Duration = Duration::from_secs(30);
/// Files of one `for_each` whose steps may wait at the same time.
pub(crate) const FILES_WAITING_MAX: usize = 16;
/// Longest time that a step works in one go, where the flow sets none.
pub(crate) const STEP_TIME_MAX: Duration = Duration::from_hours(24);

/// Longest test of a remote.
pub(crate) const PROBE_TIME_MAX: Duration = Duration::from_mins(2);

/// How long commits are gathered before the journal is sealed.
pub(crate) const SEAL_REST: Duration = Duration::from_millis(10);
/// How often the journal is looked at though nothing was committed here.
pub(crate) const SEAL_EVERY: Duration = Duration::from_secs(1);
/// How often a checkpoint of the journal is signed.
pub(crate) const SIGN_EVERY: Duration = Duration::from_mins(1);
/// How soon it is swept again when there was something: one step may not have been all.
pub(crate) const SWEEP_AGAIN: Duration = Duration::from_secs(2);
/// How often expired things are swept.
pub(crate) const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// First wait of a loop whose work failed; it doubles.
pub(crate) const BACK_OFF_FIRST: Duration = Duration::from_millis(200);
/// Longest wait of a loop whose work fails.
pub(crate) const BACK_OFF_MAX: Duration = Duration::from_secs(30);
