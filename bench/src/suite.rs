//! One run of everything: every case, each server in turn, one at a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::ValueEnum as _;

use crate::cases::{self, Case, Scale};
use crate::process::{machine_cpu_seconds, own_cpu_seconds};
use crate::rates::Rates;
use crate::report::Report;
use crate::servers::{Kind, Programs, Server};

/// The kernel counts CPU time in hundredths of a second; in a shorter run they say too little about others.
const FOREIGN_SECONDS_MIN: f64 = 0.5;

/// What is to be measured.
pub struct Suite {
    /// How much of everything.
    pub scale: Scale,
    /// Which cases; none means all.
    pub cases: Vec<Case>,
    /// Which servers.
    pub kinds: Vec<Kind>,
    /// Where they are.
    pub programs: Programs,
    /// What the report is called.
    pub label: String,
}

impl Suite {
    /// Measures; all data goes below `folder`.
    pub fn run(self, folder: &Path) -> Result<Report> {
        eprintln!("raw rates");
        let rates = Rates::measure(folder, self.scale.rate_time())?;
        let mut run = Run {
            report: Report {
                label: self.label.clone(),
                scale: self.scale,
                rates,
                samples: BTreeMap::new(),
                failures: Vec::new(),
                foreign_percent: 0.0,
            },
            suite: &self,
            folder,
            servers: Vec::new(),
        };
        for case in Case::value_variants() {
            if self.cases.is_empty() || self.cases.contains(case) {
                run.case(*case);
            }
        }
        Ok(run.report)
    }
}

struct Run<'s> {
    suite: &'s Suite,
    folder: &'s Path,
    report: Report,
    /// Those that have been needed so far; they go on until the end.
    servers: Vec<Server>,
}

impl Run<'_> {
    fn case(&mut self, case: Case) {
        let kinds = self.suite.kinds.iter().copied();
        let mut kinds: Vec<Kind> = kinds.filter(|kind| case.concerns(*kind)).collect();
        for run in 0..case.runs(&self.suite.scale) {
            let mut failed = Vec::new();
            for kind in &kinds {
                eprintln!(
                    "{} {}/{} {}",
                    case.name(),
                    run + 1,
                    case.runs(&self.suite.scale),
                    kind.title()
                );
                if let Err(error) = self.one(case, *kind, run) {
                    eprintln!("  failed: {error:#}");
                    self.report
                        .failures
                        .push((case.name(), *kind, format!("{error:#}")));
                    failed.push(*kind);
                }
            }
            kinds.retain(|kind| !failed.contains(kind));
            // Nobody is always the first after the pause, or the one after the same neighbour.
            kinds.reverse();
        }
    }

    fn one(&mut self, case: Case, kind: Kind, run: u32) -> Result<()> {
        let scale = self.suite.scale;
        let programs = &self.suite.programs;
        let values = match case {
            Case::Idle | Case::ManyFiles => {
                let place = self.place(case, kind, run);
                let values = match case {
                    Case::Idle => cases::idle(kind, programs, &place),
                    _ => cases::many_files(&scale, programs, &place),
                };
                std::fs::remove_dir_all(&place)?;
                values?
            }
            Case::Complete => cases::complete(&scale, self.server(kind)?)?,
            Case::SyncRate => return Ok(()),
            _ => {
                let folder = self.folder;
                let server = self.server(kind)?;
                if run == 0 {
                    cases::prepare(case, &scale, server).context("cannot prepare")?;
                }
                cases::settle(folder)?;
                if case.is_write(&scale) {
                    cases::forget(folder)?;
                }
                let family = server.family();
                let ours = || family.cpu_seconds() + own_cpu_seconds();
                let (machine_before, ours_before, begun) =
                    (machine_cpu_seconds(), ours(), Instant::now());
                let values = cases::measure(case, &scale, server, run)?;
                let foreign = (machine_cpu_seconds() - machine_before) - (ours() - ours_before);
                let seconds = begun.elapsed().as_secs_f64();
                if seconds >= FOREIGN_SECONDS_MIN {
                    self.note_foreign(foreign / seconds);
                }
                values
            }
        };
        for (row, value) in values {
            self.report
                .samples
                .entry((row, kind))
                .or_default()
                .push(value);
        }
        Ok(())
    }

    fn note_foreign(&mut self, cores: f64) {
        let all = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let percent = 100.0 * cores / all;
        self.report.foreign_percent = self.report.foreign_percent.max(percent);
    }

    /// The long-lived server of a kind, started when first needed.
    fn server(&mut self, kind: Kind) -> Result<&Server> {
        let known = self.servers.iter().position(|server| server.kind == kind);
        let place = if let Some(place) = known {
            place
        } else {
            let folder = self.folder.join(format!("{kind:?}"));
            let server = Server::start(kind, &self.suite.programs, &folder)?;
            self.servers.push(server);
            self.servers.len() - 1
        };
        self.servers.get(place).context("no such server")
    }

    fn place(&self, case: Case, kind: Kind, run: u32) -> PathBuf {
        self.folder.join(format!("{}-{kind:?}-{run}", case.name()))
    }
}
