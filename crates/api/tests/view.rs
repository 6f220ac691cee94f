//! What the wire shows of the domain's nouns.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use bailee_api::{AuditRecord, File, Transfer, TransferStatus};
use bailee_model::{
    AuditId, End, Entry, EntryKind, FileId, FileState, FlowRunId, FolderId, OnConflict, Outcome,
    PrincipalId, RemoteName, RetryRule, SealedEntry, ServiceAccountId, Subject, TenantId,
    Timestamp, TransferId, TransferOutcome, TransferState, Verify,
};
use serde_json::json;

const NOW: Timestamp = Timestamp::from_ms(1_795_252_440_000);

fn transfer() -> bailee_model::Transfer {
    bailee_model::Transfer {
        id: TransferId::from_bits(1),
        state: TransferState::Moving,
        outcome: None,
        fault: None,
        source: End::Path {
            path: "reports/report.csv".parse().unwrap(),
        },
        destination: End::Remote {
            remote: "bank".parse::<RemoteName>().unwrap(),
            path: "/in/report.csv".to_owned(),
        },
        label: None,
        priority: 0,
        verify: Verify::Hash,
        on_conflict: OnConflict::Fail,
        retry: RetryRule::default(),
        deadline: None,
        start_at: None,
        notify_on_completion: true,
        metadata: BTreeMap::new(),
        retry_of: None,
        parent: None,
        counts: None,
        listed_bytes: 0,
        is_skipped: false,
        same: None,
        delete_source: false,
        preserve_time: false,
        has_arrived: false,
        source_removed: None,
        proof: None,
        placed_at: None,
        notes: Vec::new(),
        ended_entry: None,
        decision: None,
        bandwidth: None,
        cancel_requested: false,
        bytes_total: Some(5000),
        bytes_done: 2000,
        attempt: 1,
        next_attempt_at: None,
        waits_for: None,
        result_file: None,
        hash: None,
        checkpoint: None,
        created_by: PrincipalId::ServiceAccount(ServiceAccountId::from_bits(1)),
        created_with: None,
        makes_folders: false,
        mandate: None,
        flow_run: None,
        created_at: NOW,
        started_at: Some(NOW),
        updated_at: Timestamp::from_ms(NOW.ms() + 2000),
        finished_at: None,
        revision: 3,
    }
}

#[test]
fn a_moving_transfer_is_running_at_some_rate() {
    let shown = serde_json::to_value(Transfer::from(&transfer())).unwrap();
    for (name, value) in [
        ("state", json!("running")),
        ("step", json!("moving")),
        ("source", json!("/reports/report.csv")),
        ("destination", json!("bank:/in/report.csv")),
        ("bytes_per_second", json!(1000)),
        ("eta_seconds", json!(3)),
        ("files_done", json!(0)),
        ("error_message", json!(null)),
        ("flow_run_id", json!(null)),
    ] {
        assert_eq!(shown.get(name), Some(&value), "{name}");
    }
    let run = FlowRunId::from_bits(7);
    let asked = Transfer::from(&bailee_model::Transfer {
        flow_run: Some(run),
        ..transfer()
    });
    assert_eq!(asked.flow_run_id, Some(run));
}

#[test]
fn a_rate_of_nothing_is_no_rate() {
    let mut stuck = transfer();
    stuck.bytes_done = 0;
    let shown = Transfer::from(&stuck);
    assert_eq!((shown.bytes_per_second, shown.eta_seconds), (Some(0), None));
    stuck.updated_at = NOW;
    assert_eq!(Transfer::from(&stuck).bytes_per_second, None);
}

#[test]
fn a_failed_transfer_always_has_a_message() {
    let mut failed = transfer();
    failed.state = TransferState::Failed;
    failed.outcome = Some(TransferOutcome::Cancelled);
    let status = TransferStatus::from(&failed);
    assert_eq!(
        status.error_message.as_deref(),
        Some("The transfer was cancelled.")
    );
    assert_eq!(status.state.as_str(), "failed");
}

#[test]
fn a_file_shows_its_place_in_three_ways() {
    let file = bailee_model::File {
        id: FileId::from_bits(1),
        folder: FolderId::from_bits(0),
        path: "reports/2026/a.csv".parse().unwrap(),
        version: 1,
        is_current: true,
        state: FileState::Available,
        size_bytes: 26,
        hash: "63".to_owned(),
        content_type: "text/csv".to_owned(),
        detected_type: None,
        classification: None,
        tags: Vec::new(),
        metadata: BTreeMap::new(),
        wrapped_key: vec![1],
        created_by: PrincipalId::ServiceAccount(ServiceAccountId::from_bits(1)),
        created_at: NOW,
        deleted_at: None,
        revision: 1,
    };
    let shown = File::from(&file);
    assert_eq!(shown.path, "/reports/2026/a.csv");
    assert_eq!(shown.folder, "/reports/2026");
    assert_eq!(shown.name, "a.csv");
    assert_eq!(
        shown.links.download,
        format!("/v1/files/{}/download", file.id)
    );
}

#[test]
fn an_audit_record_has_the_facts_of_its_entry() {
    let sealed = SealedEntry {
        sequence: 7,
        entry: Entry {
            id: AuditId::from_bits(1),
            kind: EntryKind::Record,
            timestamp: NOW,
            operation: "files.upload".to_owned(),
            user: "svc:nightly".to_owned(),
            status: Outcome::Denied,
            ip_address: Some("192.0.2.10".parse().unwrap()),
            transfer: None,
            principal: None,
            request: None,
            decision: None,
            subject: Subject {
                id: None,
                path: Some("/a".to_owned()),
            },
            data: r#"{"size":26}"#.to_owned(),
        },
    };
    let shown = AuditRecord::new(TenantId::from_bits(1), &sealed);
    assert_eq!(
        serde_json::to_value(&shown.facts).unwrap(),
        json!({"kind": "record", "path": "/a", "data": {"size": 26}})
    );
    assert_eq!(shown.status.as_str(), "denied");
}
