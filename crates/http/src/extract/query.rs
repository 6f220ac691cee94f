use axum::extract::FromRequestParts;
use axum::extract::Query as Loose;
use bailee_model::{Error, ErrorKind, FilePath, FolderPath, Timestamp};
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::problem::Failure;

/// The query parameters of an operation. That no others are there, and none twice, was seen before.
pub(crate) struct Query<T>(pub(crate) T);

impl<T, S> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        match Loose::<T>::try_from_uri(&parts.uri) {
            Ok(Loose(query)) => Ok(Self(query)),
            Err(rejection) => Err(refused(&rejection.body_text()).into()),
        }
    }
}

/// axum says "Failed to deserialize query string: limit: invalid digit found in string".
fn refused(message: &str) -> Error {
    let reason = message
        .split_once(": ")
        .map_or(message, |(_, reason)| reason);
    let detail = format!("{reason}.");
    let error = Error::new(ErrorKind::InvalidParameter, detail.clone());
    match reason.split_once(": ") {
        Some((name, _)) => error.with_field(&format!("#/{name}"), "invalid", detail),
        None => error,
    }
}

/// `?path=`
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PathQuery {
    /// A path, with or without its leading `/`.
    #[param(example = "/reports/report.csv")]
    pub(crate) path: String,
}

/// A file's path from a query or body.
pub(crate) fn file_path(text: &str) -> Result<FilePath, Error> {
    Ok(text.parse::<FilePath>()?)
}

/// A folder's path from a query or body.
pub(crate) fn folder_path(text: &str) -> Result<FolderPath, Error> {
    Ok(text.parse::<FolderPath>()?)
}

/// The same where it may be absent.
pub(crate) fn folder_path_or_none(text: Option<&str>) -> Result<Option<FolderPath>, Error> {
    text.map(folder_path).transpose()
}

/// A time from a query, RFC 3339.
pub(crate) fn time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Error> {
    let Some(text) = text else { return Ok(None) };
    Timestamp::parse(text).map(Some).ok_or_else(|| {
        let detail = format!("`{name}` is a time such as 2026-11-21T09:14:00.000Z.");
        Error::new(ErrorKind::InvalidParameter, detail.clone()).with_field(
            &format!("#/{name}"),
            "invalid",
            detail,
        )
    })
}

/// One of a closed set of words from a query.
pub(crate) fn one_of(
    name: &str,
    text: Option<String>,
    known: &[&str],
) -> Result<Option<String>, Error> {
    match text {
        Some(text) if !known.contains(&text.as_str()) => {
            let detail = format!("`{name}` is one of `{}`.", known.join("`, `"));
            let pointer = format!("#/{name}");
            Err(Error::new(ErrorKind::InvalidParameter, detail.clone())
                .with_field(&pointer, "unknown", detail))
        }
        fits => Ok(fits),
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use super::*;
    use crate::extract::PageQuery;

    #[test]
    fn a_value_that_cannot_be_is_named() {
        let uri = "/files?limit=many".parse().unwrap();
        let rejection = Loose::<PageQuery>::try_from_uri(&uri).err().unwrap();
        let error = refused(&rejection.body_text());
        assert_eq!(error.kind(), ErrorKind::InvalidParameter);
        assert_eq!(error.fields()[0].pointer, "#/limit");
    }
}
