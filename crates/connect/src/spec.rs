//! Which connector, with what.

use url::Url;

use crate::azure_blob::{AzureBlob, AzureBlobConfig};
use crate::bailee::{Bailee, BaileeConfig};
use crate::certificate::CertificateSight;
use crate::connector::Connector;
use crate::egress::EgressGuard;
use crate::fault::Result;
use crate::ftps::{Ftps, FtpsConfig};
use crate::gcs::{Gcs, GcsConfig};
use crate::http::host_port;
use crate::https::{Https, HttpsConfig};
use crate::local::{Local, LocalConfig};
use crate::s3::{S3, S3Config};
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
    /// A bucket of S3, or of a store that speaks its protocol.
    S3(Box<S3Config>),
    /// A container of Azure Blob Storage.
    AzureBlob(Box<AzureBlobConfig>),
    /// A bucket of Google Cloud Storage.
    Gcs(Box<GcsConfig>),
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
        ConnectorSpec::S3(config) => Box::new(S3::open(&config, guard).await?),
        ConnectorSpec::AzureBlob(config) => Box::new(AzureBlob::open(&config, guard).await?),
        ConnectorSpec::Gcs(config) => Box::new(Gcs::open(&config, guard).await?),
    })
}

impl ConnectorSpec {
    /// Where the certificate is noted that the far system shows, if it speaks TLS.
    pub(crate) fn sight(&self) -> Option<CertificateSight> {
        let tls = match self {
            Self::Sftp(_) | Self::Local(_) => return None,
            Self::Ftps(config) => &config.tls,
            Self::Https(config) => &config.tls,
            Self::Webdav(config) => &config.tls,
            Self::Bailee(config) => &config.tls,
            Self::S3(config) => &config.tls,
            Self::AzureBlob(config) => &config.tls,
            Self::Gcs(config) => &config.tls,
        };
        Some(tls.sight.clone())
    }

    /// Host and port that are connected to, where there are any.
    pub(crate) fn host_port(&self) -> Option<(String, u16)> {
        match self {
            Self::Sftp(config) => Some((config.host.clone(), config.port)),
            Self::Ftps(config) => Some((config.host.clone(), config.port)),
            Self::Local(_) => None,
            Self::Https(config) => of_url(&config.base_url, config.proxy.as_ref()),
            Self::Webdav(config) => of_url(&config.base_url, config.proxy.as_ref()),
            Self::Bailee(config) => of_url(&config.base_url, config.proxy.as_ref()),
            Self::S3(config) => config.host_port(),
            Self::AzureBlob(config) => config.host_port(),
            Self::Gcs(config) => config.host_port(),
        }
    }
}

/// Host and port that are connected to: those of the proxy if there is one, which looks the others up itself.
fn of_url(base: &Url, proxy: Option<&Url>) -> Option<(String, u16)> {
    host_port(proxy.unwrap_or(base))
}
