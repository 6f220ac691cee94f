//! How remotes fare.

use bailee_model::{self as model, RemoteId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RemoteTestStep;
use crate::Links;
use crate::word::{words, words_from};

words! {
    /// How a remote fares, as far as its transfers and its watch can tell.
    RemoteHealthState {
        /// Nobody has tried it.
        Unknown = "unknown",
        /// The last try reached it.
        Healthy = "healthy",
        /// It cannot be reached, or lets nobody in.
        Unhealthy = "unhealthy",
    }
}
words_from!(bailee_model::HealthState => RemoteHealthState { Unknown, Healthy, Unhealthy });

words! {
    /// Whether transfers may go to a remote.
    Circuit {
        /// They may.
        Closed = "closed",
        /// They wait.
        Open = "open",
        /// One of them tries, the others wait.
        HalfOpen = "half_open",
    }
}
words_from!(bailee_model::Circuit => Circuit { Closed, Open, HalfOpen });

/// How a remote fares: `GET /remotes/{remote_id}/health`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RemoteHealth {
    /// Names the remote.
    #[schema(value_type = String, example = "rem_01m7yp4kyae4ma4jz41b93y214")]
    pub remote_id: RemoteId,
    /// How it fares.
    pub state: RemoteHealthState,
    /// Since when.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Why it is not well: one of the transfer codes.
    #[schema(required)]
    pub error_code: Option<String>,
    /// The same in plain words.
    #[schema(required)]
    pub error_message: Option<String>,
    /// What to do about it.
    #[schema(required)]
    pub hint: Option<String>,
    /// Whether transfers may go there. After 5 transient failures in a row they wait for a minute, then one tries for all.
    pub circuit: Circuit,
    /// Transient failures in a row.
    pub failures: u32,
    /// Until when transfers wait, where they do.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub waits_until: Option<Timestamp>,
    /// When it was last looked at.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub checked_at: Option<Timestamp>,
    /// What was tried then.
    pub steps: Vec<RemoteTestStep>,
    /// The certificates that were seen then.
    pub certificates: Vec<RemoteCertificate>,
    /// Where the remote is found.
    pub links: Links,
}

/// A certificate that is needed to reach a remote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemoteCertificate {
    /// Whose it is: `server`, or `client` for the one that we show.
    #[schema(example = "server")]
    pub owner: String,
    /// Whom it names.
    #[schema(example = "CN=sftp.bank.example")]
    pub subject: String,
    /// When it is no longer good.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub expires_at: Timestamp,
}

impl RemoteHealth {
    /// The health of the remote `id`.
    pub fn of(id: RemoteId, health: &model::RemoteHealth) -> Self {
        let cause = health.cause.as_ref();
        Self {
            remote_id: id,
            state: health.state.into(),
            since: health.since,
            error_code: cause.map(|cause| cause.code.clone()),
            error_message: cause.map(|cause| cause.message.clone()),
            hint: cause.and_then(|cause| cause.hint.clone()),
            circuit: health.circuit.into(),
            failures: health.failures,
            waits_until: health.waits_until,
            checked_at: health.checked_at,
            steps: health.steps.iter().map(Into::into).collect(),
            certificates: health.certificates.iter().map(Into::into).collect(),
            links: Links::to("remotes", id),
        }
    }
}

impl From<&model::HealthStep> for RemoteTestStep {
    fn from(step: &model::HealthStep) -> Self {
        Self {
            name: step.name.clone(),
            ok: step.is_ok,
            duration_seconds: step.duration_ms as f64 / 1000.0,
            detail: Some(step.detail.clone()).filter(|detail| !detail.is_empty()),
            error_code: step.error_code.clone(),
            hint: step.hint.clone(),
        }
    }
}

impl From<&model::RemoteCertificate> for RemoteCertificate {
    fn from(certificate: &model::RemoteCertificate) -> Self {
        Self {
            owner: certificate.owner.clone(),
            subject: certificate.subject.clone(),
            expires_at: certificate.expires_at,
        }
    }
}
