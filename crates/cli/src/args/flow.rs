use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::pair;

/// `bailee flow …`
#[derive(Debug, Subcommand)]
pub enum FlowCommand {
    /// Make a flow of a document, or give the flow of its name this document
    Apply(FlowApplyArgs),
    /// List flows
    List,
    /// Show a flow, with its document
    Show(FlowArgs),
    /// List the documents that a flow had, newest first
    Versions(FlowArgs),
    /// Show what a flow's watches found at remotes
    Watches(FlowArgs),
    /// Make a new secret for calls of a flow without a key
    RotateSecret(FlowSecretArgs),
    /// Have triggers start a flow
    Enable(FlowArgs),
    /// Have no trigger start a flow
    Disable(FlowArgs),
    /// Remove a flow none of whose runs is open
    Rm(FlowArgs),
    /// Start a flow
    Run(FlowRunArgs),
    /// List runs, newest first
    Runs(FlowRunsArgs),
    /// Show a run with its steps
    Status(RunArgs),
    /// Show the log of a run, newest first
    Log(RunArgs),
    /// End a run
    Cancel(RunArgs),
    /// Run an ended run again
    Rerun(RerunArgs),
    /// Say yes to what a run asks
    Approve(DecideArgs),
    /// Say no to what a run asks
    Reject(DecideArgs),
}

/// Arguments of `flow apply`.
#[derive(Debug, Args)]
pub struct FlowApplyArgs {
    /// The document, YAML or JSON; - reads it from stdin
    #[arg(value_name = "FILE")]
    pub document: PathBuf,
}

/// One flow.
#[derive(Debug, Args)]
pub struct FlowArgs {
    /// flw_…, or the flow's name
    #[arg(value_name = "FLOW")]
    pub flow: String,
}

/// Arguments of `flow rotate-secret`.
#[derive(Debug, Args)]
pub struct FlowSecretArgs {
    /// flw_…, or the flow's name
    #[arg(value_name = "FLOW")]
    pub flow: String,
    /// How long the old secret still counts; a day unless given
    #[arg(long, value_name = "SECONDS")]
    pub grace_seconds: Option<u64>,
}

/// Arguments of `flow run`.
#[derive(Debug, Args)]
pub struct FlowRunArgs {
    /// flw_…, or the flow's name
    #[arg(value_name = "FLOW")]
    pub flow: String,
    /// Files in Bailee to begin with: paths, or fil_…
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// Value of a parameter; may be repeated
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = pair)]
    pub params: Vec<(String, String)>,
}

/// Arguments of `flow runs`.
#[derive(Debug, Args)]
pub struct FlowRunsArgs {
    /// Only those of this flow: flw_…, or its name
    #[arg(value_name = "FLOW")]
    pub flow: Option<String>,
    /// queued, running, waiting, completed, failed or cancelled
    #[arg(long)]
    pub state: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
}

/// One run.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// run_…
    pub run_id: String,
}

/// Arguments of `flow rerun`.
#[derive(Debug, Args)]
pub struct RerunArgs {
    /// run_…
    pub run_id: String,
    /// Only from the first step that did not end well
    #[arg(long)]
    pub from_failed: bool,
    /// By the flow's newest document, in which the failed step may have been mended
    #[arg(long, requires = "from_failed")]
    pub newest: bool,
}

/// Arguments of `flow approve` and `flow reject`.
#[derive(Debug, Args)]
pub struct DecideArgs {
    /// run_…
    pub run_id: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Which step, by its key, if several wait
    #[arg(long, value_name = "KEY")]
    pub step: Option<String>,
}
