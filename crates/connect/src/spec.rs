//! Which connector, with what.

use url::Url;

use crate::bailee::{Bailee, BaileeConfig};
use crate::connector::Connector;
use crate::egress::EgressGuard;
use crate::fault::Result;
use crate::ftps::{Ftps, FtpsConfig};
use crate::https::{Https, HttpsConfig};
use crate::local::{Local, LocalConfig};
use crate::sftp::{Sftp, SftpConfig};
use crate::webdav::{Webdav, WebdavConfig};

/// A far system to open.
#[derive(Clone, Debug)]
pub enum ConnectorSpec {
    /// A server that speaks SFTP over SSH.
    Sftp(SftpConfig),
    /// A server that speaks FTP over TLS.
    Ftps(FtpsConfig),
    /// A folder on this machine that the operator allows.
    Local(LocalConfig),
    /// A web server whose files are at URLs.
    Https(HttpsConfig),
    /// A WebDAV server.
    Webdav(WebdavConfig),
    /// Another Bailee.
    Bailee(BaileeConfig),
}

/// Connects and signs in. Every address is judged by `guard` before it is connected to.
pub async fn open(spec: ConnectorSpec, guard: &EgressGuard) -> Result<Box<dyn Connector>> {
    Ok(match spec {
        ConnectorSpec::Sftp(config) => Box::new(Sftp::open(&config, guard).await?),
        ConnectorSpec::Ftps(config) => Box::new(Ftps::open(&config, guard).await?),
        ConnectorSpec::Local(config) => Box::new(Local::open(config).await?),
        ConnectorSpec::Https(config) => Box::new(Https::open(&config, guard).await?),
        ConnectorSpec::Webdav(config) => Box::new(Webdav::open(&config, guard).await?),
        ConnectorSpec::Bailee(config) => Box::new(Bailee::open(&config, guard).await?),
    })
}

impl ConnectorSpec {
    /// Host and port that are connected to, where there are any.
    pub(crate) fn host_port(&self) -> Option<(&str, u16)> {
        match self {
            Self::Sftp(config) => Some((&config.host, config.port)),
            Self::Ftps(config) => Some((&config.host, config.port)),
            Self::Local(_) => None,
            Self::Https(config) => of_url(&config.base_url, config.proxy.as_ref()),
            Self::Webdav(config) => of_url(&config.base_url, config.proxy.as_ref()),
            Self::Bailee(config) => of_url(&config.base_url, config.proxy.as_ref()),
        }
    }
}

/// Host and port that are connected to: those of the proxy if there is one, which looks the others up itself.
fn of_url<'a>(base: &'a Url, proxy: Option<&'a Url>) -> Option<(&'a str, u16)> {
    let url = proxy.unwrap_or(base);
    Some((url.host_str()?, url.port_or_known_default()?))
}
