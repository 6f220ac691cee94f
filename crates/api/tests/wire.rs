//! The exchanges of the published contract, letter by letter: each reads into our types and comes back the same.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fmt::Debug;

use bailee_api::{
    AuditRecord, ChangeFile, CompleteUpload, CreateRemote, CreateTransfer, Event, File, FileState,
    FolderEntry, Identity, List, OpenUpload, Patch, Problem, SecretText, Transfer, TransferEnd,
    TransferStatus, UploadPart, UploadSession,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Reads `text` as `T` and expects the same JSON back, keys in the same order.
fn same<T: DeserializeOwned + Serialize + Debug>(text: &str) -> T {
    let read: T = serde_json::from_str(text).unwrap();
    let wanted: Value = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), wanted);
    let compact: String = text.lines().map(str::trim_start).collect();
    assert_eq!(serde_json::to_string(&read).unwrap(), compact);
    read
}

/// Reads `text` as the request `T`: every field of it is found again with the same value.
fn request<T: DeserializeOwned + Serialize + Debug>(text: &str) -> T {
    let read: T = serde_json::from_str(text).unwrap();
    let sent = serde_json::to_value(&read).unwrap();
    let wanted: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap();
    for (name, value) in &wanted {
        assert_eq!(sent.get(name), Some(value), "{name}");
    }
    read
}

const FILE: &str = r#"{"file_id":"fil_01m7yp4jy0emq8k9w39qsaekf4","path":"/reports/report.csv","name":"report.csv","folder":"/reports","size":26,
 "hash":"6330f05349c4373a84fbc2393357b14bdba92493af4dc5af74d4a08aef2151b3","hash_algorithm":"sha256","checksums":{},"content_type":"text/csv","detected_type":"text/plain",
 "version":1,"is_current":true,"state":"available","classification":null,"tags":[],"metadata":{},"created_by":"svc_01m7yp4pz8ev5b9ts55c7j3qdp","created_at":"2026-11-21T09:14:00.000Z",
 "expires_at":null,"links":{"self":"/v1/files/fil_01m7yp4jy0emq8k9w39qsaekf4","download":"/v1/files/fil_01m7yp4jy0emq8k9w39qsaekf4/download"}}"#;

#[test]
fn validate() {
    same::<Identity>(
        r#"{"valid":true,"principal_id":"svc_01m7yp4pz8ev5b9ts55c7j3qdp","principal_type":"service_account","tenant_id":"ten_01m7yp4qfdf46bs8r42wfv2z13",
 "auth_method":"api_key","scopes":["files:read","files:write","transfers:read","transfers:write"],"key_id":"key_01m7yp4nyyevr88y42wdngtn4v","expires_at":"2027-02-19T09:14:00.000Z"}"#,
    );
}

#[test]
fn problem() {
    same::<Problem>(
        r#"{"type":"https://files.example.com/docs/problems/credential_invalid/","title":"The credential is not valid","status":401,"code":"credential_invalid",
 "detail":"No API key matches the one sent.","instance":"/v1/auth/validate","request_id":"req_01m7yp4sg1e35rw9hmckwyqppc","retryable":false,"retry_after":null,
 "hint":"Check BAILEE_API_KEY, or make a key with `bailee key create`.","decision_id":null,"errors":[]}"#,
    );
}

#[test]
fn file() {
    same::<File>(FILE);
}

#[test]
fn a_newer_file_is_read_too() {
    let mut newer: Value = serde_json::from_str(FILE).unwrap();
    let fields = newer.as_object_mut().unwrap();
    fields.insert("state".to_owned(), json!("frozen"));
    fields.insert("temperature".to_owned(), json!(-18));
    let read: File = serde_json::from_value(newer).unwrap();
    assert_eq!(read.state, FileState::Other("frozen".to_owned()));
    assert_eq!(serde_json::to_value(&read.state).unwrap(), json!("frozen"));
}

