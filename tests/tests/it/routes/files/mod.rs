//! `/files`.

mod change;
mod content;
mod download;
mod list;
mod upload;
