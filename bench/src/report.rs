//! What was measured, as a Markdown table for people and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

use crate::cases::{Aim, ROWS, Row, Scale};
use crate::numbers::{median, short};
use crate::rates::Rates;
use crate::servers::Kind;

/// From this share of the machine on, somebody else's work has spoilt a run. Below it, it is mostly the kernel writing pages back.
const FOREIGN_PERCENT_MAX: f64 = 10.0;

/// The columns.
const KINDS: [Kind; 3] = [Kind::Floor, Kind::Bailee, Kind::Nginx];

/// Everything that one run of the program has found out.
#[derive(Debug)]
pub struct Report {
    /// A date, or what the caller named it.
    pub label: String,
    /// How much of everything was done.
    pub scale: Scale,
    /// The machine by itself.
    pub rates: Rates,
    /// The values of each run.
    pub samples: BTreeMap<(&'static str, Kind), Vec<f64>>,
    /// What did not work: case, server, reason.
    pub failures: Vec<(String, Kind, String)>,
    /// The largest share of all cores that neither a server nor this program used while one was measured.
    pub foreign_percent: f64,
}

#[derive(Serialize)]
struct Line<'r> {
    row: &'r str,
    case: String,
    unit: &'r str,
    server: Kind,
    median: f64,
    runs: &'r [f64],
}

#[derive(Serialize)]
struct Failure<'r> {
    case: &'r str,
    server: Kind,
    reason: &'r str,
}

#[derive(Serialize)]
struct Document<'r> {
    label: &'r str,
    machine: String,
    quick: bool,
    many_files: u64,
    foreign_percent: f64,
    rates: Rates,
    lines: Vec<Line<'r>>,
    failures: Vec<Failure<'r>>,
}

impl Report {
    /// Writes `LABEL.md` and `LABEL.json` into `folder` and returns the first.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let page = folder.join(format!("{}.md", self.label));
        std::fs::write(&page, self.markdown())?;
        let data = folder.join(format!("{}.json", self.label));
        std::fs::write(data, serde_json::to_vec_pretty(&self.document())?)?;
        Ok(page)
    }

    /// The page.
    pub fn markdown(&self) -> String {
        let mut page = format!("# Measured {}\n\n{}\n\n", self.label, machine());
        if self.scale.is_quick {
            page.push_str("A quick run: smaller sizes, each case once. Good to see that all works, not to be quoted.\n\n");
        }
        let rates = &self.rates;
        let _ = writeln!(
            page,
            "One thread alone: {} fdatasync/s of 4 KiB · SHA-256 {} MiB/s · AES-256-GCM {} MiB/s · copy {} MiB/s.",
            short(rates.syncs),
            short(rates.sha256_mib),
            short(rates.aes_gcm_mib),
            short(rates.copy_mib)
        );
        let _ = writeln!(
            page,
            "Medians of {} runs [least–most]; many files: {}. At worst, others used {:.0} % of the machine{}.\n",
            self.scale.runs,
            self.scale.files,
            self.foreign_percent,
            if self.foreign_percent > FOREIGN_PERCENT_MAX {
                ": do not trust these figures"
            } else {
                ""
            }
        );
        page.push_str("| case | unit | floor | Bailee | nginx (not durable) | ÷ floor | ÷ nginx | aim | met |\n|---|---|---|---|---|---|---|---|---|\n");
        for row in &ROWS {
            if KINDS
                .into_iter()
                .any(|kind| self.median(row, kind).is_some())
            {
                self.line(&mut page, row);
            }
        }
        for (case, kind, reason) in &self.failures {
            let reason = reason.replace('\n', " ");
            let _ = write!(page, "\n**Failed:** {case} on {}: {reason}\n", kind.title());
        }
        page
    }

    fn line(&self, page: &mut String, row: &Row) {
        let _ = write!(page, "| {} | {} |", row.title, row.unit);
        for kind in KINDS {
            let _ = write!(page, " {} |", self.cell(row, kind));
        }
        for peer in [Kind::Floor, Kind::Nginx] {
            let ratio = self.ratio(row, peer);
            let _ = write!(page, " {} |", ratio.map_or("–".to_owned(), short));
        }
        let aims: Vec<String> = row.aims.iter().map(|aim| aim_text(*aim)).collect();
        let _ = writeln!(page, " {} | {} |", aims.join(", "), self.verdict(row));
    }

    fn cell(&self, row: &Row, kind: Kind) -> String {
        let runs = self.samples.get(&(row.id, kind));
        let Some((runs, middle)) = runs.and_then(|runs| Some((runs, median(runs)?))) else {
            return "–".to_owned();
        };
        if runs.len() == 1 {
            return short(middle);
        }
        let least = runs.iter().copied().fold(f64::INFINITY, f64::min);
        let most = runs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        format!("{} [{}–{}]", short(middle), short(least), short(most))
    }

    /// Whether all aims of a row are met; an aim whose peer was not there leaves it open.
    fn verdict(&self, row: &Row) -> &'static str {
        let Some(own) = self.median(row, Kind::Bailee) else {
            return "–";
        };
        let met = row.aims.iter().map(|aim| match *aim {
            Aim::Most(most) => Some(own <= most),
            Aim::LeastOf(peer, share) => self.ratio(row, peer).map(|ratio| ratio >= share),
            Aim::MostOf(peer, share) => self.ratio(row, peer).map(|ratio| ratio <= share),
        });
        let met: Vec<Option<bool>> = met.collect();
        if met.contains(&Some(false)) {
            "**no**"
        } else if met.contains(&None) {
            "open"
        } else if met.is_empty() {
            "–"
        } else {
            "yes"
        }
    }

    fn ratio(&self, row: &Row, peer: Kind) -> Option<f64> {
        let peer = self.median(row, peer).filter(|value| *value > 0.0)?;
        Some(self.median(row, Kind::Bailee)? / peer)
    }

    fn median(&self, row: &Row, kind: Kind) -> Option<f64> {
        median(self.samples.get(&(row.id, kind))?)
    }

    fn document(&self) -> Document<'_> {
        let lines = ROWS.iter().flat_map(|row| {
            KINDS.into_iter().filter_map(|server| {
                let runs = self.samples.get(&(row.id, server))?;
                Some(Line {
                    row: row.id,
                    case: row.case.name(),
                    unit: row.unit,
                    server,
                    median: median(runs)?,
                    runs,
                })
            })
        });
        let failures = self.failures.iter().map(|(case, server, reason)| Failure {
            case,
            server: *server,
            reason,
        });
        Document {
            label: &self.label,
            machine: machine(),
            quick: self.scale.is_quick,
            many_files: self.scale.files,
            foreign_percent: self.foreign_percent,
            rates: self.rates,
            lines: lines.collect(),
            failures: failures.collect(),
        }
    }
}

