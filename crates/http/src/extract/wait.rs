use std::time::Duration;

use axum::extract::{FromRequestParts, Query as Loose};
use bailee_model::{Error, ErrorKind, limit};
use http::request::Parts;
use serde::Deserialize;

use crate::problem::Failure;

/// `?wait=`
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitQuery {
    /// Seconds for which the answer is held until something changes, up to 60.
    #[param(minimum = 0, maximum = 60)]
    pub(crate) wait: Option<u64>,
}

/// How long an answer may be held.
pub(crate) struct Wait(pub(crate) Duration);

impl<S: Sync> FromRequestParts<S> for Wait {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let asked = Loose::<WaitQuery>::try_from_uri(&parts.uri)
            .ok()
            .map(|Loose(query)| Duration::from_secs(query.wait.unwrap_or(0)))
            .filter(|wait| *wait <= limit::WAIT_MAX);
        asked.map(Self).ok_or_else(|| {
            let detail = "`wait` is a number of seconds from 0 to 60.";
            Error::new(ErrorKind::InvalidParameter, detail)
                .with_field("#/wait", "out_of_range", detail)
                .into()
        })
    }
}
