use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use bailee_model::limit;
use http::HeaderName;
use http::request::Parts;

/// Says which preference was heeded.
pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// `Prefer` (RFC 7240). What is not understood is left aside, as it asks.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct Prefer {
    /// `wait=20` holds the answer for so many seconds at most, up to 60, until the work is done.
    #[param(rename = "Prefer", value_type = Option<String>, example = "wait=2")]
    wait_seconds: Option<u64>,
}

impl Prefer {
    /// How long to hold the answer.
    pub(crate) fn wait(&self) -> Option<Duration> {
        let wait = self.wait_seconds.map(Duration::from_secs)?;
        Some(wait.min(limit::WAIT_MAX))
    }

    /// The value of `Preference-Applied`.
    pub(crate) fn applied(&self) -> String {
        format!("wait={}", self.wait().unwrap_or_default().as_secs())
    }
}

impl<S: Sync> FromRequestParts<S> for Prefer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let values = parts.headers.get_all("prefer").iter();
        let mut words = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        let wait_seconds = words.find_map(|word| {
            let (name, value) = word.trim().split_once('=')?;
            let value = value.split(';').next().unwrap_or_default();
            let value = value.trim().trim_matches('"');
            name.trim()
                .eq_ignore_ascii_case("wait")
                .then(|| value.parse().ok())?
        });
        Ok(Self { wait_seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(value: &str) -> Option<u64> {
        let request = http::Request::builder().header("prefer", value).body(());
        let (mut parts, ()) = request.unwrap_or_default().into_parts();
        let Ok(prefer) = Prefer::from_request_parts(&mut parts, &()).await;
        prefer.wait().map(|wait| wait.as_secs())
    }

    #[tokio::test]
    async fn a_wait_is_read_among_other_preferences() {
        assert_eq!(read("wait=20").await, Some(20));
        assert_eq!(read("respond-async, Wait = 5;x=y").await, Some(5));
        assert_eq!(read("wait=\"7\"").await, Some(7));
        assert_eq!(read("wait=600").await, Some(60));
        assert_eq!(read("wait=-1").await, None);
        assert_eq!(read("handling=lenient").await, None);
    }
}
