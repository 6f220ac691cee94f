//! Which connector, with what.

use crate::connector::Connector;
use crate::egress::EgressGuard;
use crate::fault::Result;
use crate::ftps::{Ftps, FtpsConfig};
use crate::local::{Local, LocalConfig};
use crate::sftp::{Sftp, SftpConfig};

/// A far system to open.
#[derive(Clone, Debug)]
pub enum ConnectorSpec {
    /// A server that speaks SFTP over SSH.
    Sftp(SftpConfig),
    /// A server that speaks FTP over TLS.
    Ftps(FtpsConfig),
    /// A folder on this machine that the operator allows.
    Local(LocalConfig),
}

/// Connects and signs in. Every address is judged by `guard` before it is connected to.
pub async fn open(spec: ConnectorSpec, guard: &EgressGuard) -> Result<Box<dyn Connector>> {
    Ok(match spec {
        ConnectorSpec::Sftp(config) => Box::new(Sftp::open(&config, guard).await?),
        ConnectorSpec::Ftps(config) => Box::new(Ftps::open(&config, guard).await?),
        ConnectorSpec::Local(config) => Box::new(Local::open(config).await?),
    })
}

impl ConnectorSpec {
    /// Host and port of the far system, where it has any.
    pub(crate) fn host_port(&self) -> Option<(&str, u16)> {
        match self {
            Self::Sftp(config) => Some((&config.host, config.port)),
            Self::Ftps(config) => Some((&config.host, config.port)),
            Self::Local(_) => None,
        }
    }
}
