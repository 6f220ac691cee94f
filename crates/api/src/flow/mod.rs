//! Flows: documents that say what happens to files, when, and in whose name; their runs.

mod hook;
mod run;
mod watch;

pub use hook::*;
pub use run::*;
pub use watch::*;

use bailee_model::{FlowId, PrincipalId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Links, List};

/// A flow's document, in JSON or YAML: `name`, `triggers`, `steps` and more. The guide of flows tells of every field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object, example = json!({
    "name": "archive", "triggers": [{"kind": "arrival", "path": "/inbox/*.csv"}],
    "steps": [{"id": "keep", "kind": "copy", "to": "/archive/${date:%Y/%m}/"}]
}))]
pub struct FlowDocument(pub serde_json::Value);

/// A flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "flow_id": "flw_01m7yp4nesedqrb018tr4sjm6r", "name": "archive", "enabled": true, "version": 1,
    "document": {"name": "archive", "steps": [{"id": "keep", "kind": "copy", "to": "/archive/"}]},
    "owner": "usr_01m7yp4nesedqrb018tr4sjm6r", "created_at": "2026-11-21T09:14:00.000Z",
    "updated_at": "2026-11-21T09:14:00.000Z", "links": {"self": "/v1/flows/flw_01m7yp4nesedqrb018tr4sjm6r"}
}))]
pub struct Flow {
    /// Names the flow.
    #[schema(value_type = String, example = "flw_01m7yp4nesedqrb018tr4sjm6r")]
    pub flow_id: FlowId,
    /// Unique in the tenant; the document's `name`.
    #[schema(example = "archive")]
    pub name: String,
    /// Whether triggers start it. Calls of the API always do.
    pub enabled: bool,
    /// Counts its documents, from 1.
    pub version: u32,
    /// The newest document.
    pub document: FlowDocument,
    /// In whose name it acts, with the rights that they have then: whoever made the newest document.
    #[schema(value_type = String, example = "usr_01m7yp4nesedqrb018tr4sjm6r")]
    pub owner: PrincipalId,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Since when it is as it is.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub updated_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of flows.
pub type FlowList = List<Flow>;

/// Body of `PATCH /flows/{flow_id}`: a JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeFlow {
    /// Whether triggers start it.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = bool, required = false)]
    pub enabled: Option<bool>,
}

/// A document that a flow had or has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowVersion {
    /// Its flow.
    #[schema(value_type = String, example = "flw_01m7yp4nesedqrb018tr4sjm6r")]
    pub flow_id: FlowId,
    /// From 1.
    pub version: u32,
    /// The document.
    pub document: FlowDocument,
    /// Who made it.
    #[schema(value_type = String, example = "usr_01m7yp4nesedqrb018tr4sjm6r")]
    pub created_by: PrincipalId,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
}

/// A page of a flow's documents.
pub type FlowVersionList = List<FlowVersion>;

impl From<&bailee_model::Flow> for Flow {
    fn from(flow: &bailee_model::Flow) -> Self {
        Self {
            flow_id: flow.id,
            name: flow.name.to_string(),
            enabled: flow.is_enabled,
            version: flow.version,
            document: FlowDocument(flow.document.clone()),
            owner: flow.mandate.principal,
            created_at: flow.created_at,
            updated_at: flow.updated_at,
            links: Links::to("flows", flow.id),
        }
    }
}

impl From<&bailee_model::FlowVersion> for FlowVersion {
    fn from(version: &bailee_model::FlowVersion) -> Self {
        Self {
            flow_id: version.flow,
            version: version.version,
            document: FlowDocument(version.document.clone()),
            created_by: version.created_by,
            created_at: version.created_at,
        }
    }
}
