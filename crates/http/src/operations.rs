//! What the API document says about each operation, ready to be looked up for a request.

use std::collections::HashMap;
use std::sync::Arc;

use http::Method;
use utoipa::openapi::path::{Operation as Described, Parameter, ParameterIn};
use utoipa::openapi::{OpenApi, RefOr};

/// Which allowance a request of an operation is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Allowance {
    /// Reads.
    Read,
    /// Writes.
    Write,
    /// Sign-in checks.
    Auth,
    /// Transfer status, which clients poll.
    Status,
    /// None: parts and downloads count as bytes and connections only.
    Free,
}

/// One operation of the API.
#[derive(Debug)]
pub(crate) struct Operation {
    /// `files.upload`.
    pub(crate) id: Arc<str>,
    /// Names of its query parameters.
    pub(crate) query: Vec<String>,
    /// What its requests are counted as.
    pub(crate) allowance: Allowance,
    /// Whether it is for callers without an API key.
    pub(crate) needs_no_key: bool,
    /// Whether it answers with the bytes of a file.
    pub(crate) is_download: bool,
}

/// All operations, by method and path pattern.
pub(crate) struct Operations(HashMap<(Method, String), Arc<Operation>>);

impl Operations {
    /// Reads the document.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let mut all = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, described) in methods(item) {
                let known = Arc::new(operation(&method, described));
                all.insert((method, path.clone()), known);
            }
        }
        Self(all)
    }

    /// The operation of a method and a path pattern without `/v1`. HEAD is GET where it is not described.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<Arc<Operation>> {
        let at = |method: Method| self.0.get(&(method, path.to_owned())).cloned();
        at(method.clone()).or_else(|| {
            if method == Method::HEAD {
                at(Method::GET)
            } else {
                None
            }
        })
    }
}

/// The methods of a path with their operations.
pub(crate) fn methods(
    item: &utoipa::openapi::PathItem,
) -> impl Iterator<Item = (Method, &Described)> {
    [
        (Method::GET, &item.get),
        (Method::HEAD, &item.head),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, described)| Some((method, described.as_ref()?)))
}

/// The parameters of an operation. Ours are never references.
pub(crate) fn parameters(described: &Described) -> impl Iterator<Item = &Parameter> {
    described
        .parameters
        .iter()
        .flatten()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        })
}

fn operation(method: &Method, described: &Described) -> Operation {
    let id = described.operation_id.clone().unwrap_or_default();
    let query = parameters(described)
        .filter(|parameter| parameter.parameter_in == ParameterIn::Query)
        .map(|parameter| parameter.name.clone())
        .collect();
    Operation {
        query,
        allowance: allowance(method, &id),
        needs_no_key: is_public(&id) || is_signed(&id),
        is_download: DOWNLOADS.contains(&id.as_str()),
        id: id.into(),
    }
}

/// Operations that answer with the bytes of a file.
pub(crate) const DOWNLOADS: [&str; 4] = [
    "files.download",
    "files.download_head",
    "files.read_content",
    "files.read_content_head",
];

/// Whether an operation needs no credential.
pub(crate) fn is_public(id: &str) -> bool {
    id == "audit.keys"
}

/// Whether callers of an operation prove themselves by a secret of the thing that they call.
pub(crate) fn is_signed(id: &str) -> bool {
    id == "flows.hook"
}

fn allowance(method: &Method, id: &str) -> Allowance {
    match id {
        "auth.validate" => Allowance::Auth,
        "transfers.status" => Allowance::Status,
        "uploads.put_part" => Allowance::Free,
        id if DOWNLOADS.contains(&id) => Allowance::Free,
        _ if method == Method::GET || method == Method::HEAD => Allowance::Read,
        _ => Allowance::Write,
    }
}
