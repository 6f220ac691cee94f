//! Who may do what: credentials made and verified, the caller they stand for, and the decision about what it asks.
//!
//! A door turns a credential into a [`Caller`]; [`Policies::decide`] alone turns a caller, an action and a resource
//! into a [`Permit`], and without a permit no row and no byte can be reached. Cedar decides everything, roles and
//! scopes alike (see `policies/`). Nothing here stores, logs or performs I/O.
#![warn(missing_docs)]

mod action;
mod caller;
mod key_text;
pub mod limit;
mod network;
mod permit;
mod policy;
mod question;
mod resource;
mod table;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use caller::{Caller, Door, Facts, RequestMark, VerifiedCredential, Via};
pub use key_text::{KeyEnv, KeyText, KeyTextError, same_hash};
pub use network::{network_admits, network_is_within, reads_as_network};
pub use permit::{Denied, Permit, Reason};
pub use policy::{Policies, PolicyError};
pub use resource::Resource;
pub use table::decision_table;
