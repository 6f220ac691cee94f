use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};

use super::error::ConfigError;

/// The most that a file with a secret may hold.
const SECRET_BYTES_MAX: u64 = 64 * 1024;
const MODE_OTHERS: u32 = 0o007;
const MODE_BITS: u32 = 0o7777;

/// A secret given in the environment. It prints as a placeholder and is wiped from memory when dropped.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(input)?.into()))
    }
}

/// The secret that was given, or the one in `file`.
pub(crate) fn find(
    given: Option<&Secret>,
    file: Option<&Path>,
) -> Result<Option<SecretString>, ConfigError> {
    match (given, file) {
        (Some(Secret(secret)), _) => Ok(Some(secret.expose_secret().into())),
        (None, Some(path)) => read(path).map(Some),
        (None, None) => Ok(None),
    }
}

/// Reads a secret without the line end that editors and `echo` add. The file must not be readable by everybody.
fn read(path: &Path) -> Result<SecretString, ConfigError> {
    let failed = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & MODE_BITS;
    if mode & MODE_OTHERS != 0 {
        return Err(ConfigError::OpenSecret {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = zeroize::Zeroizing::new(String::new());
    file.take(SECRET_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(failed)?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(ConfigError::EmptySecret {
            path: path.to_owned(),
        });
    }
    Ok(secret.into())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_file_loses_its_line_end_and_must_be_private() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cret\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert_eq!(
            find(None, Some(&path)).unwrap().unwrap().expose_secret(),
            "s3cret"
        );
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            find(None, Some(&path)),
            Err(ConfigError::OpenSecret { mode: 0o644, .. })
        ));
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(
            find(None, Some(&path)),
            Err(ConfigError::EmptySecret { .. })
        ));
    }

    #[test]
    fn a_given_secret_does_not_print() {
        let given = Secret("postgres://u:pw@h/d".into());
        assert!(!format!("{given:?}").contains("pw"));
        assert_eq!(
            find(Some(&given), None).unwrap().unwrap().expose_secret(),
            "postgres://u:pw@h/d"
        );
    }
}