fn aim_text(aim: Aim) -> String {
    match aim {
        Aim::Most(most) => format!("≤ {most}"),
        Aim::LeastOf(peer, share) => format!("≥ {share} × {}", plain(peer)),
        Aim::MostOf(peer, share) => format!("≤ {share} × {}", plain(peer)),
    }
}

fn plain(kind: Kind) -> &'static str {
    match kind {
        Kind::Nginx => "nginx",
        other => other.title(),
    }
}

/// The processor, its cores and the kernel.
fn machine() -> String {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{model}, {cores} cores shared by server and client, Linux {}, TLS 1.3 on the loopback.",
        kernel.trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(own: f64) -> Report {
        let mut samples = BTreeMap::new();
        samples.insert(("put_1g", Kind::Floor), vec![100.0]);
        samples.insert(("put_1g", Kind::Bailee), vec![own, own + 1.0, own - 1.0]);
        samples.insert(("get_1g", Kind::Floor), vec![100.0]);
        samples.insert(("get_1g", Kind::Bailee), vec![own]);
        Report {
            label: "x".to_owned(),
            scale: Scale {
                is_quick: true,
                runs: 1,
                files: 1,
            },
            rates: Rates {
                syncs: 1.0,
                sha256_mib: 1.0,
                aes_gcm_mib: 1.0,
                copy_mib: 1.0,
            },
            samples,
            failures: Vec::new(),
            foreign_percent: 0.0,
        }
    }

    #[test]
    fn a_ratio_decides_and_a_missing_peer_leaves_it_open() {
        let page = report(90.0).markdown();
        assert!(
            page.contains("| 100 | 90.0 [89.0–91.0] | – | 0.90 | – | ≥ 0.85 × floor | yes |"),
            "{page}"
        );
        assert!(
            page.contains("≥ 0.8 × floor, ≥ 1.5 × nginx | open |"),
            "{page}"
        );
        assert!(
            report(80.0)
                .markdown()
                .contains("≥ 0.85 × floor | **no** |")
        );
    }
}
