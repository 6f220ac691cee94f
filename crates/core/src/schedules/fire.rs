//! What is done when the time of a schedule comes.

use std::collections::BTreeMap;
use std::time::Duration;

use bailee_auth::{Action, Caller, Door, Facts, Via};
use bailee_model::{
    Due, Error, ErrorKind, EventType, FlowId, FlowRunId, Lease, MisfireRule, Outcome, RequestId,
    Result, Schedule, ScheduleId, ScheduleResult, ScheduleRun, ScheduleTarget, TenantId, Timestamp,
};
use bailee_store::{Change, DbError, conflict};

use super::{Schedules, calendar_of, scheduled_transfer};
use crate::jobs::fenced;
use crate::journal::Note;
use crate::runs::is_refusal;
use crate::{TriggeredRun, error};

impl Schedules<'_> {
    /// Does what is due and sets the next time: one transaction, under the lease. `state_conflict`: the lease is lost or
    /// the schedule was changed meanwhile; it is to be looked at again.
    pub async fn fire(&self, lease: &Lease) -> Result<()> {
        let tenant = lease.job.tenant;
        let id: ScheduleId = lease.job.subject.parse().map_err(Error::internal)?;
        let reader = self.core.store.queue().reader(tenant);
        let found = reader.schedule(id).await.map_err(error::from_db)?;
        let waiting = found.filter(|schedule| !schedule.is_paused);
        let Some((schedule, next_at)) =
            waiting.and_then(|schedule| schedule.next_at.map(|next_at| (schedule, next_at)))
        else {
            return self.core.jobs().finish(lease).await;
        };
        let now = self.core.clock.now();
        let begins_at = schedule.begins_at(next_at);
        if begins_at > now {
            return self.core.jobs().postpone(lease, begins_at).await;
        }
        let calendar = calendar_of(&reader, schedule.calendar).await?;
        let due = schedule.due(now, calendar.as_ref());
        // A clock that was set back, or a schedule that was changed back, brings times once more.
        let ran = reader
            .times_run(id, next_at)
            .await
            .map_err(error::from_db)?;
        let mut change = self.core.store.queue().change(tenant);
        let mut missed = due.missed;
        for at in due.runs.iter().filter(|at| !ran.contains(at)) {
            self.run(&mut change, tenant, &schedule, (*at, missed))
                .await?;
            missed = 0;
        }
        self.note_missed(&mut change, &schedule, &due, &ran);
        let next_at = schedule.next(due.last.unwrap_or(now), calendar.as_ref());
        change.schedule_fired(&schedule, next_at);
        change.prune_runs(id);
        match next_at {
            Some(next_at) => change.run_again(lease, schedule.begins_at(next_at)),
            None => change.finish_job(lease),
        };
        change.commit().await.map_err(|error| match error {
            DbError::Conflict(conflict::SCHEDULE | conflict::SCHEDULE_RAN) => Error::new(
                ErrorKind::StateConflict,
                "The schedule was changed in the meantime.",
            ),
            other => fenced(other),
        })
    }

    /// Adds the run of a time to a change, or that it was refused.
    async fn run(
        &self,
        change: &mut Change,
        tenant: TenantId,
        schedule: &Schedule,
        (due_at, missed): (Timestamp, u32),
    ) -> Result<()> {
        let result = match self.start(change, tenant, schedule, due_at).await {
            Ok(result) => result,
            Err(error) if is_refusal(error.kind()) => refused(&error),
            Err(error) => return Err(error),
        };
        let mut note = Note::record("schedules.fire").about(schedule.id);
        let mut facts = facts(schedule, due_at, missed);
        match &result {
            ScheduleResult::Transfer { transfer } => {
                note.transfer = Some(*transfer);
                facts.push(("transfer_id", serde_json::json!(transfer)));
            }
            ScheduleResult::FlowRun { run } => {
                facts.push(("flow_run_id", serde_json::json!(run)));
            }
            ScheduleResult::Skipped => {}
            ScheduleResult::Refused { code, message } => {
                note = Note::event("schedules.fire", EventType::ScheduleFailed)
                    .about(schedule.id)
                    .ended(Outcome::Error);
                facts.push(("error_code", serde_json::json!(code)));
                facts.push(("error_message", serde_json::json!(message)));
            }
        }
        change.journal(&self.core.own_entry(note.with(object(facts))));
        let run = ScheduleRun {
            due_at,
            ran_at: self.core.clock.now(),
            result,
            missed,
        };
        change.insert_run(schedule.id, &run);
        Ok(())
    }

    /// Starts what a schedule is for, with the rights that whoever changed it last has now.
    async fn start(
        &self,
        change: &mut Change,
        tenant: TenantId,
        schedule: &Schedule,
        due_at: Timestamp,
    ) -> Result<ScheduleResult> {
        let now = self.core.clock.now();
        let facts = Facts {
            address: None,
            request: RequestId::new(now, &*self.core.chance),
            now,
            door: Door::Job,
        };
        let caller = self.caller(tenant, schedule, facts).await?;
        match &schedule.target {
            ScheduleTarget::Transfer {
                wish,
                deadline_seconds,
            } => {
                let mut transfer = scheduled_transfer(wish)?;
                transfer.deadline =
                    deadline_seconds.map(|seconds| due_at.plus(Duration::from_secs(seconds)));
                let transfers = self.core.transfers();
                let staged = transfers.stage(&caller, (transfer, None), None).await?;
                transfers.add(change, &caller, &staged);
                Ok(ScheduleResult::Transfer {
                    transfer: staged.transfer.id,
                })
            }
            ScheduleTarget::Flow { flow, params } => {
                self.start_flow(&caller, schedule, (*flow, params, due_at))
                    .await
            }
        }
    }

    /// In whose name a time does what it is for. What stands in a flow's document acts as the flow does, which ends
    /// with a revoked key and not with an expired one.
    async fn caller(&self, tenant: TenantId, schedule: &Schedule, facts: Facts) -> Result<Caller> {
        let Some(flow) = schedule.stands_in else {
            let via = |key| Via::Schedule {
                schedule: schedule.id,
                key,
            };
            let key = schedule.created_with;
            return self.core.on_behalf(tenant, key, facts, via).await;
        };
        let reader = self.core.store.queue().reader(tenant);
        let found = reader.flow(flow).await.map_err(error::from_db)?;
        let found = found.ok_or_else(|| Error::not_found("flow"))?;
        let via = Via::Flow {
            run: FlowRunId::from_bits(flow.bits()),
            key: found.mandate.key,
        };
        self.core
            .by_mandate(tenant, &found.mandate, facts, via)
            .await
    }

    /// Starts a flow for a time. It commits by itself, before the time's own change; told of the same time again, it
    /// answers with the same run.
    async fn start_flow(
        &self,
        caller: &Caller,
        schedule: &Schedule,
        (flow, params, due_at): (FlowId, &BTreeMap<String, String>, Timestamp),
    ) -> Result<ScheduleResult> {
        self.enter(caller, "flows.run", Action::FlowManage).await?;
        self.core.flows().get(caller, flow).await?;
        let told = vec![
            ("schedule_id", serde_json::json!(schedule.id)),
            ("schedule", serde_json::json!(schedule.name)),
            ("scheduled_at", serde_json::json!(due_at)),
        ];
        let told = told
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let trigger = TriggeredRun {
            kind: "schedule",
            key: format!("{}@{}", schedule.id, due_at.ms()),
            facts: told.collect(),
            params: params.clone(),
            ..TriggeredRun::default()
        };
        let flows = self.core.flows();
        match flows
            .start_by_trigger(caller.tenant(), flow, trigger)
            .await?
        {
            Some(run) => Ok(ScheduleResult::FlowRun { run: run.id }),
            None => Ok(ScheduleResult::Refused {
                code: ErrorKind::StateConflict.code().to_owned(),
                message: "The flow is switched off, or takes no other run now.".to_owned(),
            }),
        }
    }

    /// Tells of times that passed without a run of their own.
    fn note_missed(&self, change: &mut Change, schedule: &Schedule, due: &Due, ran: &[Timestamp]) {
        let Some(newest) = due.skipped.filter(|_| due.missed > 0) else {
            return;
        };
        let note = Note::event("schedules.miss", EventType::ScheduleMissed)
            .about(schedule.id)
            .with(object(facts(schedule, newest, due.missed)));
        change.journal(&self.core.own_entry(note));
        if schedule.misfire.rule == MisfireRule::Skip && !ran.contains(&newest) {
            let run = ScheduleRun {
                due_at: newest,
                ran_at: self.core.clock.now(),
                result: ScheduleResult::Skipped,
                missed: due.missed.saturating_sub(1),
            };
            change.insert_run(schedule.id, &run);
        }
    }
}

type Told = Vec<(&'static str, serde_json::Value)>;

fn facts(schedule: &Schedule, due_at: Timestamp, missed: u32) -> Told {
    vec![
        ("schedule_id", serde_json::json!(schedule.id)),
        ("name", serde_json::json!(schedule.name)),
        ("due_at", serde_json::json!(due_at)),
        ("missed", serde_json::json!(missed)),
    ]
}

fn object(facts: Told) -> serde_json::Value {
    facts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn refused(error: &Error) -> ScheduleResult {
    ScheduleResult::Refused {
        code: error.kind().code().to_owned(),
        message: error.detail().to_owned(),
    }
}
