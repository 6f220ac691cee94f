//! From a remote's row and secrets to what a connector needs.

use bailee_connect::{
    AzureBlobConfig, AzureCredential, BaileeConfig, ClientIdentity, ConnectorSpec, FtpsConfig,
    FtpsMode, GcsConfig, GcsCredential, HttpAuth, HttpsConfig, HttpsMethod, LocalConfig,
    PrivateKey, RemotePath, S3Config, S3Encryption, SftpConfig, SharedClock, TlsOptions,
    WebdavConfig,
};
use bailee_core::model::{
    self, HttpMethod, HttpSignIn, RemoteAddress, RemoteRoute, RemoteSecretField, RemoteTls,
};
use bailee_core::{RemoteSecret, RemoteTarget};
use secrecy::SecretString;
use url::Url;

use crate::Shared;

/// What is configured for a remote, and no connector can be made of.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    /// A path.
    #[error("the base folder cannot be used: {0}")]
    Base(#[from] bailee_connect::RemotePathError),
    /// A URL.
    #[error("`{0}` is not a URL")]
    Url(String),
    /// What the kind cannot do without.
    #[error("the remote has no {0}")]
    Missing(&'static str),
}

/// What opens `target`.
pub(crate) fn spec(target: &RemoteTarget, shared: &Shared) -> Result<ConnectorSpec, Unfit> {
    let clock = || SharedClock::new(shared.core.shared_clock());
    let secret = target.secret.clone().unwrap_or_default();
    let address = &target.remote.address;
    Ok(match address {
        RemoteAddress::Sftp { .. } => ConnectorSpec::Sftp(sftp(address, &secret)?),
        RemoteAddress::Ftps { .. } => ConnectorSpec::Ftps(ftps(address, &secret)?),
        RemoteAddress::Https { .. } => ConnectorSpec::Https(https(address, &secret)?),
        RemoteAddress::Webdav {
            url: base,
            sign_in,
            route,
        } => ConnectorSpec::Webdav(WebdavConfig {
            auth: auth(sign_in, &secret),
            tls: tls(&route.tls, &secret),
            proxy: proxy(route)?,
            ..WebdavConfig::new(url(base)?)
        }),
        RemoteAddress::S3 { .. } => ConnectorSpec::S3(Box::new(s3(address, &secret, clock())?)),
        RemoteAddress::AzureBlob { .. } => {
            ConnectorSpec::AzureBlob(Box::new(azure_blob(address, &secret, clock())?))
        }
        RemoteAddress::Gcs { .. } => ConnectorSpec::Gcs(Box::new(gcs(address, &secret, clock())?)),
        RemoteAddress::Bailee {
            url: server,
            base_path,
            route,
        } => {
            let api_key = needed(&secret, RemoteSecretField::ApiKey, "API key")?;
            ConnectorSpec::Bailee(BaileeConfig {
                base_path: base(base_path)?,
                tls: tls(&route.tls, &secret),
                proxy: proxy(route)?,
                ..BaileeConfig::new(url(server)?, api_key)
            })
        }
        RemoteAddress::Local { folder } => ConnectorSpec::Local(LocalConfig {
            folder: folder.into(),
            allowed_roots: shared.local_folders.iter().map(Into::into).collect(),
        }),
    })
}

fn sftp(address: &RemoteAddress, secret: &RemoteSecret) -> Result<SftpConfig, Unfit> {
    let RemoteAddress::Sftp {
        host,
        port,
        username,
        host_key,
        base_path,
    } = address
    else {
        return Err(Unfit::Missing("address of SFTP"));
    };
    let key = |field| {
        secret.field(field).map(|pem| PrivateKey {
            pem: pem.clone(),
            passphrase: secret.field(RemoteSecretField::Passphrase).cloned(),
        })
    };
    Ok(SftpConfig {
        password: secret.field(RemoteSecretField::Password).cloned(),
        private_key: key(RemoteSecretField::PrivateKey),
        previous_key: key(RemoteSecretField::PreviousPrivateKey),
        host_key: host_key.clone(),
        base: base(base_path)?,
        ..SftpConfig::new(host, *port, username)
    })
}

fn ftps(address: &RemoteAddress, secret: &RemoteSecret) -> Result<FtpsConfig, Unfit> {
    let RemoteAddress::Ftps {
        host,
        port,
        mode,
        username,
        base_path,
        tls: trust,
    } = address
    else {
        return Err(Unfit::Missing("address of FTPS"));
    };
    Ok(FtpsConfig {
        mode: match mode {
            model::FtpsMode::Explicit => FtpsMode::Explicit,
            model::FtpsMode::Implicit => FtpsMode::Implicit,
        },
        password: secret.field(RemoteSecretField::Password).cloned(),
        base: base(base_path)?,
        tls: tls(trust, secret),
        ..FtpsConfig::new(host, *port, username)
    })
}

fn https(address: &RemoteAddress, secret: &RemoteSecret) -> Result<HttpsConfig, Unfit> {
    let RemoteAddress::Https {
        url: base,
        sign_in,
        can_write,
        method,
        route,
    } = address
    else {
        return Err(Unfit::Missing("address of HTTPS"));
    };
    Ok(HttpsConfig {
        auth: auth(sign_in, secret),
        can_write: *can_write,
        method: match method {
            HttpMethod::Put => HttpsMethod::Put,
            HttpMethod::Post => HttpsMethod::Post,
        },
        tls: tls(&route.tls, secret),
        proxy: proxy(route)?,
        ..HttpsConfig::new(url(base)?)
    })
}

fn s3(
    address: &RemoteAddress,
    secret: &RemoteSecret,
    clock: SharedClock,
) -> Result<S3Config, Unfit> {
    let RemoteAddress::S3 {
        endpoint,
        region,
        bucket,
        base_path,
        access_key_id,
        path_style,
        server_side_encryption,
        kms_key_id,
        storage_class,
        sends_checksums,
        route,
    } = address
    else {
        return Err(Unfit::Missing("address of S3"));
    };
    let key = needed(
        secret,
        RemoteSecretField::SecretAccessKey,
        "secret access key",
    )?;
    Ok(S3Config {
        endpoint: endpoint.as_deref().map(url).transpose()?,
        prefix: base(base_path)?,
        session_token: secret.field(RemoteSecretField::SessionToken).cloned(),
        path_style: *path_style,
        tls: tls(&route.tls, secret),
        proxy: proxy(route)?,
        server_side_encryption: server_side_encryption.as_deref().map(|way| match way {
            "aws:kms" => S3Encryption::Kms {
                key_id: kms_key_id.clone(),
            },
            _ => S3Encryption::Aes256,
        }),
        storage_class: storage_class.clone(),
        sends_checksums: *sends_checksums,
        ..S3Config::new(region, bucket, access_key_id, key, clock)
    })
}

fn azure_blob(
    address: &RemoteAddress,
    secret: &RemoteSecret,
    clock: SharedClock,
) -> Result<AzureBlobConfig, Unfit> {
    let RemoteAddress::AzureBlob {
        endpoint,
        account,
        container,
        base_path,
        route,
    } = address
    else {
        return Err(Unfit::Missing("address of Azure"));
    };
    let credential = match secret.field(RemoteSecretField::SasToken) {
        Some(signature) => AzureCredential::Sas(signature.clone()),
        None => AzureCredential::SharedKey(needed(
            secret,
            RemoteSecretField::AccountKey,
            "account key",
        )?),
    };
    Ok(AzureBlobConfig {
        endpoint: endpoint.as_deref().map(url).transpose()?,
        prefix: base(base_path)?,
        tls: tls(&route.tls, secret),
        proxy: proxy(route)?,
        ..AzureBlobConfig::new(account, container, credential, clock)
    })
}

fn gcs(
    address: &RemoteAddress,
    secret: &RemoteSecret,
    clock: SharedClock,
) -> Result<GcsConfig, Unfit> {
    let RemoteAddress::Gcs {
        endpoint,
        bucket,
        base_path,
        route,
    } = address
    else {
        return Err(Unfit::Missing("address of Google Cloud Storage"));
    };
    let account = secret.field(RemoteSecretField::ServiceAccountKey);
    let credential = if let Some(file) = account {
        GcsCredential::ServiceAccount(file.clone())
    } else if let Some(token) = secret.field(RemoteSecretField::BearerToken) {
        GcsCredential::Bearer(token.clone())
    } else {
        GcsCredential::Anonymous
    };
    Ok(GcsConfig {
        endpoint: endpoint.as_deref().map(url).transpose()?,
        prefix: base(base_path)?,
        tls: tls(&route.tls, secret),
        proxy: proxy(route)?,
        ..GcsConfig::new(bucket, credential, clock)
    })
}

/// `.` is how core writes the place that the far system starts in.
fn base(path: &str) -> Result<Option<RemotePath>, Unfit> {
    if path.is_empty() || path == "." {
        return Ok(None);
    }
    Ok(Some(path.parse()?))
}

fn url(text: &str) -> Result<Url, Unfit> {
    text.parse().map_err(|_| Unfit::Url(text.to_owned()))
}

fn proxy(route: &RemoteRoute) -> Result<Option<Url>, Unfit> {
    route.proxy_url.as_deref().map(url).transpose()
}

fn tls(trust: &RemoteTls, secret: &RemoteSecret) -> TlsOptions {
    let key = secret.field(RemoteSecretField::ClientKey);
    TlsOptions {
        extra_roots_pem: trust.ca_pem.clone().unwrap_or_default(),
        identity: trust
            .client_certificate
            .as_ref()
            .zip(key)
            .map(|(certificate, key)| ClientIdentity {
                certificates_pem: certificate.clone(),
                key_pem: key.clone(),
            }),
        ..TlsOptions::default()
    }
}

fn auth(sign_in: &HttpSignIn, secret: &RemoteSecret) -> HttpAuth {
    let password = secret.field(RemoteSecretField::Password);
    let value = secret.field(RemoteSecretField::HeaderValue);
    if let Some((user, password)) = sign_in.username.clone().zip(password.cloned()) {
        HttpAuth::Basic { user, password }
    } else if let Some((name, value)) = sign_in.header_name.clone().zip(value.cloned()) {
        HttpAuth::Header { name, value }
    } else if let Some(token) = secret.field(RemoteSecretField::BearerToken) {
        HttpAuth::Bearer(token.clone())
    } else {
        HttpAuth::None
    }
}

fn needed(
    secret: &RemoteSecret,
    field: RemoteSecretField,
    what: &'static str,
) -> Result<SecretString, Unfit> {
    secret.field(field).cloned().ok_or(Unfit::Missing(what))
}
