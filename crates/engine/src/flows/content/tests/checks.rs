//! Validation and checksums.

use serde_json::json;

use super::site::Site;
use super::{act, fault, names, put};

#[tokio::test(flavor = "multi_thread")]
async fn files_pass_when_they_are_what_was_agreed() {
    let site = Site::new().await;
    let csv = put(&site, "/in/a.csv", b"id,amount\n1,2.50\n2,3\n").await;
    let bad = put(&site, "/in/b.csv", b"id,amount\nx,2.50\n2,much\n").await;
    let json_file = put(&site, "/in/a.json", br#"{"id": 1}"#).await;
    let xml = put(&site, "/in/a.xml", b"<a><b/></a>").await;
    let rule = json!({"kind": "validate", "name_pattern": "[ab]\\.csv", "max_bytes": 100, "csv": {"columns": [
        {"name": "id", "type": "integer", "required": true}, {"name": "amount", "type": "decimal"}]}});
    let good = act(&site, rule.clone(), std::slice::from_ref(&csv), "v").await;
    assert_eq!(good.unwrap(), std::slice::from_ref(&csv));
    let both = [csv.clone(), bad];
    let told = act(&site, rule.clone(), &both, "v").await.unwrap_err();
    assert_eq!(told.code, "content_invalid");
    for part in ["b.csv, line 2", "b.csv, line 3", "amount"] {
        assert!(told.detail.contains(part), "{}", told.detail);
    }
    assert!(!told.detail.contains("a.csv"), "{}", told.detail);
    let schema = json!({"type": "object", "properties": {"id": {"type": "string"}}});
    for (rule, file, code) in [
        (
            json!({"kind": "validate", "xml": true}),
            &csv,
            "content_invalid",
        ),
        (
            json!({"kind": "validate", "json": {}}),
            &xml,
            "content_invalid",
        ),
        (
            json!({"kind": "validate", "json": {"schema": schema}}),
            &json_file,
            "content_invalid",
        ),
        (
            json!({"kind": "validate", "types": ["application/pdf"]}),
            &csv,
            "content_invalid",
        ),
        (
            json!({"kind": "validate", "min_bytes": 1000}),
            &csv,
            "content_invalid",
        ),
        (
            json!({"kind": "validate", "name_pattern": "("}),
            &csv,
            "rule_pattern",
        ),
        (
            json!({"kind": "validate", "csv": {"columns": []}}),
            &csv,
            "rule_csv",
        ),
        (
            json!({"kind": "validate", "json": {"schema": {"$ref": "https://a.example/s"}}}),
            &json_file,
            "rule_schema",
        ),
    ] {
        let found = fault(&site, rule.clone(), std::slice::from_ref(file)).await;
        assert_eq!(found, code, "{rule}");
    }
    for (rule, file) in [
        (json!({"kind": "validate", "xml": true}), xml),
        (json!({"kind": "validate", "json": {}}), json_file),
        (json!({"kind": "validate", "types": ["text/*"]}), csv),
    ] {
        assert!(act(&site, rule, &[file], "v").await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checksums_are_written_and_compared() {
    let site = Site::new().await;
    let files = [
        put(&site, "/in/a.csv", b"a").await,
        put(&site, "/in/b.csv", b"b").await,
    ];
    let write = json!({"kind": "checksum", "mode": "write", "manifest": "SHA256SUMS"});
    let all = act(&site, write, &files, "w").await.unwrap();
    assert_eq!(names(&all), ["a.csv", "b.csv", "SHA256SUMS"]);
    let text = String::from_utf8(site.take("/out/w/SHA256SUMS").await.unwrap()).unwrap();
    assert_eq!(
        text,
        format!("{}  a.csv\n{}  b.csv\n", files[0].hash, files[1].hash)
    );
    let check = json!({"kind": "checksum", "mode": "check", "manifest": "SHA256SUMS"});
    let checked = act(&site, check.clone(), &all, "c").await.unwrap();
    assert_eq!(checked, files);
    assert_eq!(
        fault(&site, check.clone(), &files).await,
        "checksum_missing"
    );
    let one = [all[0].clone(), all[2].clone()];
    assert_eq!(
        fault(&site, check.clone(), &one).await,
        "checksum_file_missing"
    );
    let stranger = put(&site, "/in/c.csv", b"c").await;
    let more = [&all[..], &[stranger]].concat();
    assert_eq!(
        fault(&site, check.clone(), &more).await,
        "checksum_not_listed"
    );
    let changed = put(&site, "/new/a.csv", b"changed").await;
    let wrong = [changed, all[1].clone(), all[2].clone()];
    assert_eq!(
        fault(&site, check.clone(), &wrong).await,
        "checksum_mismatch"
    );
    let junk = put(&site, "/in/SHA256SUMS", b"not a list\n").await;
    assert_eq!(fault(&site, check, &[junk]).await, "checksum_line");
    let each = json!({"kind": "checksum", "mode": "write"});
    let each = act(&site, each, &files, "w").await.unwrap();
    assert_eq!(
        names(&each),
        ["a.csv", "a.csv.sha256", "b.csv", "b.csv.sha256"]
    );
    let check = json!({"kind": "checksum", "mode": "check"});
    assert_eq!(act(&site, check.clone(), &each, "c").await.unwrap(), files);
    assert_eq!(
        fault(&site, check.clone(), &each[..3]).await,
        "checksum_missing"
    );
    assert_eq!(
        fault(&site, check, &each[1..]).await,
        "checksum_file_missing"
    );
}
