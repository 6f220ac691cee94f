use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{SecretId, Timestamp};

/// A secret's name: `[a-z0-9][a-z0-9-]{0,62}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SecretName(String);

impl SecretName {
    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if text.is_empty() || text.len() > 63 || !letters || text.starts_with('-') {
            return Err(
                "a secret's name is 1 to 63 of a-z, 0-9 and -, and does not begin with a hyphen",
            );
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for SecretName {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Where a secret's value is. What signs in at a store elsewhere is kept apart, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SecretSource {
    /// Here, sealed.
    Value,
    /// A variable of the server's environment that the operator allows.
    Env {
        /// Its name.
        variable: String,
    },
    /// A file of the server's machine that the operator allows.
    File {
        /// Its path.
        path: String,
    },
    /// HashiCorp Vault, key-value engine version 2.
    Vault {
        /// Where Vault answers.
        url: String,
        /// Where the engine is mounted.
        mount: String,
        /// The secret's path below it.
        path: String,
        /// The entry of the secret.
        key: String,
        /// The namespace, where there are any.
        namespace: Option<String>,
        /// Certificate authorities to trust besides, PEM.
        ca_pem: Option<String>,
    },
    /// AWS Secrets Manager.
    AwsSecretsManager {
        /// Where it answers; Amazon's own by region if absent.
        endpoint: Option<String>,
        /// The region.
        region: String,
        /// The secret's name or ARN.
        secret: String,
        /// The entry of a secret that is JSON; the whole text if absent.
        key: Option<String>,
        /// The name of the access key.
        access_key_id: String,
    },
    /// Azure Key Vault.
    AzureKeyVault {
        /// Where the vault answers, as `https://acme.vault.azure.net`.
        url: String,
        /// The secret's name.
        secret: String,
        /// A version; the current one if absent.
        version: Option<String>,
        /// The directory that the application belongs to.
        directory_id: String,
        /// The application.
        client_id: String,
        /// Where tokens are given out; Microsoft's own if absent.
        authority_url: Option<String>,
    },
}

impl SecretSource {
    /// The kind as on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Env { .. } => "env",
            Self::File { .. } => "file",
            Self::Vault { .. } => "vault",
            Self::AwsSecretsManager { .. } => "aws_secrets_manager",
            Self::AzureKeyVault { .. } => "azure_key_vault",
        }
    }

    /// Whether something of it is kept here, sealed: the value, or what signs in where it is.
    pub const fn is_sealed(&self) -> bool {
        !matches!(self, Self::Env { .. } | Self::File { .. })
    }

    /// Where the value is, for people; nothing of a value that is here.
    pub fn reference(&self) -> Option<String> {
        Some(match self {
            Self::Value => return None,
            Self::Env { variable } => format!("env:{variable}"),
            Self::File { path } => format!("file:{path}"),
            Self::Vault {
                url,
                mount,
                path,
                key,
                ..
            } => format!("vault:{url}/{mount}/{path}#{key}"),
            Self::AwsSecretsManager {
                region,
                secret,
                key,
                ..
            } => {
                let key = key.as_ref().map(|key| format!("#{key}"));
                format!("aws:{region}/{secret}{}", key.unwrap_or_default())
            }
            Self::AzureKeyVault {
                url,
                secret,
                version,
                ..
            } => {
                let version = version.as_ref().map(|version| format!("/{version}"));
                format!("azure:{url}/{secret}{}", version.unwrap_or_default())
            }
        })
    }
}

/// A secret that remotes refer to: a value, or where it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Its id.
    pub id: SecretId,
    /// Unique in the tenant.
    pub name: SecretName,
    /// Where its value is.
    pub source: SecretSource,
    /// The value, or what signs in where it is, sealed by the tenant's wrapping_key.
    pub sealed: Option<Vec<u8>>,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// When it was last replaced.
    pub updated_at: Timestamp,
    /// Rises with every change: the object's ETag.
    pub revision: u64,
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Secret")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
