//! Whether the server lives and takes work, and what it is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::words;

words! {
    /// How a server or a part of it stands.
    HealthStatus {
        /// All is well.
        Ok = "ok",
        /// Not ready yet.
        Starting = "starting",
        /// Finishes what it has and takes nothing new.
        Draining = "draining",
        /// Something it needs does not answer.
        Failed = "failed",
    }
}

/// Answer to `GET /healthz` and `GET /readyz`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok` with 200, anything else with 503.
    pub status: HealthStatus,
}

/// Answer to `GET /system/health` and `GET /readyz?verbose`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SystemHealth {
    /// The worst of the components.
    pub status: HealthStatus,
    /// What the server stands on.
    pub components: Vec<ComponentHealth>,
}

/// One thing that the server stands on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComponentHealth {
    /// Which: `database`, `blobs`, `engine`, …
    #[schema(example = "database")]
    pub name: String,
    /// How it stands.
    pub status: HealthStatus,
    /// What is wrong, in plain words.
    #[schema(required)]
    pub detail: Option<String>,
}

/// Answer to `GET /system/info`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SystemInfo {
    /// Always `bailee`.
    #[schema(example = "bailee")]
    pub name: String,
    /// Version of the server.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// Version of the API.
    #[schema(example = "v1")]
    pub api_version: String,
}