#[test]
fn folder_entries_tell_their_type() {
    let mut file: Value = serde_json::from_str(FILE).unwrap();
    file.as_object_mut()
        .unwrap()
        .insert("type".to_owned(), json!("file"));
    let page = json!({
        "data": [
            {"type": "folder", "path": "/reports/2026", "name": "2026", "parent": "/reports", "created_at": "2026-11-21T09:14:00.000Z"},
            file,
        ],
        "has_more": false,
        "next_cursor": null,
    });
    let read: List<FolderEntry> = serde_json::from_value(page.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), page);
}

#[test]
fn upload_by_parts() {
    request::<OpenUpload>(
        r#"{"destination":"reports","filename":"big.bin","size":12582912,"part_size":5242880,"overwrite":false}"#,
    );
    request::<OpenUpload>(r#"{"destination":"reports","filename":"big.bin"}"#);
    same::<UploadSession>(
        r#"{"session_id":"upl_01m7yp4ke5es8r65rzyjka792g","state":"open","destination":"/reports","filename":"big.bin","size":12582912,"part_size":5242880,"max_part_size":1073741824,
 "max_parts":10000,"max_concurrency":16,"received":[],"bytes_received":0,"file_id":null,"expires_at":"2026-11-28T09:14:00.000Z"}"#,
    );
    same::<UploadPart>(
        r#"{"part":0,"size":5242880,"hash":"6330f05349c4373a84fbc2393357b14bdba92493af4dc5af74d4a08aef2151b3"}"#,
    );
    assert_eq!(request::<CompleteUpload>("{}"), CompleteUpload::default());
    request::<CompleteUpload>(r#"{"hash":"6330"}"#);
}

#[test]
fn transfer() {
    let asked = request::<CreateTransfer>(
        r#"{"source":"reports/report.csv","destination":"bank:/in/report.csv","notify_on_completion":true}"#,
    );
    assert_eq!(
        asked.destination,
        TransferEnd::Text("bank:/in/report.csv".to_owned())
    );
    // The contract shows the accepted transfer shortened: the whole one has each of these members, with these values.
    let shown = r#"{"transfer_id":"xfr_01m7yp4kyae4ma4jz41b93y214","state":"queued","outcome":null,"status_url":"/v1/transfers/xfr_01m7yp4kyae4ma4jz41b93y214/status","created_at":"2026-11-21T09:14:01.034Z"}"#;
    let whole = r#"{"transfer_id":"xfr_01m7yp4kyae4ma4jz41b93y214","state":"queued","outcome":null,"step":null,"error_code":null,"error_message":null,"hint":null,
 "source":"/reports/report.csv","destination":"bank:/in/report.csv","bytes_total":26,"bytes_done":0,"files_total":1,"files_done":0,"files_failed":0,"files_skipped":0,
 "bytes_per_second":null,"eta_seconds":null,"attempt":0,"max_attempts":5,"next_attempt_at":null,"paused_reason":null,"label":null,"priority":0,
 "deadline":null,"verify":"hash","on_conflict":"fail","delete_source":false,"source_removed":null,"preserve_time":false,"notes":[],"retry_of":null,"parent":null,"flow_run_id":null,"created_by":"svc_01m7yp4pz8ev5b9ts55c7j3qdp",
 "created_at":"2026-11-21T09:14:01.034Z","started_at":null,"updated_at":"2026-11-21T09:14:01.034Z","finished_at":null,
 "status_url":"/v1/transfers/xfr_01m7yp4kyae4ma4jz41b93y214/status","links":{"self":"/v1/transfers/xfr_01m7yp4kyae4ma4jz41b93y214"}}"#;
    let whole = serde_json::to_value(same::<Transfer>(whole)).unwrap();
    let shown: serde_json::Map<String, Value> = serde_json::from_str(shown).unwrap();
    for (name, value) in &shown {
        assert_eq!(whole.get(name), Some(value), "{name}");
    }
    same::<TransferStatus>(
        r#"{"transfer_id":"xfr_01m7yp4kyae4ma4jz41b93y214","state":"failed","outcome":"error","error_code":"remote_unreachable","error_message":"Remote `bank` did not answer after 5 attempts.",
 "hint":"Run `bailee remote test bank`.","bytes_total":26,"bytes_done":0,"files_total":1,"files_done":0,"files_failed":1,"files_skipped":0,"attempt":5,"next_attempt_at":null,"updated_at":"2026-11-21T09:16:20.410Z"}"#,
    );
}

