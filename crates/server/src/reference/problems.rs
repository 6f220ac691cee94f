//! The index of problem codes, and of the codes with which transfers and steps of flows end.

use std::fmt::Write as _;

use bailee_api::{STEP_CODES, TRANSFER_CODES, problem_kind, problem_page};
use bailee_model::ErrorKind;

const HEAD: &str = "\
Every error answer is `application/problem+json` (RFC 9457) with a stable `code`; branch on that, not on `title` or `detail`.
*Retry* says whether the same request may succeed later; the answer says it as `retryable`, and in `retry_after` when.
Error answers of download routes to requests with `Range` have no body: their code is in the header `Bailee-Problem`.
The server itself answers each page under `/docs/problems/{code}/`, where the problem's `type` points.

| Code | Status | Retry | Meaning | What to do |
|---|---|---|---|---|
";

const TRANSFERS: &str = "
## Codes of failed transfers

A transfer that ends with `state: \"failed\"` has one of these in `error_code`, and the cause in words in `error_message`.

| Code | Meaning |
|---|---|
";

const STEPS: &str = "
## Codes of failed steps

A step of a flow that fails has one of these, or one of the codes above, and the cause in words beside it.

| Code | Meaning |
|---|---|
";

pub(super) fn page() -> String {
    let mut page = format!("# Problems\n\n{}\n\n{HEAD}", super::MADE);
    for kind in ErrorKind::ALL {
        let row = problem_kind(*kind);
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            link(kind.code()),
            row.status,
            if row.retryable { "yes" } else { "no" },
            super::cell(row.title),
            super::cell(row.hint),
        );
    }
    page.push_str(TRANSFERS);
    for code in TRANSFER_CODES {
        let _ = writeln!(page, "| {} | {} |", link(code), super::cell(&meaning(code)));
    }
    page.push_str(STEPS);
    for code in STEP_CODES {
        let _ = writeln!(page, "| {} | {} |", link(code), super::cell(&meaning(code)));
    }
    page
}

fn link(code: &str) -> String {
    format!("[`{code}`](../problems/{code}.md)")
}

/// What stands in bold on the code's own page.
fn meaning(code: &str) -> String {
    let page = problem_page(code).unwrap_or_default();
    page.split("**").nth(1).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_a_transfer_or_step_has_a_meaning() {
        for code in TRANSFER_CODES.iter().chain(STEP_CODES) {
            assert_ne!(meaning(code), "", "{code}");
        }
    }
}
