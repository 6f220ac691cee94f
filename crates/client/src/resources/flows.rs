use bailee_api::{
    ChangeFlow, DecideFlow, Flow, FlowDocument, FlowRun, FlowRunEntry, FlowSecret, FlowVersion,
    FlowWatch, FlowWatches, RerunFlow, RotateFlowSecret, StartFlow,
};
use bailee_model::{FlowId, FlowRunId};
use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, IF_MATCH};

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Flows: documents that say what happens to files.
    Flows, flows
}

resource! {
    /// Runs of flows.
    FlowRuns, flow_runs
}

/// A call with a document in YAML, which JSON is too.
fn yaml(call: Call, document: &str) -> Result<Call> {
    let call = call.bytes(Bytes::copy_from_slice(document.as_bytes()));
    call.header(CONTENT_TYPE, "application/yaml")
}

impl Flows<'_> {
    /// Makes a flow.
    pub async fn create(&self, document: &FlowDocument) -> Result<Flow> {
        self.0.json(Call::post("/flows").json(document)?).await
    }

    /// Makes a flow of a document in YAML or JSON.
    pub async fn create_yaml(&self, document: &str) -> Result<Flow> {
        self.0.json(yaml(Call::post("/flows"), document)?).await
    }

    /// All flows, newest first.
    pub fn list(&self) -> Listing<Flow> {
        Listing::new(self.0, Call::get("/flows"))
    }

    /// One of them.
    pub async fn get(&self, flow: FlowId) -> Result<Flow> {
        self.0.json(Call::get(format!("/flows/{flow}"))).await
    }

    /// Gives it another document.
    pub async fn replace(&self, flow: FlowId, document: &FlowDocument) -> Result<Flow> {
        let call = Call::put(format!("/flows/{flow}")).json(document)?;
        self.0.json(call).await
    }

    /// Gives it another document in YAML or JSON; with an ETag only if it is still that one.
    pub async fn replace_yaml(
        &self,
        flow: FlowId,
        document: &str,
        etag: Option<&str>,
    ) -> Result<Flow> {
        let mut call = yaml(Call::put(format!("/flows/{flow}")), document)?;
        if let Some(etag) = etag {
            call = call.header(IF_MATCH, etag)?;
        }
        self.0.json(call).await
    }

    /// What its watches found.
    pub async fn watches(&self, flow: FlowId) -> Result<Vec<FlowWatch>> {
        let call = Call::get(format!("/flows/{flow}/watches"));
        let found: FlowWatches = self.0.json(call).await?;
        Ok(found.data)
    }

    /// Gives it another secret for calls without a key; the first one too.
    pub async fn rotate_secret(
        &self,
        flow: FlowId,
        rotate: &RotateFlowSecret,
    ) -> Result<FlowSecret> {
        let call = Call::post(format!("/flows/{flow}/rotate-secret")).json(rotate)?;
        self.0.json(call).await
    }

    /// Switches its triggers on or off.
    pub async fn change(&self, flow: FlowId, change: &ChangeFlow) -> Result<Flow> {
        let call = Call::patch(format!("/flows/{flow}")).json(change)?;
        self.0.json(call).await
    }

    /// Removes it.
    pub async fn delete(&self, flow: FlowId) -> Result<()> {
        self.0.gone(Call::delete(format!("/flows/{flow}"))).await
    }

    /// The documents that it had, newest first.
    pub fn versions(&self, flow: FlowId) -> Listing<FlowVersion> {
        Listing::new(self.0, Call::get(format!("/flows/{flow}/versions")))
    }

    /// Starts it.
    pub async fn run(&self, flow: FlowId, start: &StartFlow) -> Result<FlowRun> {
        let call = Call::post(format!("/flows/{flow}/runs")).json(start)?;
        self.0.json(call).await
    }
}

/// Which runs a list holds. Everything when nothing is set.
#[derive(Clone, Debug, Default)]
pub struct FlowRunQuery {
    /// Of this flow.
    pub flow_id: Option<FlowId>,
    /// `queued`, `running`, `waiting`, `completed`, `failed`, `cancelled`.
    pub state: Option<String>,
}

impl FlowRuns<'_> {
    /// Runs, newest first.
    pub fn list(&self, query: &FlowRunQuery) -> Listing<FlowRun> {
        let call = Call::get("/flow-runs")
            .maybe("flow_id", query.flow_id)
            .maybe("state", query.state.as_ref());
        Listing::new(self.0, call)
    }

    /// One of them, with its steps.
    pub async fn get(&self, run: FlowRunId) -> Result<FlowRun> {
        self.0.json(Call::get(format!("/flow-runs/{run}"))).await
    }

    /// Its log, newest first.
    pub fn journal(&self, run: FlowRunId) -> Listing<FlowRunEntry> {
        Listing::new(self.0, Call::get(format!("/flow-runs/{run}/journal")))
    }

    /// Ends it.
    pub async fn cancel(&self, run: FlowRunId) -> Result<FlowRun> {
        let call = Call::post(format!("/flow-runs/{run}/cancel"));
        self.0.json(call).await
    }

    /// Runs it again.
    pub async fn rerun(&self, run: FlowRunId, how: &RerunFlow) -> Result<FlowRun> {
        let call = Call::post(format!("/flow-runs/{run}/rerun")).json(how)?;
        self.0.json(call).await
    }

    /// Says yes to what it asks.
    pub async fn approve(&self, run: FlowRunId, decision: &DecideFlow) -> Result<FlowRun> {
        let call = Call::post(format!("/flow-runs/{run}/approve")).json(decision)?;
        self.0.json(call).await
    }

    /// Says no to what it asks.
    pub async fn reject(&self, run: FlowRunId, decision: &DecideFlow) -> Result<FlowRun> {
        let call = Call::post(format!("/flow-runs/{run}/reject")).json(decision)?;
        self.0.json(call).await
    }
}
