//! The API reference: the document as one page that needs no script.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use utoipa::openapi::path::{Operation, ParameterIn};

use super::html::{self, escape};
use crate::operations::methods;
use crate::site::Site;

/// The page.
pub(super) async fn page(State(site): State<Site>) -> Response {
    html::page("API", site.reference())
}

/// The page's body, made once at start.
pub(crate) fn render(document: &utoipa::openapi::OpenApi) -> String {
    let mut by_tag: BTreeMap<String, String> = BTreeMap::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in methods(item) {
            let tag = operation
                .tags
                .iter()
                .flatten()
                .next()
                .cloned()
                .unwrap_or_default();
            by_tag
                .entry(tag)
                .or_default()
                .push_str(&described(method.as_str(), path, operation));
        }
    }
    let index: String = by_tag
        .keys()
        .map(|tag| format!("<a href=\"#{0}\">{0}</a> ", escape(tag)))
        .collect::<Vec<_>>()
        .concat();
    let sections: String = by_tag
        .iter()
        .map(|(tag, operations)| format!("<h2 id=\"{0}\">{0}</h2>{operations}", escape(tag)))
        .collect::<Vec<_>>()
        .concat();
    format!(
        "<h1>API, version 1</h1><p>All paths are below <code>/v1</code> and, the same, below <code>/</code>. \
         The machine-readable form with all schemas is <a href=\"/openapi.json\">/openapi.json</a>; errors are \
         explained <a href=\"/docs/problems/\">here</a>.</p><p>{index}</p>{sections}"
    )
}

fn described(method: &str, path: &str, operation: &Operation) -> String {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let text = |text: &Option<String>| html::markdown(text.as_deref().unwrap_or_default());
    format!(
        "<h3 id=\"{0}\"><code>{method} {1}</code></h3>{2}{3}<p><small>{0}</small></p>{4}{5}",
        escape(id),
        escape(path),
        text(&operation.summary),
        text(&operation.description),
        parameters(operation),
        answers(operation),
    )
}

fn parameters(operation: &Operation) -> String {
    let rows: String = crate::operations::parameters(operation)
        .map(|parameter| {
            let place = match parameter.parameter_in {
                ParameterIn::Path => "path",
                ParameterIn::Query | ParameterIn::QueryString => "query",
                ParameterIn::Header => "header",
                ParameterIn::Cookie => "cookie",
            };
            let told = escape(parameter.description.as_deref().unwrap_or_default());
            format!(
                "<tr><td><code>{}</code><td>{place}<td>{told}",
                escape(&parameter.name)
            )
        })
        .collect::<Vec<_>>()
        .concat();
    if rows.is_empty() {
        rows
    } else {
        format!("<table><tr><th>Parameter<th>In<th>Meaning{rows}</table>")
    }
}

fn answers(operation: &Operation) -> String {
    let rows: String = operation
        .responses
        .responses
        .iter()
        .map(|(status, response)| {
            let told = match response {
                utoipa::openapi::RefOr::T(response) => escape(&response.description),
                utoipa::openapi::RefOr::Ref(_) => "A problem".to_owned(),
            };
            format!("<tr><td>{}<td>{told}", escape(status))
        })
        .collect::<Vec<_>>()
        .concat();
    format!("<table><tr><th>Status<th>Answer{rows}</table>")
}
