use bailee_client::api::{ChangeFlow, DecideFlow, Flow, RerunFlow, RotateFlowSecret, StartFlow};
use bailee_client::model::FlowId;
use bailee_client::{Client, FlowRunQuery};

use super::{id, view};
use crate::Failure;
use crate::args::{
    DecideArgs, FlowApplyArgs, FlowCommand, FlowRunArgs, FlowRunsArgs, FlowSecretArgs,
};
use crate::session::{Session, read_text};

/// Longest list of flows that is shown.
const ROWS_MAX: usize = 10_000;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: FlowCommand,
) -> Result<(), Failure> {
    let (flows, runs) = (client.flows(), client.flow_runs());
    let output = &session.output;
    match command {
        FlowCommand::Apply(args) => apply(session, client, args).await,
        FlowCommand::List => output.list(&flows.list().take(ROWS_MAX).await?, view::FLOW),
        FlowCommand::Show(args) => output.one(&named(client, &args.flow).await?, view::FLOW_WHOLE),
        FlowCommand::Versions(args) => {
            let flow = named(client, &args.flow).await?;
            let versions = flows.versions(flow.flow_id).take(ROWS_MAX).await?;
            output.list(&versions, view::FLOW_VERSION)
        }
        FlowCommand::Watches(args) => {
            let flow = named(client, &args.flow).await?;
            let watches = flows.watches(flow.flow_id).await?;
            output.list(&watches, view::FLOW_WATCH)
        }
        FlowCommand::RotateSecret(args) => rotate_secret(session, client, args).await,
        FlowCommand::Enable(args) => switch(session, client, (&args.flow, Some(true))).await,
        FlowCommand::Disable(args) => switch(session, client, (&args.flow, Some(false))).await,
        FlowCommand::Rm(args) => {
            let flow = named(client, &args.flow).await?;
            session.confirm(&format!("remove the flow {}?", flow.name))?;
            flows.delete(flow.flow_id).await?;
            session.say(&format!("removed {}", flow.name));
            Ok(())
        }
        FlowCommand::Run(args) => start(session, client, args).await,
        FlowCommand::Runs(args) => list_runs(session, client, args).await,
        FlowCommand::Status(args) => {
            output.one(&runs.get(id(&args.run_id)?).await?, view::RUN_WHOLE)
        }
        FlowCommand::Log(args) => {
            let log = runs.journal(id(&args.run_id)?).take(ROWS_MAX).await?;
            output.list(&log, view::RUN_LOG)
        }
        FlowCommand::Cancel(args) => output.one(&runs.cancel(id(&args.run_id)?).await?, view::RUN),
        FlowCommand::Rerun(args) => {
            let how = RerunFlow {
                from_failed: args.from_failed,
                newest: args.newest,
            };
            output.one(&runs.rerun(id(&args.run_id)?, &how).await?, view::RUN)
        }
        FlowCommand::Approve(args) => {
            let run = runs.approve(id(&args.run_id)?, &decision(&args)).await?;
            output.one(&run, view::RUN)
        }
        FlowCommand::Reject(args) => {
            let run = runs.reject(id(&args.run_id)?, &decision(&args)).await?;
            output.one(&run, view::RUN)
        }
    }
}

/// The flow of an id or a name.
async fn named(client: &Client, text: &str) -> Result<Flow, Failure> {
    if let Ok(flow) = text.parse::<FlowId>() {
        return Ok(client.flows().get(flow).await?);
    }
    let all = client.flows().list().take(ROWS_MAX).await?;
    let found = all.into_iter().find(|flow| flow.name == text);
    found.ok_or_else(|| {
        Failure::usage(
            format!("there is no flow `{text}`"),
            "`bailee flow list` shows them.".to_owned(),
        )
    })
}

async fn apply(session: &Session, client: &Client, args: FlowApplyArgs) -> Result<(), Failure> {
    let document = read_text(&args.document)?;
    let flows = client.flows();
    let flow = match flows.create_yaml(&document).await {
        Err(error) if error.code() == "name_taken" => {
            let all = flows.list().take(ROWS_MAX).await?;
            let name = name_in(&document);
            match all
                .into_iter()
                .find(|flow| Some(flow.name.as_str()) == name.as_deref())
            {
                Some(known) => flows.replace_yaml(known.flow_id, &document, None).await?,
                None => return Err(error.into()),
            }
        }
        other => other?,
    };
    session.say(&format!("version {} of {}", flow.version, flow.name));
    session.output.one(&flow, view::FLOW)
}

/// The name in a document, whichever of its two forms it has.
fn name_in(document: &str) -> Option<String> {
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(document) {
        return json.get("name")?.as_str().map(str::to_owned);
    }
    let line = document
        .lines()
        .find_map(|line| line.strip_prefix("name:"))?;
    let name = line.split('#').next().unwrap_or_default().trim();
    Some(name.trim_matches(['"', '\'']).to_owned())
}

async fn switch(
    session: &Session,
    client: &Client,
    (flow, enabled): (&str, Option<bool>),
) -> Result<(), Failure> {
    let flow = named(client, flow).await?;
    let change = ChangeFlow { enabled };
    let flow = client.flows().change(flow.flow_id, &change).await?;
    session.output.one(&flow, view::FLOW)
}

async fn rotate_secret(
    session: &Session,
    client: &Client,
    args: FlowSecretArgs,
) -> Result<(), Failure> {
    let flow = named(client, &args.flow).await?;
    let rotate = RotateFlowSecret {
        grace_seconds: args.grace_seconds,
    };
    let secret = client.flows().rotate_secret(flow.flow_id, &rotate).await?;
    session.say("the secret is shown this once");
    session.output.one(&secret, view::FLOW_SECRET)
}

async fn start(session: &Session, client: &Client, args: FlowRunArgs) -> Result<(), Failure> {
    let flow = named(client, &args.flow).await?;
    let start = StartFlow {
        params: args.params.into_iter().collect(),
        files: args.files,
    };
    let run = client.flows().run(flow.flow_id, &start).await?;
    session.output.one(&run, view::RUN)
}

async fn list_runs(session: &Session, client: &Client, args: FlowRunsArgs) -> Result<(), Failure> {
    let flow_id = match &args.flow {
        Some(flow) => Some(named(client, flow).await?.flow_id),
        None => None,
    };
    let query = FlowRunQuery {
        flow_id,
        state: args.state,
    };
    let runs = client.flow_runs().list(&query).take(args.limit).await?;
    session.output.list(&runs, view::RUN)
}

fn decision(args: &DecideArgs) -> DecideFlow {
    DecideFlow {
        step: args.step.clone(),
        note: args.note.clone(),
    }
}
