//! What is the same for every request, in the order in which it happens:
//!
//! 1. [`observe`]: facts of the request, span, one access line, metrics; panics become problems, failures get their
//!    body, answers their security headers
//! 2. [`admit`]: draining, host, content coding
//! 3. [`sign_in`]: who asks, and whether it asks too often; before anything else is parsed
//! 4. [`parameters`]: query parameters that the API document does not name
//! 5. [`idempotency`]: POST with `Idempotency-Key`
//!
//! [`settle`] is around all of it: it keeps the connection fit for the next request.

mod admit;
mod facts;
mod idempotency;
mod observe;
mod parameters;
mod settle;
mod sign_in;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

pub(crate) use self::facts::RequestFacts;
pub(crate) use self::idempotency::say_replayed;
pub use self::observe::{REQUEST_SECONDS, REQUEST_SECONDS_BUCKETS};
pub(crate) use self::sign_in::{asking, guesses, identify, refuse_if_over};
use crate::site::Site;

// Each layer of a router costs every request several allocations, so the steps call each other where they can.

/// Steps 1 and 2, for every route and for what has none. The layer added last runs first.
pub(crate) fn around(router: Router<Site>, site: &Site) -> Router<Site> {
    router
        .layer(from_fn_with_state(site.clone(), observe::observe))
        .layer(from_fn(settle::settle))
}

/// Steps 3 to 5, for the operations of the API.
pub(crate) fn within(router: Router<Site>, site: &Site) -> Router<Site> {
    router.route_layer(from_fn_with_state(site.clone(), sign_in::sign_in))
}
