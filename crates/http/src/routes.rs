//! Every operation of the API, on one screen.

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

use crate::site::Site;
use crate::{
    alert_rules, alerts, api_keys, audit, auth, calendars, channels, connectors, deliveries,
    events, files, flow_runs, flows, folders, middleware, pgp_keys, remotes, schedules, secrets,
    service_accounts, settings, system, tenants, transfers, uploads, users, webhooks,
};

/// All operations with their descriptions: a route that is not described does not exist.
pub(crate) fn described() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .merge(auth::routes())
        .merge(files::routes())
        .merge(folders::routes())
        .merge(uploads::routes())
        .merge(transfers::routes())
        .merge(remotes::routes())
        .merge(connectors::routes())
        .merge(schedules::routes())
        .merge(calendars::routes())
        .merge(alerts::routes())
        .merge(alert_rules::routes())
        .merge(pgp_keys::routes())
        .merge(secrets::routes())
        .merge(channels::routes())
        .merge(flows::routes())
        .merge(flow_runs::routes())
        .merge(events::routes())
        .merge(webhooks::routes())
        .merge(deliveries::routes())
        .merge(audit::routes())
        .merge(users::routes())
        .merge(service_accounts::routes())
        .merge(api_keys::routes())
        .merge(settings::routes())
        .merge(tenants::routes())
        .merge(system::routes())
}

/// The router of the API, without its mount.
pub(crate) fn api(site: &Site) -> Router<Site> {
    let (router, _) = described().split_for_parts();
    middleware::within(router, site)
}
