//! What must hold whatever happens (docs/quality.md, part 1), under faults. Tests begin with the id of the fault.

mod f01_kill;
mod f02_kill_at_every_sync;
mod f07_damage;
mod i10_canary;
mod model;
