//! What a schedule starts.

use std::collections::BTreeMap;

use bailee_model::flow::Named;
use bailee_model::{End, Error, FlowId, Result, ScheduleTarget};

use crate::NewTransfer;
use crate::references::each_once;

/// What a schedule is to run.
#[derive(Clone, Debug)]
pub enum NewTarget {
    /// A transfer like this.
    Transfer {
        /// The transfer, with no times of its own.
        transfer: Box<NewTransfer>,
        /// So long after it was due, it ends with outcome `expired`.
        deadline_seconds: Option<u64>,
    },
    /// A flow.
    Flow {
        /// Which.
        flow: FlowId,
        /// Values of its parameters.
        params: BTreeMap<String, String>,
    },
}

pub(super) fn stored(target: &NewTarget) -> Result<ScheduleTarget> {
    Ok(match target {
        NewTarget::Transfer {
            transfer,
            deadline_seconds,
        } => ScheduleTarget::Transfer {
            wish: serde_json::to_value(transfer).map_err(Error::internal)?,
            deadline_seconds: *deadline_seconds,
        },
        NewTarget::Flow { flow, params } => ScheduleTarget::Flow {
            flow: *flow,
            params: params.clone(),
        },
    })
}

/// What a target names: its flow, or the remotes of its transfer.
pub(super) fn named_in(target: &ScheduleTarget) -> Result<Vec<Named>> {
    match target {
        ScheduleTarget::Flow { flow, .. } => Ok(vec![Named::Flow(*flow)]),
        ScheduleTarget::Transfer { wish, .. } => {
            let new = scheduled_transfer(wish)?;
            let ends = [&new.source, &new.destination];
            let ends = ends.into_iter().chain(&new.sources);
            let remotes = ends.filter_map(|end| match end {
                End::Remote { remote, .. } => Some(Named::Remote(remote.clone())),
                End::Path { .. } | End::Folder { .. } | End::File { .. } => None,
            });
            Ok(each_once(remotes))
        }
    }
}

/// The transfer that a schedule starts, without its times.
pub fn scheduled_transfer(wish: &serde_json::Value) -> Result<NewTransfer> {
    serde_json::from_value(wish.clone()).map_err(Error::internal)
}
