//! Pages, catalogue and table of problem codes agree.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use bailee_api::{
    PROBLEM_PAGES, Problem, ProblemPlace, STEP_CODES, TRANSFER_CODES, problem_kind, problem_page,
};
use bailee_model::{Error, ErrorKind, RequestId};
use serde_json::json;

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let codes: BTreeSet<String> = ErrorKind::ALL
        .iter()
        .map(|kind| kind.code())
        .chain(TRANSFER_CODES.iter().copied())
        .chain(STEP_CODES.iter().copied())
        .map(str::to_owned)
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/problems");
    let pages: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
        .collect();
    let embedded: BTreeSet<String> = PROBLEM_PAGES.iter().map(ToString::to_string).collect();
    assert_eq!(pages, codes);
    assert_eq!(embedded, codes);
}

#[test]
fn pages_say_what_the_table_says() {
    for kind in ErrorKind::ALL {
        let row = problem_kind(*kind);
        assert_eq!(row.kind, *kind);
        let page = problem_page(kind.code()).unwrap();
        let retry = if row.retryable { "yes" } else { "no" };
        let head = format!(
            "# {}\n\nStatus: {} · Retry: {retry}\n\n**{}.** ",
            kind.code(),
            row.status,
            row.title
        );
        assert!(page.starts_with(&head), "{head}");
        assert!(
            (400..600).contains(&row.status) && !row.hint.is_empty(),
            "{row:?}"
        );
    }
}

#[test]
fn pages_of_transfer_codes_have_the_same_form() {
    let known: BTreeSet<&str> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    for code in TRANSFER_CODES.iter().filter(|code| !known.contains(*code)) {
        let page = problem_page(code).unwrap();
        assert!(
            page.starts_with(&format!("# {code}\n\nStatus: transfer · Retry: ")),
            "{code}"
        );
    }
    for code in STEP_CODES {
        let page = problem_page(code).unwrap();
        let head = format!("# {code}\n\nStatus: step · Retry: ");
        assert!(page.starts_with(&head), "{code}");
    }
    for code in PROBLEM_PAGES {
        let page = problem_page(code).unwrap();
        for part in ["\nLikely causes:\n\n- ", "\nFix: ", "\nRetry: "] {
            assert!(page.contains(part), "{code} lacks {part:?}");
        }
    }
    assert_eq!(problem_page("../secrets"), None);
}

#[test]
fn only_the_published_codes_are_worth_a_retry() {
    let retryable: Vec<&str> = ErrorKind::ALL
        .iter()
        .filter(|kind| problem_kind(**kind).retryable)
        .map(|kind| kind.code())
        .collect();
    assert_eq!(
        retryable,
        [
            "request_timeout",
            "idempotency_key_in_progress",
            "secret_unavailable",
            "rate_limited",
            "remote_failed",
            "remote_timeout",
            "unavailable",
            "overloaded",
            "draining"
        ]
    );
}

#[test]
fn a_problem_shows_the_error_but_not_its_cause() {
    let error = Error::new(ErrorKind::PartsMissing, "Two parts are missing.")
        .with("missing", json!([1, 3]))
        .with_field("#/parts", "missing", "Parts 1 and 3 are not held.")
        .caused_by("SELECT secret");
    let problem = Problem::new(
        &error,
        ProblemPlace {
            origin: "https://files.example.com",
            instance: "/v1/uploads/u/complete",
            request_id: RequestId::from_bits(7),
        },
    );
    let shown = serde_json::to_value(&problem).unwrap();
    assert_eq!(
        shown,
        json!({
            "type": "https://files.example.com/docs/problems/parts_missing/",
            "title": "Parts of the upload are missing", "status": 409, "code": "parts_missing",
            "detail": "Two parts are missing.", "instance": "/v1/uploads/u/complete",
            "request_id": RequestId::from_bits(7), "retryable": false, "retry_after": null,
            "hint": "Send the parts listed in `missing`, then complete again.", "decision_id": null,
            "errors": [{"pointer": "#/parts", "code": "missing", "detail": "Parts 1 and 3 are not held."}],
            "missing": [1, 3],
        })
    );
    assert_eq!(serde_json::from_value::<Problem>(shown).unwrap(), problem);
}
