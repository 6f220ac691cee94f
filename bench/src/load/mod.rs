//! The load generator: a thread a connection, the same for every server.

pub mod client;
pub mod payload;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use client::{Body, Client, Request};
use payload::Payload;

/// A run that takes longer is cut: its rate is that of the time it had.
const RUN_TIME_MAX: Duration = Duration::from_mins(2);
const STACK_BYTES: usize = 512 * 1024;

/// A server as the load generator sees it.
#[derive(Clone)]
pub struct Target {
    /// Where it listens; always the loopback.
    pub address: SocketAddr,
    /// Its certificate's authority.
    pub tls: Arc<rustls::ClientConfig>,
    /// A bearer credential, where one is needed.
    pub api_key: Option<String>,
    /// How it names a file.
    pub naming: Naming,
}

/// How a server names a file in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `/bench/NAME`.
    Path,
    /// Bailee's bytes at a path.
    Content,
}

impl Naming {
    fn write(self, name: &str) -> String {
        match self {
            Self::Path => format!("/bench/{name}"),
            Self::Content => format!("/v1/files/content?path=/bench/{name}"),
        }
    }

    fn read(self, name: &str) -> String {
        match self {
            Self::Path => format!("/bench/{name}"),
            Self::Content => format!("/v1/files/content?path=/bench/{name}"),
        }
    }
}

/// What every request of a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends a file.
    Put,
    /// Fetches one.
    Get,
    /// Connects anew and fetches one.
    ConnectAndGet,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What each request does.
    pub action: Action,
    /// Bytes of a file.
    pub size_bytes: u64,
    /// Requests in all.
    pub count: u64,
    /// Connections at once.
    pub connections: usize,
    /// Names are `PREFIX-0`, `PREFIX-1`, …
    pub prefix: String,
    /// How many names there are; requests take them in turn.
    pub names: u64,
}

/// What a run gave.
#[derive(Debug)]
pub struct Outcome {
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Requests that were answered well.
    pub done: u64,
    /// The time that each request took.
    pub latencies: Vec<Duration>,
}

impl Outcome {
    /// Requests each second.
    pub fn per_second(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64()
    }

    /// Content bytes each second, MiB.
    pub fn mib_per_second(&self, size_bytes: u64) -> f64 {
        self.per_second() * size_bytes as f64 / (1024.0 * 1024.0)
    }
}

struct Shared {
    next: AtomicU64,
    stop: AtomicBool,
    start: Barrier,
}

/// Runs a plan. The first refusal or wrong length ends the run as an error: a rate of failures is no rate.
pub fn run(target: &Target, plan: &Plan) -> Result<Outcome> {
    let shared = Shared {
        next: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        start: Barrier::new(plan.connections + 1),
    };
    std::thread::scope(|scope| {
        let mut threads = Vec::with_capacity(plan.connections);
        for _ in 0..plan.connections {
            let thread = std::thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, || worker(target, plan, &shared));
            match thread {
                Ok(thread) => threads.push(thread),
                // Those that started would wait for ever for those that did not.
                Err(_) => std::process::abort(),
            }
        }
        shared.start.wait();
        let mut spans = Vec::with_capacity(plan.connections);
        let mut failure = None;
        for thread in threads {
            match thread.join() {
                Ok(Ok(span)) => spans.push(span),
                Ok(Err(error)) => failure = failure.or(Some(error)),
                Err(_) => failure = failure.or_else(|| Some(anyhow!("a client thread panicked"))),
            }
        }
        failure.map_or_else(|| sum(spans), Err)
    })
}

/// What one connection did. It notes its own times: this thread may get the processor long after the others have begun.
struct Span {
    begun: Instant,
    ended: Instant,
    latencies: Vec<Duration>,
}

fn sum(spans: Vec<Span>) -> Result<Outcome> {
    let begun = spans.iter().map(|span| span.begun).min();
    let ended = spans.iter().map(|span| span.ended).max();
    let latencies: Vec<Duration> = spans.into_iter().flat_map(|span| span.latencies).collect();
    let (Some(begun), Some(ended), false) = (begun, ended, latencies.is_empty()) else {
        bail!("no request was made");
    };
    Ok(Outcome {
        elapsed: ended - begun,
        done: latencies.len() as u64,
        latencies,
    })
}

fn worker(target: &Target, plan: &Plan, shared: &Shared) -> Result<Span> {
    let mut payload = (plan.action == Action::Put).then(Payload::new);
    let connected = if plan.action == Action::ConnectAndGet {
        Ok(None)
    } else {
        Client::connect(target).map(Some)
    };
    shared.start.wait();
    let start = Instant::now();
    let result = connected.and_then(|mut client| {
        let mut latencies = Vec::new();
        while !shared.stop.load(Ordering::Relaxed) && start.elapsed() < RUN_TIME_MAX {
            let number = shared.next.fetch_add(1, Ordering::Relaxed);
            if number >= plan.count {
                break;
            }
            let name = format!("{}-{}", plan.prefix, number % plan.names);
            let begun = Instant::now();
            let mut connected = match client.take() {
                Some(client) => client,
                None => Client::connect(target)?,
            };
            exchange(&mut connected, target.naming, plan, &name, payload.as_mut())?;
            latencies.push(begun.elapsed());
            if plan.action != Action::ConnectAndGet && connected.is_open() {
                client = Some(connected);
            }
        }
        Ok(Span {
            begun: start,
            ended: Instant::now(),
            latencies,
        })
    });
    if result.is_err() {
        shared.stop.store(true, Ordering::Relaxed);
    }
    result
}

fn exchange(
    client: &mut Client,
    naming: Naming,
    plan: &Plan,
    name: &str,
    payload: Option<&mut Payload>,
) -> Result<()> {
    if let Some(payload) = payload {
        let answer = client.exchange(Request {
            method: "PUT",
            target: &naming.write(name),
            body: Body::Generated(payload, plan.size_bytes),
        })?;
        return answer.expect_success();
    }
    let answer = client.exchange(Request {
        method: "GET",
        target: &naming.read(name),
        body: Body::Empty,
    })?;
    answer.expect_success()?;
    if answer.size_bytes != plan.size_bytes {
        bail!(
            "{name}: {} bytes instead of {}",
            answer.size_bytes,
            plan.size_bytes
        );
    }
    Ok(())
}

/// Sends the files that a run of reads will fetch.
pub fn prepare(target: &Target, plan: &Plan) -> Result<()> {
    let files = Plan {
        action: Action::Put,
        count: plan.names,
        connections: plan.connections.min(plan.names as usize),
        ..plan.clone()
    };
    run(target, &files).map(|_| ())
}
