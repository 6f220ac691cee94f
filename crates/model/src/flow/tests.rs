//! Documents as authors write them: what is read, and what is refused where.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use serde_json::{Value, json};

use super::*;
use crate::ErrorKind;

fn with_steps(steps: Value) -> Value {
    json!({"name": "nightly", "steps": steps})
}

/// The pointers of all problems of a document.
fn pointers(document: &Value) -> Vec<String> {
    let error = FlowDocument::parse(document).unwrap_err();
    let fields = error.fields().iter();
    fields.map(|field| field.pointer.clone()).collect()
}

#[test]
fn a_whole_document_is_read() {
    let document = FlowDocument::parse(&json!({
        "name": "partner-csv",
        "timezone": "Europe/Berlin",
        "params": {"region": {"default": "eu"}},
        "concurrency": "replace",
        "triggers": [
            {"kind": "arrival", "path": "/in/*.csv", "settle": "30s", "trigger_file": "*.done"},
            {"kind": "event", "types": ["transfer.*"], "remote": "bank"},
            {"kind": "flow", "flow": "other"},
            {"kind": "api"},
        ],
        "steps": [
            {"id": "fetch", "kind": "transfer", "source": "bank:/out/*.pgp", "delete_source": true},
            {"id": "each", "kind": "for_each", "max_failures": 2, "steps": [
                {"id": "name", "kind": "rename", "to": "${file.stem}-${params.region}.csv"},
            ]},
            {"id": "enough", "kind": "branch", "if": "files.count > 0 and steps.fetch.outcome == \"completed\"",
                "then": [{"id": "put", "kind": "transfer", "files": "${steps.fetch.files}",
                    "destination": "s3:/${date:%Y/%m/%d}/", "retry": {"max_attempts": 3, "delay": "10s"}, "timeout": "1h"}],
                "else": [{"id": "none", "kind": "fail", "message": "nothing came"}]},
            {"id": "ask", "kind": "approve", "deadline": "2d", "on_error": "continue"},
            {"id": "tell", "kind": "notify", "message": "${files.count} files", "fields": {"run": "${run.id}"}},
        ],
    }))
    .unwrap();
    assert_eq!(document.all_steps().len(), 8);
    assert_eq!(document.triggers.len(), 4);
    let put = document.step(&"put".parse().unwrap()).unwrap();
    assert_eq!(put.retry.initial_delay_seconds, 10);
    assert_eq!(put.action.kind(), "transfer");
}

#[test]
fn every_problem_is_named_at_its_place() {
    let bad = json!({
        "name": "nightly",
        "triggers": [{"kind": "arrival", "path": "/in/../*.csv"}, {"kind": "sometimes"}],
        "steps": [
            {"id": "a", "kind": "copy", "to": "/x/", "overwrite": true},
            {"id": "b", "kind": "launder"},
            {"id": "b", "kind": "delete"},
            {"kind": "delete"},
            {"id": "c", "kind": "wait", "for": "soon"},
            {"id": "d", "kind": "for_each", "steps": [{"id": "e", "kind": "fail", "message": "${what}"}]},
        ],
    });
    let found = pointers(&bad);
    for wanted in [
        "#/triggers/1/kind",
        "#/steps/0/overwrite",
        "#/steps/1/kind",
        "#/steps/3",
        "#/steps/4/for",
        "#/steps/5/steps/0/message",
    ] {
        let is_named = |found: &String| found == wanted || wanted.starts_with(found.as_str());
        assert!(found.iter().any(is_named), "{wanted} in {found:?}");
    }
}

