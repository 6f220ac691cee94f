//! Rules that hold for every operation, checked over the API document: an operation that is added is checked by itself.

mod access;
mod document;
mod everywhere;
mod exceptions;
mod journal;
mod mounts;
mod refusals;
mod replay;
mod strictness;
mod world;
