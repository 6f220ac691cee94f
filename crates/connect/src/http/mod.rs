//! HTTP to far systems: one guarded client that all connectors over HTTP share.
//!
//! Every address is judged by [`EgressGuard`], redirects are not followed, plain HTTP goes to this machine only, and
//! neither a head nor a body may stay silent for long. Answers become faults here, so that connectors see success only.

mod answer;
mod body;
mod client;

pub(crate) use answer::{document, entity_tag, expect, header, status_fault};
pub(crate) use body::{Feed, feed, stream};
pub(crate) use client::HttpClient;
