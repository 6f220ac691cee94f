//! The bodies of requests and answers of the HTTP API, version 1.
//!
//! One file for each noun. The server and the Rust client share these types, so that both ends of the wire cannot
//! disagree. Three rules hold for all of them:
//!
//! - a request refuses fields that it does not know, so that a typo never passes in silence;
//! - an answer carries every documented field, `null` where there is nothing, and a reader skips fields that it does
//!   not know;
//! - words in answers (states, outcomes) are open: a reader keeps those it does not know ([`FileState::Other`]).
//!
//! Nothing here does I/O or decides anything: paths are plain text until core parses them.
#![warn(missing_docs)]
#![expect(
    clippy::struct_field_names,
    reason = "fields are named as on the wire: a webhook has its `webhook_id`"
)]

mod alert;
mod alert_rule;
mod api_key;
mod audit;
mod auth;
mod calendar;
mod channel;
mod connector;
mod event;
mod file;
mod flow;
mod folder;
mod health;
mod link;
mod object;
mod page;
mod patch;
mod pgp_key;
mod principal;
mod problem;
mod problem_page;
mod receipt;
mod remote;
mod schedule;
mod secret;
mod secrets;
mod settings;
mod tagged;
mod tenant;
mod transfer;
mod upload;
mod webhook;
mod word;

pub use alert::*;
pub use alert_rule::*;
pub use api_key::*;
pub use audit::*;
pub use auth::*;
pub use calendar::*;
pub use channel::*;
pub use connector::*;
pub use event::*;
pub use file::*;
pub use flow::*;
pub use folder::*;
pub use health::*;
pub use link::*;
pub use object::OfObject;
pub use page::*;
pub use patch::Patch;
pub use pgp_key::*;
pub use principal::*;
pub use problem::*;
pub use problem_page::*;
pub use receipt::*;
pub use remote::*;
pub use schedule::*;
pub use secret::SecretText;
pub use secrets::*;
pub use settings::*;
pub use tenant::*;
pub use transfer::*;
pub use upload::*;
pub use webhook::*;
