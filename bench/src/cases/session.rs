//! Cases that speak the API or look at a server of their own.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::load::Values;
use super::{Case, MIB, Scale};
use crate::load::client::{Body, Client, Request};
use crate::load::payload::Payload;
use crate::load::{self, Action, Plan};
use crate::numbers::percentile_ms;
use crate::process::pause;
use crate::servers::{Kind, Programs, Server};

const PART_BYTES: u64 = 8 * MIB;
/// A server that has just started may still be about to give memory back.
const IDLE_WAIT: Duration = Duration::from_secs(2);
/// Pages that are fetched of each list.
const PAGES: usize = 200;
const PAGE_ENTRIES: usize = 100;
/// Size of each of many files.
const TINY_BYTES: u64 = 16;

/// Memory of a fresh server that nobody has asked for anything.
pub fn idle(kind: Kind, programs: &Programs, folder: &Path) -> Result<Values> {
    let server = Server::start(kind, programs, folder)?;
    pause(IDLE_WAIT);
    let resident = server.family().resident_mib();
    server.stop();
    Ok(vec![("idle", resident)])
}

/// A part session whose parts come in order: only its end is timed.
pub fn complete(scale: &Scale, server: &Server) -> Result<Values> {
    let size_bytes = scale.session_bytes();
    let mut client = Client::connect(&server.target)?;
    let opened = client.exchange(Request {
        method: "POST",
        target: "/v1/uploads",
        body: Body::Json(
            json!({"destination": "/bench", "filename": "session.bin", "size": size_bytes, "part_size": PART_BYTES, "overwrite": true})
                .to_string(),
        ),
    })?;
    let opened = opened.json().context("POST /uploads")?;
    let session = opened
        .get("session_id")
        .and_then(Value::as_str)
        .context("no session_id")?;
    let mut payload = Payload::new();
    for part in 0..size_bytes / PART_BYTES {
        let answer = client.exchange(Request {
            method: "PUT",
            target: &format!("/v1/uploads/{session}/parts/{part}"),
            body: Body::Generated(&mut payload, PART_BYTES),
        })?;
        answer
            .expect_success()
            .with_context(|| format!("part {part}"))?;
    }
    let family = server.family();
    let read_before = family.read_mib();
    let begun = Instant::now();
    let answer = client.exchange(Request {
        method: "POST",
        target: &format!("/v1/uploads/{session}/complete"),
        body: Body::Json("{}".to_owned()),
    })?;
    let elapsed = begun.elapsed();
    let file = answer.json().context("complete")?;
    anyhow::ensure!(
        file.get("size").and_then(Value::as_u64) == Some(size_bytes),
        "the file has not the size of its parts"
    );
    Ok(vec![
        ("complete", elapsed.as_secs_f64() * 1000.0),
        ("complete_read", family.read_mib() - read_before),
    ])
}

/// Fills a server of its own with many files in one folder, starts it again and lists them.
pub fn many_files(scale: &Scale, programs: &Programs, folder: &Path) -> Result<Values> {
    let server = Server::start(Kind::Bailee, programs, folder)?;
    let plan = Plan {
        action: Action::Put,
        size_bytes: TINY_BYTES,
        count: scale.files,
        connections: 32,
        prefix: Case::ManyFiles.name(),
        names: scale.files,
    };
    // A run is cut after a time; as many runs as it takes.
    let mut done = 0;
    let mut elapsed = Duration::ZERO;
    while done < scale.files {
        let rest = Plan {
            count: scale.files - done,
            prefix: format!("{}-{done}", plan.prefix),
            ..plan.clone()
        };
        let outcome = load::run(&server.target, &rest)?;
        done += outcome.done;
        elapsed += outcome.elapsed;
    }
    server.stop();
    let server = Server::start(Kind::Bailee, programs, folder)?;
    let mut pages = Vec::new();
    for list in ["/v1/files?", "/v1/folders/children?path=/bench&"] {
        walk(&server, list, &mut pages)?;
    }
    let values = vec![
        ("many_files_put", done as f64 / elapsed.as_secs_f64()),
        ("many_files_list", percentile_ms(&mut pages, 95)),
        ("many_files_start", server.start_time.as_secs_f64() * 1000.0),
        ("many_files_memory", server.family().resident_mib()),
    ];
    server.stop();
    Ok(values)
}

/// Follows a list page by page and notes how long each took.
fn walk(server: &Server, list: &str, pages: &mut Vec<Duration>) -> Result<()> {
    let mut client = Client::connect(&server.target)?;
    let mut cursor = String::new();
    for _ in 0..PAGES {
        let begun = Instant::now();
        let answer = client.exchange(Request {
            method: "GET",
            target: &format!("{list}limit={PAGE_ENTRIES}{cursor}"),
            body: Body::Empty,
        })?;
        pages.push(begun.elapsed());
        let page = answer.json().with_context(|| list.to_owned())?;
        match page.get("next_cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    Ok(())
}
