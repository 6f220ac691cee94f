use std::path::PathBuf;

use super::origin::Origin;

/// What is wrong with the settings. No message quotes a value that may be secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is not TOML. The library's own message is left out of `Display` chains, because it quotes the line.
    #[error("{} is not TOML: line {line}: {problem}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// There is no such setting.
    #[error("unknown key `{key}` ({origin}){}", hint(nearest.as_deref()))]
    UnknownKey {
        /// As it was written, `section.key`.
        key: String,
        /// Where it was written.
        origin: Origin,
        /// The known key that resembles it most.
        nearest: Option<String>,
    },
    /// A value of the wrong type, or out of bounds.
    #[error("`{key}` ({origin}): {problem}")]
    Value {
        /// Which setting.
        key: String,
        /// Where it was set.
        origin: Origin,
        /// What is wrong.
        problem: String,
    },
    /// A secret where everybody can read it.
    #[error(
        "`{key}` ({origin}) is a secret; name a file with `{key}_file` or set it in the environment"
    )]
    SecretInClear {
        /// Which setting.
        key: String,
        /// Where it was set.
        origin: Origin,
    },
    /// A secret given both ways.
    #[error("`{key}` and `{key}_file` are both set; keep one")]
    SecretTwice {
        /// Which setting.
        key: String,
    },
    /// A file with a secret that everybody can read.
    #[error("{} can be read by everybody (mode {mode:04o}); allow its owner only: chmod 600", path.display())]
    OpenSecret {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file with a secret that has nothing in it.
    #[error("{} is empty; it should hold a secret", path.display())]
    EmptySecret {
        /// The file.
        path: PathBuf,
    },
    /// A `--set` that is not `section.key=value`.
    #[error("--set takes section.key=value")]
    FlagShape,
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| {
        format!("; did you mean `{nearest}`?")
    })
}
