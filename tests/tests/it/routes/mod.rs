//! Each route by itself, noun by noun.

mod alert_rules;
mod alerts;
mod api_keys;
mod audit;
mod auth;
mod bad_input;
mod calendars;
mod commands;
mod events;
mod files;
mod folders;
mod idempotency;
mod pgp_keys;
mod principals;
mod rate_limits;
mod refusals;
mod remotes;
mod schedules;
mod settings;
mod site;
mod site_files;
mod tenants;
mod transfers;
mod uploads;
mod webhook_options;
mod webhooks;
