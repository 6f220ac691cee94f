//! The crate from outside: round trips, other programs, refusals, hostile bytes.

mod archives;
mod checksums;
mod gnupg;
mod kit;
mod pgp;
mod validation;
