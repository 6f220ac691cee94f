//! Who names a thing: the flows and schedules that would be left with nothing if it went.

use std::collections::BTreeMap;

use bailee_auth::{Action, Caller, Resource};
use bailee_model::flow::Named;
use bailee_model::{Error, ErrorKind, Flow, FlowDocument, FlowId, Result, Schedule, limit};
use bailee_store::Reader;

use crate::{Core, error};

/// Users that a refusal names.
const NAMED_MAX: usize = 3;

/// What names a thing.
#[derive(Clone, Debug)]
pub(crate) enum NamedBy {
    /// A flow's newest document.
    Flow(Box<Flow>),
    /// A schedule.
    Schedule(Box<Schedule>),
}

impl Core {
    /// What names a thing, in either way, as far as the caller may see it; and how much more there is.
    pub(crate) async fn named_by(
        &self,
        caller: &Caller,
        reader: &Reader,
        names: [&Named; 2],
    ) -> Result<(Vec<NamedBy>, usize)> {
        let mut ids = reader.users_of(names).await.map_err(error::from_db)?;
        let total = ids.len();
        ids.truncate(limit::USERS_TOLD_MAX as usize);
        let sees_flows = self.admits(caller, Action::FlowRead, &Resource::Flow);
        let sees_schedules = self.admits(caller, Action::ScheduleRead, &Resource::Tenant);
        let mut seen = Vec::new();
        for id in ids {
            if let Ok(id) = id.parse::<FlowId>() {
                let flow = reader.flow(id).await.map_err(error::from_db)?;
                let is_shown = |flow: &Flow| {
                    sees_flows && crate::flows::is_within_reach(caller, &flow.mandate)
                };
                seen.extend(flow.filter(is_shown).map(Box::new).map(NamedBy::Flow));
            } else if let Ok(id) = id.parse() {
                let schedule = reader.schedule(id).await.map_err(error::from_db)?;
                let is_shown = |schedule: &Schedule| {
                    sees_schedules && crate::schedules::is_shown(caller, schedule)
                };
                let shown = schedule.filter(is_shown).map(Box::new);
                seen.extend(shown.map(NamedBy::Schedule));
            }
        }
        let more = total - seen.len().min(total);
        Ok((seen, more))
    }

    /// Refuses to take a thing, or its name, from the flows and schedules that name it.
    pub(crate) async fn refuse_while_named(
        &self,
        caller: &Caller,
        reader: &Reader,
        names: [&Named; 2],
    ) -> Result<()> {
        let (seen, more) = self.named_by(caller, reader, names).await?;
        if seen.is_empty() && more == 0 {
            return Ok(());
        }
        let more = more + seen.len().saturating_sub(NAMED_MAX);
        let mut told: Vec<String> = seen
            .iter()
            .take(NAMED_MAX)
            .map(|user| match user {
                NamedBy::Flow(flow) => format!("the flow `{}`", flow.name),
                NamedBy::Schedule(schedule) => format!("the schedule `{}`", schedule.name),
            })
            .collect();
        if more > 0 {
            told.push(format!("{more} flows or schedules more"));
        }
        let detail = format!("It is named by {}.", told.join(", "));
        Err(Error::new(ErrorKind::InUse, detail))
    }
}

/// What a document names, each once.
pub(crate) fn named_in(document: &FlowDocument) -> Vec<Named> {
    each_once(document.references().iter().map(|found| found.to.named()))
}

/// The same, each once.
pub(crate) fn each_once(all: impl Iterator<Item = Named>) -> Vec<Named> {
    let once: BTreeMap<String, Named> = all.map(|named| (named.to_string(), named)).collect();
    once.into_values().collect()
}
