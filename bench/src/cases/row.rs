//! The rows of the report and their aims.

use super::Case;
use crate::servers::Kind;

/// What Bailee is held against.
#[derive(Clone, Copy, Debug)]
pub enum Aim {
    /// At least this multiple of another server's figure in the same run.
    LeastOf(Kind, f64),
    /// At most this multiple of it.
    MostOf(Kind, f64),
    /// At most this, whatever the others do.
    Most(f64),
}

/// One line of the report.
#[derive(Debug)]
pub struct Row {
    /// Its name in the JSON.
    pub id: &'static str,
    /// The case that fills it.
    pub case: Case,
    /// What it says.
    pub title: &'static str,
    /// What its numbers count.
    pub unit: &'static str,
    /// All of them are to be met.
    pub aims: &'static [Aim],
}

const fn row(
    id: &'static str,
    case: Case,
    title: &'static str,
    unit: &'static str,
    aims: &'static [Aim],
) -> Row {
    Row {
        id,
        case,
        title,
        unit,
        aims,
    }
}

use Aim::{LeastOf, Most, MostOf};
use Kind::{Floor, Nginx};

/// Every row, in the order of the report.
pub static ROWS: [Row; 24] = [
    row(
        "put_1g",
        Case::PutLarge,
        "PUT 1 GiB, one stream, sync included",
        "MiB/s",
        &[LeastOf(Floor, 0.85)],
    ),
    row(
        "put_1g_cpu",
        Case::PutLarge,
        "… server CPU",
        "s/GiB",
        &[MostOf(Floor, 1.25)],
    ),
    row(
        "get_1g",
        Case::GetLarge,
        "GET 1 GiB, one stream",
        "MiB/s",
        &[LeastOf(Floor, 0.8), LeastOf(Nginx, 1.5)],
    ),
    row("get_1g_cpu", Case::GetLarge, "… server CPU", "s/GiB", &[]),
    row(
        "many_64",
        Case::PutMany,
        "64 × 64 MiB at once",
        "MiB/s",
        &[LeastOf(Floor, 0.85)],
    ),
    row(
        "many_64_peak",
        Case::PutMany,
        "… peak memory",
        "MiB",
        &[Most(128.0)],
    ),
    row(
        "put_4k_32",
        Case::PutSmall,
        "PUT 4 KiB, 32 connections",
        "/s",
        &[LeastOf(Floor, 0.5)],
    ),
    row("put_4k_32_p50", Case::PutSmall, "… p50", "ms", &[]),
    row(
        "put_4k_32_p99",
        Case::PutSmall,
        "… p99",
        "ms",
        &[Most(100.0)],
    ),
    row(
        "put_4k_32_cpu",
        Case::PutSmall,
        "… server CPU",
        "µs/request",
        &[],
    ),
    row(
        "put_4k_1",
        Case::PutSmallAlone,
        "PUT 4 KiB, one connection",
        "/s",
        &[LeastOf(Floor, 0.5)],
    ),
    row("put_4k_1_p99", Case::PutSmallAlone, "… p99", "ms", &[]),
    row(
        "get_4k_32",
        Case::GetSmall,
        "GET 4 KiB, 32 connections",
        "/s",
        &[LeastOf(Nginx, 0.6)],
    ),
    row("get_4k_32_p99", Case::GetSmall, "… p99", "ms", &[]),
    row(
        "get_4k_32_cpu",
        Case::GetSmall,
        "… server CPU",
        "µs/request",
        &[],
    ),
    row(
        "new_tls",
        Case::NewConnections,
        "new TLS connection and GET 1 KiB, 8 at once",
        "/s",
        &[LeastOf(Nginx, 0.85)],
    ),
    row("new_tls_p99", Case::NewConnections, "… p99", "ms", &[]),
    row("idle", Case::Idle, "memory when idle", "MiB", &[Most(30.0)]),
    row(
        "complete",
        Case::Complete,
        "completing a 10 GiB session of 8 MiB parts",
        "ms",
        &[Most(100.0)],
    ),
    row(
        "complete_read",
        Case::Complete,
        "… read again meanwhile",
        "MiB",
        &[Most(1.0)],
    ),
    row(
        "many_files_put",
        Case::ManyFiles,
        "many files: PUT 16 B, 32 connections",
        "/s",
        &[],
    ),
    row(
        "many_files_list",
        Case::ManyFiles,
        "… a page of a list, p95",
        "ms",
        &[Most(100.0)],
    ),
    row(
        "many_files_start",
        Case::ManyFiles,
        "… start",
        "ms",
        &[Most(3000.0)],
    ),
    row(
        "many_files_memory",
        Case::ManyFiles,
        "… memory after the lists",
        "MiB",
        &[Most(300.0)],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_and_begin_with_the_name_of_their_case() {
        let ids: HashSet<&str> = ROWS.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), ROWS.len());
        for row in &ROWS {
            assert!(row.id.starts_with(&row.case.name()), "{}", row.id);
        }
    }
}
