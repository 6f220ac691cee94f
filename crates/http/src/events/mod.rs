//! Events: published journal entries, as a feed and as a stream.

pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod stream;
pub(crate) mod types;

use bailee_model::{Error, ErrorKind, EventType};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::site::Site;

pub(crate) fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(stream::stream))
        .routes(routes!(types::types))
        .routes(routes!(get::get))
}

/// The highest sequence there can be: sequences are stored, and documented, as signed numbers of 64 bits.
const SEQUENCE_MAX: u64 = i64::MAX as u64;

/// `?after=`
fn sequence(after: Option<u64>) -> Result<Option<u64>, Error> {
    if after.is_none_or(|after| after <= SEQUENCE_MAX) {
        return Ok(after);
    }
    let detail = format!("`after` is a number from 0 to {SEQUENCE_MAX}.");
    let error = Error::new(ErrorKind::InvalidParameter, detail.clone());
    Err(error.with_field("#/after", "out_of_range", detail))
}

/// `?type=`: one type, several with commas, or a family such as `transfer.*`. Nothing is all.
fn wanted_types(text: Option<&str>) -> Result<Vec<EventType>, Error> {
    let mut wanted = Vec::new();
    for word in text
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
    {
        let fits = |kind: &&EventType| match word.strip_suffix(".*") {
            Some(family) => kind.as_str().split('.').next() == Some(family),
            None => kind.as_str() == word,
        };
        let before = wanted.len();
        wanted.extend(EventType::ALL.iter().filter(fits).copied());
        if wanted.len() == before {
            let detail = "`type` names no type of event; `GET /v1/events/types` lists them.";
            return Err(Error::new(ErrorKind::InvalidParameter, detail)
                .with_field("#/type", "unknown", detail));
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn types_are_named_alone_together_and_by_family() {
        assert!(wanted_types(None).unwrap().is_empty());
        assert_eq!(wanted_types(Some("ping")).unwrap(), [EventType::Ping]);
        assert_eq!(wanted_types(Some("ping, file.uploaded")).unwrap().len(), 2);
        assert_eq!(wanted_types(Some("transfer.*")).unwrap().len(), 4);
        assert!(wanted_types(Some("transfer.finished")).is_err());
    }
}
