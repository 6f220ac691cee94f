//! What bodies about secrets say, parsed.

use bailee_api::{CreateSecret, SecretText};
use bailee_core::NewSecret;
use bailee_model::{Error, SecretSource};
use secrecy::SecretString;

/// Where Vault mounts the engine at first.
const VAULT_MOUNT: &str = "secret";
/// The entry that most secrets with one entry have.
const VAULT_KEY: &str = "value";

pub(super) fn parse(wish: CreateSecret) -> Result<NewSecret, Error> {
    let (name, source, sealed) = match wish {
        CreateSecret::Value(wish) => (wish.name, SecretSource::Value, Some(wish.value)),
        CreateSecret::Env(wish) => {
            let variable = wish.variable;
            (wish.name, SecretSource::Env { variable }, None)
        }
        CreateSecret::File(wish) => (wish.name, SecretSource::File { path: wish.path }, None),
        CreateSecret::Vault(wish) => {
            let source = SecretSource::Vault {
                url: wish.url,
                mount: wish.mount.unwrap_or_else(|| VAULT_MOUNT.to_owned()),
                path: wish.path,
                key: wish.key.unwrap_or_else(|| VAULT_KEY.to_owned()),
                namespace: wish.namespace,
                ca_pem: wish.ca_pem,
            };
            (wish.name, source, Some(wish.token))
        }
        CreateSecret::AwsSecretsManager(wish) => {
            let source = SecretSource::AwsSecretsManager {
                endpoint: wish.endpoint,
                region: wish.region,
                secret: wish.secret,
                key: wish.key,
                access_key_id: wish.access_key_id,
            };
            (wish.name, source, Some(wish.secret_access_key))
        }
        CreateSecret::AzureKeyVault(wish) => {
            let source = SecretSource::AzureKeyVault {
                url: wish.url,
                secret: wish.secret,
                version: wish.version,
                directory_id: wish.directory_id,
                client_id: wish.client_id,
                authority_url: wish.authority_url,
            };
            (wish.name, source, Some(wish.client_secret))
        }
    };
    let name = name.parse().map_err(|detail: &str| {
        let detail = format!("It is not a name: {detail}.");
        Error::field("#/name", "invalid_name", detail)
    })?;
    let secret = |text: SecretText| SecretString::from(text.reveal().to_owned());
    Ok(NewSecret {
        name,
        source,
        sealed: sealed.map(secret),
    })
}
