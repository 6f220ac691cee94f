//! What the journal starts: a consumer with a cursor of its own, and one run for each flow and entry.
//!
//! A run is made before the cursor moves past its entry, and the entry's id is the run's key: whoever reads the entry again
//! after a crash finds the run. What a run causes never starts its own flow, and chains of flows have an end.

use bailee_auth::{Action, Caller, Door, Facts, Resource, Via};
use bailee_model::flow::{
    ArrivalTrigger, EventTrigger, FlowEnd, FlowTrigger, PathPattern, Trigger,
};
use bailee_model::{
    EntryKind, ErrorKind, EventType, FileId, FilePath, FileState, Flow, FlowDocument, FlowFile,
    FlowRun, FlowRunId, Glob, PageRequest, RequestId, Result, SealedEntry, TenantId, limit,
};
use bailee_store::{DbError, EventFilter, Reader};
use serde_json::{Map, Value};

use super::start::{TriggeredRun, flow_file};
use crate::files::{FileQuery, resource};
use crate::upkeep::{Upkeep, in_each};
use crate::{Core, error};

/// The consumer's name.
pub(super) const CONSUMER: &str = "flows";
/// Entries that are read in one step.
const TRIGGER_STEP: u32 = 200;
/// What lies between the steps of runs starts nothing.
const WORK_FOLDER: &str = ".flows";

/// An entry, and what of it matters to triggers.
struct Told<'a> {
    sealed: &'a SealedEntry,
    kind: EventType,
    data: Value,
    path: Option<FilePath>,
    /// The run that caused it.
    cause: Option<FlowRun>,
}

impl Told<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.data.get(name).and_then(Value::as_str)
    }

    fn facts(&self, kind: &str) -> Map<String, Value> {
        let entry = &self.sealed.entry;
        let mut facts = Map::new();
        facts.insert("kind".to_owned(), kind.into());
        facts.insert("event_type".to_owned(), self.kind.as_str().into());
        facts.insert("event_id".to_owned(), entry.event_id().to_string().into());
        let name = self.path.as_ref().map(|path| path.name().to_string());
        let more = [
            ("path", entry.subject.path.clone()),
            ("file_name", name),
            ("file_id", self.text("file_id").map(str::to_owned)),
            ("transfer_id", entry.transfer.map(|id| id.to_string())),
            ("flow", self.text("flow").map(str::to_owned)),
            ("run_id", self.text("run_id").map(str::to_owned)),
            ("outcome", self.text("state").map(str::to_owned)),
        ];
        let more = more.into_iter();
        facts.extend(more.filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
        facts
    }
}

impl Upkeep<'_> {
    /// Starts the flows that wait for what the journal tells. How many entries were read.
    pub async fn trigger_flows(&self) -> Result<u64> {
        let lagging = self.core.store.queue().lagging(CONSUMER).await;
        let lagging = lagging.map_err(error::from_db)?;
        let step = |tenant, span| self.core.trigger_tenant(tenant, span);
        Ok(in_each("trigger", lagging, step).await)
    }
}

impl Core {
    async fn trigger_tenant(&self, tenant: TenantId, (cursor, size): (u64, u64)) -> Result<u64> {
        let queue = self.store.queue();
        let reader = queue.reader(tenant);
        let flows = reader.listening_flows(limit::FLOWS_MAX).await;
        let flows: Vec<(Flow, FlowDocument)> = flows
            .map_err(error::from_db)?
            .into_iter()
            .filter_map(|flow| {
                let document = FlowDocument::parse(&flow.document).ok()?;
                Some((flow, document))
            })
            .collect();
        let events = if flows.is_empty() {
            Vec::new()
        } else {
            let filter = EventFilter::default();
            let events = reader.events_after(cursor, &filter, TRIGGER_STEP).await;
            events.map_err(error::from_db)?
        };
        for event in events.iter().filter(|event| event.sequence <= size) {
            self.trigger_all(&reader, &flows, event).await?;
        }
        let is_last = events.len() < TRIGGER_STEP as usize;
        let newest = events.last().map_or(size, |event| event.sequence);
        let to = if is_last { size } else { newest.min(size) };
        let mut change = queue.change(tenant);
        change.move_cursor(CONSUMER, cursor, to.max(cursor));
        match change.commit().await {
            Ok(()) => Ok(to.saturating_sub(cursor)),
            // Another node was first; it found the same runs.
            Err(DbError::Conflict(_)) => Ok(0),
            Err(error) => Err(error::from_db(error)),
        }
    }