#[test]
fn what_a_whole_cannot_mean_is_named_too() {
    let of = |steps: Value| pointers(&with_steps(steps));
    assert_eq!(
        of(
            json!([{"id": "a", "kind": "delete", "files": "${steps.b.files}"}, {"id": "b", "kind": "delete"}])
        ),
        ["#/steps/0/files"]
    );
    assert_eq!(
        of(json!([{"id": "a", "kind": "copy", "to": "/x/../y/"}])),
        ["#/steps/0/to"]
    );
    assert_eq!(
        of(json!([{"id": "a", "kind": "copy", "to": "x"}])),
        ["#/steps/0/to"]
    );
    assert_eq!(
        of(json!([{"id": "a", "kind": "delete", "files": "/in/../x/*"}])),
        ["#/steps/0/files"]
    );
    assert_eq!(
        of(json!([{"id": "a", "kind": "delete", "files": "in/*"}])),
        ["#/steps/0/files"]
    );
    assert_eq!(
        of(json!([{"id": "a", "kind": "notify", "message": "${params.x}"}])),
        ["#/steps/0/message"]
    );
    assert_eq!(
        of(json!([{"id": "a", "kind": "notify", "message": "${file.name}"}])),
        ["#/steps/0/message"]
    );
    assert_eq!(of(json!([{"id": "a", "kind": "wait"}])), ["#/steps/0"]);
    assert_eq!(of(json!([])), ["#/steps"]);
    assert_eq!(
        of(json!([{"id": "a", "kind": "transfer", "source": "bank:/../x", "destination": "/y/"}])),
        ["#/steps/0/source"]
    );
    let own = json!({"name": "a", "triggers": [{"kind": "flow", "flow": "a"}], "steps": [{"id": "a", "kind": "delete"}]});
    assert_eq!(pointers(&own), ["#/triggers/0/flow"]);
    let twice = json!([{"id": "a", "kind": "delete"}, {"id": "a", "kind": "delete"}]);
    assert_eq!(of(twice), ["#/steps/1/id"]);
}

#[test]
fn an_unknown_field_is_told_as_such() {
    let error = FlowDocument::parse(&json!({"name": "a", "stesp": [], "steps": []})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownField);
    assert_eq!(error.fields()[0].pointer, "#/stesp");
    for no_flow in [json!([]), json!("a"), json!({}), json!({"name": "a"})] {
        assert!(FlowDocument::parse(&no_flow).is_err());
    }
}

#[test]
fn deep_nesting_has_an_end() {
    let mut steps = json!([{"id": "x", "kind": "delete"}]);
    for at in 0..40 {
        steps = json!([{"id": format!("s{at}"), "kind": "for_each", "steps": steps}]);
    }
    assert!(FlowDocument::parse(&with_steps(steps)).is_err());
}

#[test]
fn no_kind_has_a_field_of_its_own_that_all_steps_have() {
    for own in [
        json!({"kind": "pgp_encrypt", "recipients": ["bank"], "sign_with": "own", "armor": true, "suffix": ".x"}),
        json!({"kind": "pgp_decrypt", "keys": ["own"], "signers": ["bank"], "max_bytes": 9}),
        json!({"kind": "pgp_sign", "key": "own", "mode": "inline", "armor": false}),
        json!({"kind": "pgp_verify", "signers": ["bank"], "signature": "{name}.s", "max_bytes": 9}),
        json!({"kind": "compress", "format": "zip", "archive": "all.zip"}),
        json!({"kind": "extract", "format": "zip", "max_files": 1, "max_bytes": 2, "max_ratio": 3}),
        json!({"kind": "validate", "name_pattern": "a.*", "min_bytes": 1, "types": ["text/*"], "xml": true}),
        json!({"kind": "checksum", "mode": "write", "manifest": "SHA256SUMS"}),
    ] {
        let mut step = own.clone();
        step["id"] = json!("a");
        step["name"] = json!("for people");
        let document = FlowDocument::parse(&with_steps(json!([step]))).unwrap();
        let expected: ContentStep = serde_json::from_value(own).unwrap();
        let fields = serde_json::to_value(&expected).unwrap();
        for field in parse::COMMON {
            assert!(fields.get(field).is_none(), "{field} of {fields}");
        }
        let action = StepAction::Content(Box::new(expected));
        assert_eq!(document.steps[0].action, action);
    }
}

#[test]
fn times_stand_in_documents() {
    let with = |trigger: Value| json!({"name": "a", "triggers": [trigger], "steps": [{"id": "a", "kind": "delete"}]});
    let fine = json!({"kind": "schedule", "cron": "*/5 * * * *", "calendar": "ours", "day_rule": "not_on_holidays",
        "jitter_seconds": 30, "misfire": "skip"});
    assert!(FlowDocument::parse(&with(fine)).is_ok());
    for (bad, pointer) in [
        (json!({"kind": "schedule"}), "#/triggers/0"),
        (
            json!({"kind": "schedule", "cron": "*/5 * * *"}),
            "#/triggers/0",
        ),
        (
            json!({"kind": "schedule", "cron": "0 0 31 2 *"}),
            "#/triggers/0",
        ),
        (
            json!({"kind": "schedule", "cron": "@daily", "day_rule": "not_on_holidays"}),
            "#/triggers/0/calendar",
        ),
        (
            json!({"kind": "schedule", "cron": "@daily", "time": "02:00"}),
            "#/triggers/0/time",
        ),
    ] {
        assert_eq!(pointers(&with(bad.clone())), [pointer], "{bad}");
    }
}
