//! The calls of the API, one file for each noun. Each is one request; retries are the transport's matter.

mod alerts;
mod api_keys;
mod audit;
mod auth;
mod calendars;
mod channels;
mod connectors;
mod events;
mod files;
mod flows;
mod folders;
mod pgp_keys;
mod principals;
mod raw;
mod remotes;
mod schedules;
mod secrets;
mod settings;
mod tenants;
mod transfers;
mod uploads;
mod webhooks;

pub use alerts::{AlertQuery, AlertRules, Alerts};
pub use api_keys::ApiKeys;
pub use audit::{Audit, AuditQuery};
pub use auth::Auth;
pub use calendars::Calendars;
pub use channels::Channels;
pub use connectors::Connectors;
pub use events::{EventQuery, Events};
pub use files::{FileQuery, FileRef, Files};
pub use flows::{FlowRunQuery, FlowRuns, Flows};
pub use folders::Folders;
pub use pgp_keys::PgpKeys;
pub use principals::{ServiceAccounts, Users};
pub use raw::RawCall;
pub use remotes::Remotes;
pub use schedules::Schedules;
pub use secrets::Secrets;
pub use settings::TenantSettings;
pub use tenants::Tenants;
pub use transfers::{TransferQuery, Transfers};
pub use uploads::Uploads;
pub use webhooks::{Deliveries, DeliveryQuery, Webhooks};

/// Makes the type of a noun: a borrowed client, and the way to it.
macro_rules! resource {
    ($(#[$doc:meta])* $name:ident, $from:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name<'a>(&'a $crate::Client);

        impl $crate::Client {
            $(#[$doc])*
            pub fn $from(&self) -> $name<'_> {
                $name(self)
            }
        }
    };
}
use resource;
