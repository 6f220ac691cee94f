use bailee_model::{Timestamp, flow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What came of the newest look for a trigger of kind `watch`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "path": "partner:/out/*.csv", "looked_at": "2026-11-21T09:14:00.000Z", "next_at": "2026-11-21T09:19:00.000Z",
    "files": 12, "files_waiting": 0, "error_code": null, "error_message": null
}))]
pub struct FlowWatch {
    /// The trigger's path.
    #[schema(example = "partner:/out/*.csv")]
    pub path: String,
    /// When it was last looked.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub looked_at: Timestamp,
    /// When it is looked next.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:19:00.000Z")]
    pub next_at: Timestamp,
    /// Files that the path means and that were there, by the newest look that went well.
    pub files: u64,
    /// Those of them that have started no run yet: they settle, or the flow takes no other run now.
    pub files_waiting: u64,
    /// Why the newest look did not go well, as a code.
    #[schema(required)]
    pub error_code: Option<String>,
    /// The same in plain words.
    #[schema(required)]
    pub error_message: Option<String>,
}

/// Answer to `GET /flows/{flow_id}/watches`: one for each trigger of kind `watch` for which somebody looked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowWatches {
    /// By path.
    pub data: Vec<FlowWatch>,
}

impl From<&flow::WatchState> for FlowWatch {
    fn from(state: &flow::WatchState) -> Self {
        let fault = state.fault.as_ref();
        Self {
            path: state.path.to_string(),
            looked_at: state.looked_at,
            next_at: state.next_at,
            files: state.files,
            files_waiting: state.files_waiting,
            error_code: fault.map(|fault| fault.code.clone()),
            error_message: fault.map(|fault| fault.detail.clone()),
        }
    }
}