#[test]
fn ends_of_a_transfer() {
    for (end, kind) in [
        (json!("bank:/in/a.csv"), "Text"),
        (json!({"remote": "bank", "path": "/in/a.csv"}), "Remote"),
        (json!({"file_id": "fil_01m7yp4jy0emq8k9w39qsaekf4"}), "File"),
        (json!({"path": "/reports/a.csv"}), "Path"),
    ] {
        let read: TransferEnd = serde_json::from_value(end.clone()).unwrap();
        assert!(format!("{read:?}").starts_with(kind), "{read:?}");
        assert_eq!(serde_json::to_value(&read).unwrap(), end);
    }
    for end in [
        json!({"agent": "north", "path": "/a"}),
        json!({"remote": "bank"}),
        json!(7),
    ] {
        assert!(serde_json::from_value::<TransferEnd>(end).is_err());
    }
}

#[test]
fn event() {
    same::<Event>(
        r#"{"type":"transfer.completed","timestamp":"2026-11-21T09:14:03.512Z","event_id":"evt_01m7yp4nesedqrb018tr4sjm6r","tenant_id":"ten_01m7yp4qfdf46bs8r42wfv2z13",
 "sequence":8123,"transfer_id":"xfr_01m7yp4kyae4ma4jz41b93y214","file_id":null,"webhook_id":null,"status":"completed","data":{"bytes_total":26}}"#,
    );
}

#[test]
fn audit_record() {
    same::<AuditRecord>(
        r#"{"timestamp":"2026-11-21T09:14:03.512Z","transfer_id":"xfr_01m7yp4kyae4ma4jz41b93y214","operation":"transfers.complete","user":"svc:nightly","status":"success","ip_address":"192.0.2.10",
 "audit_id":"aud_01m7yp4nesedqrb018tr4sjm6r","sequence":8123,"tenant_id":"ten_01m7yp4qfdf46bs8r42wfv2z13","principal_id":"svc_01m7yp4pz8ev5b9ts55c7j3qdp","request_id":"req_01m7yp4sg1e35rw9hmckwyqppc","decision_id":null}"#,
    );
}

#[test]
fn requests_refuse_what_they_do_not_know() {
    assert!(serde_json::from_str::<ChangeFile>(r#"{"hash":"00"}"#).is_err());
    assert!(
        serde_json::from_str::<CreateTransfer>(r#"{"source":"a","destination":"b","dryrun":true}"#)
            .is_err()
    );
    for remote in [
        r#"{"kind":"sftp","name":"bank","host":"h","username":"u","folder":"/srv"}"#,
        r#"{"kind":"ftp","name":"bank"}"#,
    ] {
        assert!(
            serde_json::from_str::<CreateRemote>(remote).is_err(),
            "{remote}"
        );
    }
}

#[test]
fn a_file_patch_tells_absent_from_null() {
    let patch: ChangeFile =
        serde_json::from_str(r#"{"classification":null,"metadata":{"a":null,"b":"1"}}"#).unwrap();
    assert_eq!(patch.classification, Patch::Clear);
    assert_eq!(patch.tags, Patch::Keep);
    assert_eq!(
        serde_json::to_value(&patch).unwrap(),
        json!({"classification": null, "metadata": {"a": null, "b": "1"}})
    );
    assert!(serde_json::from_str::<ChangeFile>(r#"{"path":null}"#).is_err());
}

#[test]
fn secrets_are_not_shown() {
    let remote: CreateRemote = serde_json::from_str(
        r#"{"kind":"sftp","name":"bank","host":"h","username":"u","password":"hunter2"}"#,
    )
    .unwrap();
    assert!(!format!("{remote:?}").contains("hunter2"));
    assert_eq!(SecretText::from("hunter2").reveal(), "hunter2");
    assert_eq!(
        serde_json::to_value(&remote).unwrap().get("password"),
        Some(&json!("hunter2"))
    );
}
