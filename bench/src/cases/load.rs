//! Cases that are made of requests.

use anyhow::{Context, Result};

use super::{Case, GIB, Scale};
use crate::load::{self, Action};
use crate::numbers::percentile_ms;
use crate::servers::Server;

/// Values for rows, by the rows' names.
pub type Values = Vec<(&'static str, f64)>;

/// Puts the files in place that a case reads.
pub fn prepare(case: Case, scale: &Scale, server: &Server) -> Result<()> {
    match case.plan(scale) {
        Some(plan) if plan.action != Action::Put => load::prepare(&server.target, &plan),
        _ => Ok(()),
    }
}

/// One run of a case.
pub fn measure(case: Case, scale: &Scale, server: &Server, run: u32) -> Result<Values> {
    let mut plan = case.plan(scale).context("not a case of requests")?;
    if plan.action == Action::Put {
        plan.prefix = format!("{}-{run}", plan.prefix);
    }
    let family = server.family();
    family.forget_peak()?;
    let cpu_before = family.cpu_seconds();
    let mut outcome = load::run(&server.target, &plan)?;
    let cpu_seconds = family.cpu_seconds() - cpu_before;
    let mib_per_second = outcome.mib_per_second(plan.size_bytes);
    let per_second = outcome.per_second();
    let cpu_per_gib = cpu_seconds * GIB as f64 / (outcome.done * plan.size_bytes) as f64;
    let cpu_us = cpu_seconds * 1e6 / outcome.done as f64;
    let p50 = percentile_ms(&mut outcome.latencies, 50);
    let p99 = percentile_ms(&mut outcome.latencies, 99);
    Ok(match case {
        Case::PutLarge => vec![("put_1g", mib_per_second), ("put_1g_cpu", cpu_per_gib)],
        Case::GetLarge => vec![("get_1g", mib_per_second), ("get_1g_cpu", cpu_per_gib)],
        Case::PutMany => vec![
            ("many_64", mib_per_second),
            ("many_64_peak", family.peak_mib()),
        ],
        Case::PutSmall => vec![
            ("put_4k_32", per_second),
            ("put_4k_32_p50", p50),
            ("put_4k_32_p99", p99),
            ("put_4k_32_cpu", cpu_us),
        ],
        Case::PutSmallAlone => vec![("put_4k_1", per_second), ("put_4k_1_p99", p99)],
        Case::GetSmall => vec![
            ("get_4k_32", per_second),
            ("get_4k_32_p99", p99),
            ("get_4k_32_cpu", cpu_us),
        ],
        Case::NewConnections => vec![("new_tls", per_second), ("new_tls_p99", p99)],
        Case::SyncRate | Case::Idle | Case::Complete | Case::ManyFiles => Vec::new(),
    })
}