    async fn trigger_all(
        &self,
        reader: &Reader,
        flows: &[(Flow, FlowDocument)],
        event: &SealedEntry,
    ) -> Result<()> {
        let EntryKind::Event(kind) = event.entry.kind else {
            return Ok(());
        };
        let is_wanted = |(flow, document): &&(Flow, FlowDocument)| {
            event.entry.timestamp >= flow.created_at
                && document
                    .triggers
                    .iter()
                    .any(|trigger| may_want(trigger, kind))
        };
        let mut wanting = flows.iter().filter(is_wanted).peekable();
        if wanting.peek().is_none() {
            return Ok(());
        }
        let data: Value = serde_json::from_str(&event.entry.data).unwrap_or_default();
        let path = event.entry.subject.path.as_ref();
        let told = Told {
            sealed: event,
            kind,
            cause: cause(reader, event, &data).await?,
            data,
            path: path.and_then(|path| path.parse().ok()),
        };
        for (flow, document) in wanting {
            if told.cause.as_ref().is_some_and(|run| run.flow == flow.id) {
                continue;
            }
            for trigger in &document.triggers {
                if let Some(run) = self.wanted(reader, (flow, trigger), &told).await? {
                    let flows = crate::Flows { core: self };
                    flows
                        .start_by_trigger(reader.tenant(), flow.id, run)
                        .await?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// The run that a trigger makes of an entry, if it is meant and the flow's owner may know of it.
    async fn wanted(
        &self,
        reader: &Reader,
        (flow, trigger): (&Flow, &Trigger),
        told: &Told<'_>,
    ) -> Result<Option<TriggeredRun>> {
        let kind = match trigger {
            Trigger::Arrival(arrival) if is_arrival(arrival, told) => "arrival",
            Trigger::Event(event) if is_event(event, told) => "event",
            Trigger::Flow(other) if is_end(other, told) => "flow",
            _ => return Ok(None),
        };
        let now = self.clock.now();
        let facts = Facts {
            address: None,
            request: RequestId::new(now, &*self.chance),
            now,
            door: Door::Job,
        };
        // Whoever the flow acts for is disabled or gone: so is what it waits for.
        let via = Via::Flow {
            run: FlowRunId::from_bits(flow.id.bits()),
            key: flow.mandate.key,
        };
        let caller = self
            .by_mandate(reader.tenant(), &flow.mandate, facts, via)
            .await;
        let caller = match caller {
            Ok(caller) => caller,
            Err(error) if is_passing(error.kind()) => return Err(error),
            Err(_) => return Ok(None),
        };
        if kind == "event" && !self.may_hear(&caller, told) {
            return Ok(None);
        }
        let files = match trigger {
            Trigger::Arrival(arrival) => {
                let files = self.arrived(reader, (&caller, arrival), told).await?;
                if files.is_empty() {
                    return Ok(None);
                }
                files
            }
            Trigger::Flow(_) => self.result_of_run(reader, &caller, told).await?,
            _ => self
                .told_file(reader, &caller, told)
                .await?
                .into_iter()
                .collect(),
        };
        let settle = match trigger {
            Trigger::Arrival(arrival) => arrival.settle,
            _ => None,
        };
        Ok(Some(TriggeredRun {
            kind,
            key: told.sealed.entry.event_id().to_string(),
            facts: told.facts(kind),
            files,
            start_at: settle.map(|settle| told.sealed.entry.timestamp.plus(settle.duration())),
            depth: told.cause.as_ref().map_or(0, |run| run.depth + 1),
            ..TriggeredRun::default()
        }))
    }

    fn may_hear(&self, caller: &Caller, told: &Told<'_>) -> bool {
        let bounds = caller.path_prefixes();
        let is_within = match &told.path {
            Some(path) => bounds.iter().any(|bound| path.is_within(bound)),
            None => told.sealed.entry.principal == Some(caller.principal()),
        };
        (bounds.is_empty() || is_within)
            && self.admits(caller, Action::EventRead, &Resource::Tenant)
    }

    /// The file that an entry is about, if it is still there and the flow's owner may read it.
    async fn told_file(
        &self,
        reader: &Reader,
        caller: &Caller,
        told: &Told<'_>,
    ) -> Result<Option<FlowFile>> {
        let id = told
            .text("file_id")
            .and_then(|id| id.parse::<FileId>().ok());
        let Some(id) = id else { return Ok(None) };
        let found = reader.file(id).await.map_err(error::from_db)?;
        let found = found.filter(|file| {
            file.is_current
                && file.state == FileState::Available
                && self.admits(caller, Action::FileRead, &resource(file))
        });
        Ok(found.as_ref().map(flow_file))
    }

    /// The files of an arrival: the one that came, or those that a trigger file speaks for.
    async fn arrived(
        &self,
        reader: &Reader,
        (caller, arrival): (&Caller, &ArrivalTrigger),
        told: &Told<'_>,
    ) -> Result<Vec<FlowFile>> {
        let (Some(path), Ok(pattern)) = (&told.path, arrival.path.parse::<PathPattern>()) else {
            return Ok(Vec::new());
        };
        let Some(sign) = &arrival.trigger_file else {
            return Ok(self
                .told_file(reader, caller, told)
                .await?
                .into_iter()
                .collect());
        };
        let query = FileQuery {
            below: Some(path.folder().clone()),
            ..FileQuery::default()
        };
        let mut page = PageRequest {
            limit: limit::PAGE_MAX,
            after: None,
        };
        let mut files: Vec<FlowFile> = Vec::new();
        loop {
            let found = self.files().list(caller, query.clone(), page.clone()).await;
            let found = match found {
                Ok(found) => found,
                Err(error) if is_passing(error.kind()) => return Err(error),
                Err(_) => return Ok(Vec::new()),
            };
            files.extend(found.data.iter().filter_map(|file| {
                let is_meant = file.path.folder() == path.folder()
                    && file.path != *path
                    && pattern.matches(&file.path)
                    && speaks_for(sign, path, &file.path)
                    && self.admits(caller, Action::FileRead, &resource(file));
                is_meant.then(|| flow_file(file))
            }));
            page.after = found.next;
            if page.after.is_none() || files.len() >= limit::FLOW_FILES_MAX {
                break;
            }
        }
        files.truncate(limit::FLOW_FILES_MAX);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// What the run put out whose end this is, as far as the flow's owner may read it.
    async fn result_of_run(
        &self,
        reader: &Reader,
        caller: &Caller,
        told: &Told<'_>,
    ) -> Result<Vec<FlowFile>> {
        let mut files = match &told.cause {
            Some(run) => run.result.clone(),
            None => return Ok(Vec::new()),
        };
        let mut kept = Vec::new();
        for file in files.drain(..) {
            let found = reader.file(file.file_id).await.map_err(error::from_db)?;
            let is_there = found.is_some_and(|found| {
                found.state == FileState::Available
                    && self.admits(caller, Action::FileRead, &resource(&found))
            });
            if is_there {
                kept.push(file);
            }
        }
        Ok(kept)
    }
}

/// Whether the server itself is at fault: the entry is read again.
fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::InternalError | ErrorKind::Unavailable)
}

/// Whether entries of a type can matter to a trigger.
fn may_want(trigger: &Trigger, kind: EventType) -> bool {
    match trigger {
        Trigger::Arrival(_) => kind == EventType::FileUploaded,
        Trigger::Event(event) => is_type(&event.types, kind),
        Trigger::Flow(_) => {
            matches!(kind, EventType::FlowRunCompleted | EventType::FlowRunFailed)
        }
        Trigger::Api {} | Trigger::Schedule(_) | Trigger::Watch(_) | Trigger::Hook {} => false,
    }
}

fn is_type(types: &[String], kind: EventType) -> bool {
    types.iter().any(|wanted| match wanted.strip_suffix(".*") {
        Some(family) => kind.as_str().split('.').next() == Some(family),
        None => wanted == kind.as_str(),
    })
}

fn is_arrival(arrival: &ArrivalTrigger, told: &Told<'_>) -> bool {
    let (Some(path), Ok(pattern)) = (&told.path, arrival.path.parse::<PathPattern>()) else {
        return false;
    };
    let is_between = path
        .folder()
        .names()
        .iter()
        .any(|name| name.as_str() == WORK_FOLDER);
    if told.kind != EventType::FileUploaded || is_between {
        return false;
    }
    match &arrival.trigger_file {
        None => pattern.matches(path),
        Some(sign) if sign.is_per_file() => path.is_within(pattern.folder()),
        Some(sign) => {
            let glob = sign.outline().parse::<Glob>();
            path.is_within(pattern.folder())
                && glob.is_ok_and(|glob| glob.matches(path.name().as_str()))
        }
    }
}

/// Whether a trigger file that came speaks for a file beside it.
fn speaks_for(sign: &bailee_model::flow::Template, came: &FilePath, file: &FilePath) -> bool {
    if !sign.is_per_file() {
        return true;
    }
    let name = file.name().as_str();
    let stem = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    };
    let text = sign.to_string();
    let wanted = text
        .replace("${file.name}", name)
        .replace("${file.stem}", stem);
    wanted == came.name().as_str()
}

fn is_event(event: &EventTrigger, told: &Told<'_>) -> bool {
    let is_at_path = event.path.as_ref().is_none_or(|pattern| {
        let pattern = pattern.parse::<PathPattern>();
        let path = told.path.as_ref();
        pattern.is_ok_and(|pattern| path.is_some_and(|path| pattern.matches(path)))
    });
    let is_at_remote = event.remote.as_ref().is_none_or(|remote| {
        let end = |name| told.text(name).and_then(|end| end.split_once(':'));
        let mut ends = [end("source"), end("destination")].into_iter().flatten();
        ends.any(|(name, _)| name == remote.as_str())
    });
    let is_so = event
        .status
        .as_ref()
        .is_none_or(|status| status == told.sealed.entry.status.as_str());
    is_type(&event.types, told.kind) && is_at_path && is_at_remote && is_so
}

fn is_end(trigger: &FlowTrigger, told: &Told<'_>) -> bool {
    let end = match told.kind {
        EventType::FlowRunCompleted => FlowEnd::Completed,
        EventType::FlowRunFailed => FlowEnd::Failed,
        _ => return false,
    };
    told.text("flow") == Some(trigger.flow.as_str()) && trigger.on.contains(&end)
}

/// The run of a flow that an entry is about, or that caused what it tells of.
async fn cause(reader: &Reader, event: &SealedEntry, data: &Value) -> Result<Option<FlowRun>> {
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    let named = text("run_id").or_else(|| text("flow_run_id"));
    let mut run = named.and_then(|id| id.parse::<FlowRunId>().ok());
    if let (None, Some(transfer)) = (run, event.entry.transfer) {
        let found = reader.transfer(transfer).await.map_err(error::from_db)?;
        run = found.and_then(|transfer| transfer.flow_run);
    }
    match run {
        Some(run) => reader.flow_run(run).await.map_err(error::from_db),
        None => Ok(None),
    }
}
