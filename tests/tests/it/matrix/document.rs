//! The operations of the API document.

use reqwest::Method;
use serde_json::Value;

use crate::kit::Server;

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: Method,
    /// `/files/{file_id}`.
    pub(super) path: String,
    pub(super) is_public: bool,
    /// Names of query parameters that must be given.
    pub(super) required_query: Vec<String>,
    /// Whether it takes a body.
    pub(super) takes_body: bool,
    /// Whether it takes a JSON body.
    pub(super) takes_json: bool,
    /// Whether it takes `If-Match`.
    pub(super) is_guarded: bool,
}

impl Operation {
    /// Names of the parameters in the path.
    pub(super) fn path_parameters(&self) -> Vec<&str> {
        self.path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .collect()
    }

    pub(super) fn is_read(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }
}

/// All operations, by path.
pub(super) async fn operations(server: &Server) -> Vec<Operation> {
    let nobody = server.admin().nobody();
    let document = nobody
        .at(Method::GET, "/openapi.json")
        .send()
        .await
        .is(200)
        .json();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, described) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            // A door of its own, for callers who have a secret and no key: routes/flows/hook.rs.
            let is_signed = described["security"][0]["webhook_signature"].is_array();
            if described["operationId"].is_string() && !is_signed {
                all.push(operation(path, method, described));
            }
        }
    }
    assert!(all.len() > 70, "{} operations are not the API", all.len());
    all
}

fn operation(path: &str, method: Method, described: &Value) -> Operation {
    let parameters = described["parameters"].as_array();
    let mut headers = parameters.into_iter().flatten();
    let is_guarded = headers.any(|parameter| parameter["name"] == "If-Match");
    let required_query = parameters
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == "query" && parameter["required"] == true)
        .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
        .collect();
    Operation {
        id: described["operationId"].as_str().unwrap().to_owned(),
        method,
        path: path.to_owned(),
        is_public: described["security"].as_array().is_none_or(Vec::is_empty),
        required_query,
        is_guarded,
        takes_body: described["requestBody"].is_object(),
        takes_json: described["requestBody"]["content"]["application/json"].is_object(),
    }
}
