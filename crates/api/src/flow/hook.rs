use bailee_model::{FlowId, FlowRunId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Links, SecretText};

/// Body of `POST /flows/{flow_id}/rotate-secret`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateFlowSecret {
    /// How long the old secret still counts beside the new one, in seconds; at most 7 days. A day when absent.
    pub grace_seconds: Option<u64>,
}

/// A flow's new secret.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FlowSecret {
    /// Whose it is.
    #[schema(value_type = String, example = "flw_01m7yp4nesedqrb018tr4sjm6r")]
    pub flow_id: FlowId,
    /// What calls of `POST /flows/{flow_id}/hook` are signed with. Shown this once.
    #[schema(value_type = String, example = "whsec_YmFpbGVlLWV4YW1wbGUtd2ViaG9vay1zZWNyZXQtMDE=")]
    pub secret: SecretText,
}

/// What came of a call of `POST /flows/{flow_id}/hook`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HookedRun {
    /// The run that it started.
    #[schema(value_type = String, example = "run_01m7yp4kyae4ma4jz41b93y214")]
    pub run_id: FlowRunId,
    /// Where those who have a key find it.
    pub links: Links,
}
