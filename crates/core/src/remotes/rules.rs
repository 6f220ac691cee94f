use bailee_model::{Error, ErrorKind, RemoteAddress, RemoteName, Result, limit};

/// Most transfers with one remote at once.
const CONCURRENCY_MAX: u32 = 64;

/// Whether an address can be one; folders of this machine only below `allowed`.
pub(super) fn check_address(address: &RemoteAddress, allowed: &[String]) -> Result<()> {
    let plain = |text: &str| {
        !text.is_empty()
            && text.len() <= limit::TEXT_BYTES_MAX
            && !text.chars().any(char::is_control)
    };
    match address {
        RemoteAddress::Sftp {
            host,
            username,
            base_path,
            ..
        } => {
            if !plain(host) || host.contains(['/', '@', ' ']) {
                return Err(Error::field(
                    "#/host",
                    "invalid_host",
                    "Must be a host name or an address.",
                ));
            }
            if !plain(username) {
                return Err(Error::field(
                    "#/username",
                    "invalid_username",
                    "Must be a user name.",
                ));
            }
            if base_path.chars().any(char::is_control)
                || base_path.split('/').any(|part| part == "..")
            {
                return Err(Error::field(
                    "#/base_path",
                    "invalid_path",
                    "Must be a path without `..`.",
                ));
            }
            Ok(())
        }
        RemoteAddress::Local { folder } => {
            let is_below = |root: &String| {
                folder == root
                    || folder
                        .strip_prefix(root.trim_end_matches('/'))
                        .is_some_and(|rest| rest.starts_with('/'))
            };
            if folder.split('/').any(|part| part == "..") || !allowed.iter().any(is_below) {
                let detail =
                    "The operator does not allow this folder (setting `local.allow_folders`).";
                return Err(Error::new(ErrorKind::AddressNotAllowed, detail).with_field(
                    "#/folder",
                    "address_not_allowed",
                    detail,
                ));
            }
            Ok(())
        }
    }
}

/// Whether another machine would get the credential.
pub(super) fn is_elsewhere(new: &RemoteAddress, old: &RemoteAddress) -> bool {
    match (new, old) {
        (
            RemoteAddress::Sftp { host, port, .. },
            RemoteAddress::Sftp {
                host: old_host,
                port: old_port,
                ..
            },
        ) => host != old_host || port != old_port,
        _ => false,
    }
}

pub(super) fn concurrency(wanted: Option<u32>) -> Result<Option<u32>> {
    match wanted {
        Some(number) if number == 0 || number > CONCURRENCY_MAX => Err(Error::field(
            "#/concurrency",
            "out_of_range",
            format!("Must be 1 to {CONCURRENCY_MAX}."),
        )),
        other => Ok(other),
    }
}

pub(super) fn name_taken(name: &RemoteName) -> Error {
    Error::new(ErrorKind::NameTaken, format!("There is a remote `{name}`.")).with_field(
        "#/name",
        "name_taken",
        "Taken.",
    )
}
