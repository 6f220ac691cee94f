//! The HTTP API: routes, answers and the API document. It turns requests into commands for core and results into
//! answers, and decides nothing itself.
//!
//! One router is mounted twice, at `/v1` and at `/`. Whatever is the same for all operations happens in
//! [`middleware`], once and in one order; a handler extracts, calls core once and shapes the answer. Each failure
//! travels as a [`bailee_model::Error`] to one place ([`problem`]) that writes it as `application/problem+json`.
#![warn(missing_docs)]

mod alert_rules;
mod alerts;
mod answer;
mod body;
mod calendars;
mod caller;
mod channels;
mod cursor;
mod digest;
mod download;
mod extract;
mod limit;
mod middleware;
mod object_view;
mod openapi;
mod operations;
mod options;
mod pages;
mod peer;
mod problem;
mod rate_limit;
mod routes;
mod schedules;
mod secrets;
mod site;

mod api_keys;
mod audit;
mod auth;
mod connectors;
mod deliveries;
mod events;
mod files;
mod flow_runs;
mod flows;
mod folders;
mod pgp_keys;
mod remotes;
mod service_accounts;
mod settings;
mod system;
mod tenants;
mod transfers;
mod uploads;
mod users;
mod webhooks;

pub use middleware::{REQUEST_SECONDS, REQUEST_SECONDS_BUCKETS};
pub use openapi::{document, document_json};
pub use options::{CursorKey, HttpOptions};
pub use peer::Peer;
pub use rate_limit::RateLimits;

use axum::Router;
use bailee_core::Core;

use crate::site::Site;

/// The whole HTTP surface over `core`. Every request needs a [`Peer`] among its extensions for limits by address.
pub fn router(core: Core, options: HttpOptions) -> Router {
    core.attach_view(object_view::object_view());
    let site = Site::new(core, options);
    let api = routes::api(&site);
    let all = Router::new()
        .nest("/v1", api.clone())
        .merge(api)
        .merge(pages::routes())
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::method_not_allowed);
    middleware::around(all, &site).with_state(site)
}
