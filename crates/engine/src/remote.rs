//! From a remote's row and credential to what a connector needs.

use bailee_connect::{
    ConnectorSpec, LocalConfig, PrivateKey, RemotePath, RemotePathError, SftpConfig,
};
use bailee_core::model::RemoteAddress;
use bailee_core::{RemoteSecret, RemoteTarget};

/// What opens `target`. `local_folders` are those that the operator allows.
pub(crate) fn spec(
    target: &RemoteTarget,
    local_folders: &[String],
) -> Result<ConnectorSpec, RemotePathError> {
    Ok(match &target.remote.address {
        RemoteAddress::Sftp {
            host,
            port,
            username,
            host_key,
            base_path,
        } => {
            let mut config = SftpConfig::new(host, *port, username);
            config.host_key.clone_from(host_key);
            // `.` is how core writes the folder that the server starts in.
            config.base = if base_path.is_empty() || base_path == "." {
                None
            } else {
                Some(base_path.parse::<RemotePath>()?)
            };
            match &target.secret {
                Some(RemoteSecret::Password(password)) => config.password = Some(password.clone()),
                Some(RemoteSecret::PrivateKey { pem, passphrase }) => {
                    config.private_key = Some(PrivateKey {
                        pem: pem.clone(),
                        passphrase: passphrase.clone(),
                    });
                }
                None => {}
            }
            ConnectorSpec::Sftp(config)
        }
        RemoteAddress::Local { folder } => ConnectorSpec::Local(LocalConfig {
            folder: folder.into(),
            allowed_roots: local_folders.iter().map(Into::into).collect(),
        }),
    })
}
