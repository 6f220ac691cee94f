//! OpenPGP as RFC 9580 and GnuPG write it: keys, encryption, signatures.
//!
//! Messages stream: a piece each way is held, whatever their size. What is decrypted is written **before** its integrity and its
//! signatures are known, since both stand at the end of a message; [`open`] answers `Ok` only when they hold. Refused with their
//! cause: keys that are expired, revoked, not yet valid or weak, signatures by MD5 or SHA-1, ciphers of 64-bit blocks, encryption
//! without integrity protection, and messages for somebody else.
//!
//! Absent: trust between keys (who may sign is the caller's list), passwords in place of recipients, key servers, bzip2.

mod chance;
mod detached;
mod error;
mod generate;
mod key;
mod message;
mod signature;
mod validity;
mod write;

pub use detached::{SignDetached, sign_detached, verify_detached};
pub use error::PgpError;
pub use generate::{KeyAlgorithm, NewKey, generate};
pub use key::{KeyDescription, KeyState, Passphrase, PublicKey, SecretKey, SubkeyDescription};
pub use message::{Open, Opened, open};
pub use signature::{SignatureReport, Verdict};
pub use write::{Encoding, Seal, Signer, seal};
