use axum::extract::{FromRequestParts, Path};
use bailee_model::Error;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Failure;

/// What stands in the path. Text that cannot be an id names nothing: 404, as for an id that is not there.
pub(crate) struct Id<T>(pub(crate) T);

impl<T, S> FromRequestParts<S> for Id<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(Error::not_found("object").into()),
        }
    }
}
