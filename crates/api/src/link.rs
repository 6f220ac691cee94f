//! Links to the objects themselves, relative to the server and always below `/v1`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an object is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Links {
    /// The object itself.
    #[serde(rename = "self")]
    #[schema(example = "/v1/transfers/xfr_01m7yp4kyae4ma4jz41b93y214")]
    pub own: String,
}

impl Links {
    /// The link `/v1/<collection>/<id>`.
    pub fn to(collection: &str, id: impl std::fmt::Display) -> Self {
        Self {
            own: format!("/v1/{collection}/{id}"),
        }
    }
}
