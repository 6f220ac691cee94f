//! What the tests stand on: servers, callers, receivers, far systems.

mod answers;
mod api;
mod checks;
mod content;
mod form;
mod gpg;
mod peers;
mod postgres;
mod raw;
mod receiver;
mod server;
mod sshd;
mod strace;

pub(crate) use api::{Answer, Api, Call};
pub(crate) use content::{pattern, sha256, sha256_base64};
pub(crate) use form::Form;
pub(crate) use gpg::{Gpg, PARTNER_KEY};
pub(crate) use peers::{AZURE_KEY, GCS_TOKEN, PASSWORD, Peer, python};
pub(crate) use raw::Raw;
pub(crate) use receiver::{Received, Receiver, body_signature, standard_signature};
pub(crate) use server::{Options, Server, binary};
pub(crate) use sshd::Sshd;

use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// A test that waits longer than this for something that must happen has failed. Generous, since machines are busy.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks at a condition that nobody announces.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Where connections and receivers live: a test that blocks in its own runtime, as one does that drops a server, must
/// not keep them from being served.
pub(crate) fn background() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
    })
}
