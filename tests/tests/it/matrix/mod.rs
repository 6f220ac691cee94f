//! Rules that hold for every operation, checked over the API document: an operation that is added is checked by itself.

mod access;
mod document;
mod exceptions;
mod journal;
mod mounts;
mod strictness;
mod world;
