use axum::extract::Path;
use axum::response::Response;
use bailee_api::{PROBLEM_PAGES, problem_page};
use bailee_model::Error;

use super::html;
use crate::answer::Answer;

/// The page about one code: what `type` in a problem points at.
pub(super) async fn page(Path(code): Path<String>) -> Answer<Response> {
    let text = problem_page(&code).ok_or_else(|| Error::not_found("page"))?;
    Ok(html::page(&code, &html::markdown(text)))
}

/// All codes.
pub(super) async fn list() -> Response {
    let items: String = PROBLEM_PAGES
        .iter()
        .map(|code| format!("<li><a href=\"/docs/problems/{code}/\"><code>{code}</code></a>"))
        .collect::<Vec<_>>()
        .concat();
    html::page("Problems", &format!("<h1>Problems</h1><ul>{items}</ul>"))
}
