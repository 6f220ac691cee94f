//! TLS sessions of one control connection, so that its data connections are seen to belong to it.
//!
//! Many servers take a data connection only if it resumes the session of its control connection. So each control
//! connection has a store of its own: sessions of another one would be refused. Tickets of TLS 1.3 are used once, as the
//! protocol asks; a data connection that is read to its end brings new ones.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls_pki_types::ServerName;

use crate::limit;

/// What one control connection and its data connections can resume. There is one server, so names do not count.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tickets: Vec<Tls13ClientSessionValue>,
    had_tickets: bool,
}

impl Sessions {
    /// The server gave tickets, and all of them are used up: the next data connection could not resume.
    pub(super) fn are_spent(&self) -> bool {
        let kept = self.lock();
        kept.had_tickets && kept.tickets.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.lock().group = Some(group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.lock().group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.lock().tls12 = Some(value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.lock().tls12.clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.lock().tls12 = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        let mut kept = self.lock();
        kept.had_tickets = true;
        if kept.tickets.len() >= limit::FTPS_TICKETS_MAX {
            kept.tickets.remove(0);
        }
        kept.tickets.push(value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.lock().tickets.pop()
    }
}
