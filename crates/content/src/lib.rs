//! What the steps of a flow do to the content of files: OpenPGP, archives, validation, checksums.
//!
//! Every transform reads one byte stream, writes another and holds a bounded amount of it. None knows a tenant, a database or a
//! remote; time and chance are arguments. What goes wrong is told in words a person who sends files understands, with a code
//! that stays ([`Error::code`]).
//!
//! **Output counts only when the function has returned `Ok`.** Some faults show at the end of the input alone: the integrity
//! check of an encrypted message, a signature, the checksum of an archive. So callers write output where nobody sees it yet, and
//! publish or erase it by the result.

pub mod archive;
pub mod checksum;
mod error;
pub mod limit;
pub mod pgp;
pub mod validate;
mod worker;

pub use error::{Error, Result};
pub use worker::Source;
