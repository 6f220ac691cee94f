//! Who asks. The sign-in middleware identifies the caller before anything of the request is parsed; handlers of
//! protected routes take it from here.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use bailee_core::Caller;
use bailee_model::{Error, ErrorKind};
use http::request::Parts;

use crate::problem::Failure;

/// The caller of a protected route.
pub(crate) struct Authenticated(pub(crate) Caller);

impl Deref for Authenticated {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        // Absent only if a route was mounted outside the protected ones: refuse rather than let anybody in.
        parts
            .extensions
            .get::<Caller>()
            .cloned()
            .map(Self)
            .ok_or_else(|| {
                Error::new(ErrorKind::CredentialMissing, "A credential is needed.").into()
            })
    }
}
