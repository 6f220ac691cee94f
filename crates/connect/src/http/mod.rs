//! HTTP to far systems: one guarded client that all connectors over HTTP share.
//!
//! Every address is judged by [`EgressGuard`], redirects are not followed, plain HTTP goes to this machine only, and
//! neither a head nor a body may stay silent for long. Answers become faults here, so that connectors see success only.

mod answer;
mod auth;
mod body;
mod client;
mod ranged;
mod sending;
mod site;
mod whole;

pub(crate) use answer::{document, entity_tag, expect, header, next_piece, status_fault, wait};
pub use auth::HttpAuth;
pub(crate) use body::{Feed, feed, stream};
pub(crate) use client::{HttpClient, host_port};
pub(crate) use ranged::{Head, fetch, timestamp};
pub(crate) use sending::Sending;
pub(crate) use site::Site;
pub(crate) use whole::Whole;
