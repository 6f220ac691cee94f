//! Settings of the server: one struct a section, from defaults, file, environment and flags.
//!
//! A later place wins: default, file, environment (`BAILEE__SECTION__KEY`), flag (`--set section.key=value`). Unknown
//! keys are errors that name the nearest known one. Secrets come only from files named by `…_file` or from the
//! environment; in the file or in a flag they are refused. [`load`](Loaded::load) reads nothing but the files that it
//! is told of: the environment is an argument.

mod bounds;
mod error;
mod keys;
mod load;
mod origin;
mod secret;
mod section;

pub use error::ConfigError;
pub use load::{LoadOptions, Loaded, Shown, USUAL_FILE};
pub use origin::Origin;
pub use secret::Secret;
pub use section::*;

/// The defaults as the operator reads them, with every key explained.
pub const DEFAULTS: &str = include_str!("../../bailee.default.toml");
