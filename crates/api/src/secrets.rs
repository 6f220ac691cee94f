//! Secrets that remotes refer to. Values go in and never come out.

use bailee_model::{SecretId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::word::words;
use crate::{Links, List, SecretText, tagged};

words! {
    /// Where a secret's value is.
    SecretKind {
        /// Here, sealed.
        Value = "value",
        /// A variable of the server's environment that the operator allows.
        Env = "env",
        /// A file of the server's machine that the operator allows.
        File = "file",
        /// HashiCorp Vault, key-value engine version 2.
        Vault = "vault",
        /// AWS Secrets Manager.
        AwsSecretsManager = "aws_secrets_manager",
        /// Azure Key Vault.
        AzureKeyVault = "azure_key_vault",
    }
}

/// Body of `POST /secrets` and `PUT /secrets/{secret_id}`: told apart by `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CreateSecret {
    /// A value.
    Value(CreateValueSecret),
    /// A variable of the environment.
    Env(CreateEnvSecret),
    /// A file.
    File(CreateFileSecret),
    /// A secret of HashiCorp Vault.
    Vault(CreateVaultSecret),
    /// A secret of AWS.
    AwsSecretsManager(CreateAwsSecret),
    /// A secret of Azure.
    AzureKeyVault(CreateAzureSecret),
}

/// The kinds: word, name of the body's schema, the schema.
fn bodies() -> Vec<(&'static str, &'static str, RefOr<Schema>)> {
    vec![
        ("value", "CreateValueSecret", CreateValueSecret::schema()),
        ("env", "CreateEnvSecret", CreateEnvSecret::schema()),
        ("file", "CreateFileSecret", CreateFileSecret::schema()),
        ("vault", "CreateVaultSecret", CreateVaultSecret::schema()),
        (
            "aws_secrets_manager",
            "CreateAwsSecret",
            CreateAwsSecret::schema(),
        ),
        (
            "azure_key_vault",
            "CreateAzureSecret",
            CreateAzureSecret::schema(),
        ),
    ]
}

impl PartialSchema for CreateSecret {
    fn schema() -> RefOr<Schema> {
        let bodies = bodies();
        let variants: Vec<_> = bodies
            .iter()
            .map(|(word, name, _)| (*word, *name))
            .collect();
        let about = "Body of `POST /secrets` and `PUT /secrets/{secret_id}`: told apart by `kind`.";
        tagged::union("kind", about, &variants)
    }
}

impl ToSchema for CreateSecret {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        for (word, name, schema) in bodies() {
            schemas.push((name.to_owned(), tagged::variant(schema, "kind", word)));
        }
    }
}

/// A value that is kept here, sealed, with `kind` `value`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "bank-password", "kind": "value", "value": "…"}))]
pub struct CreateValueSecret {
    /// `[a-z0-9][a-z0-9-]{0,62}`, unique in the tenant.
    pub name: String,
    /// The value.
    #[schema(value_type = String)]
    pub value: SecretText,
}

/// A variable of the server's environment, with `kind` `env`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "bank-password", "kind": "env", "variable": "BANK_PASSWORD"}))]
pub struct CreateEnvSecret {
    /// `[a-z0-9][a-z0-9-]{0,62}`, unique in the tenant.
    pub name: String,
    /// Its name; one of those that the operator allows.
    pub variable: String,
}

/// A file of the server's machine, with `kind` `file`. A line end at its end does not belong to the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "bank-password", "kind": "file", "path": "/run/secrets/bank"}))]
pub struct CreateFileSecret {
    /// `[a-z0-9][a-z0-9-]{0,62}`, unique in the tenant.
    pub name: String,
    /// Its path; one that the operator allows, or below one.
    pub path: String,
}

/// A secret of HashiCorp Vault (key-value engine, version 2), with `kind` `vault`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "bank-password", "kind": "vault", "url": "https://vault.acme.example:8200", "path": "mft/bank", "key": "password", "token": "…"}))]
pub struct CreateVaultSecret {
    /// `[a-z0-9][a-z0-9-]{0,62}`, unique in the tenant.
    pub name: String,
    /// Where Vault answers.
    pub url: String,
    /// Where the engine is mounted; `secret` when absent.
    pub mount: Option<String>,
    /// The secret's path below it.
    pub path: String,
    /// The entry of the secret; `value` when absent.
    pub key: Option<String>,
    /// The namespace, where there are any.
    pub namespace: Option<String>,
    /// Certificate authorities to trust beside those of the server's machine, PEM.
    pub ca_pem: Option<String>,
    /// A token that may read the secret. Kept sealed.
    #[schema(value_type = String)]
    pub token: SecretText,
}

/// A secret of AWS Secrets Manager, with `kind` `aws_secrets_manager`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "bank-password", "kind": "aws_secrets_manager", "region": "eu-central-1", "secret": "mft/bank", "access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "…"}))]
pub struct CreateAwsSecret {
    /// `[a-z0-9][a-z0-9-]{0,62}`, unique in the tenant.
    pub name: String,
    /// Where it answers; Amazon's own by region when absent.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// The secret's name or ARN.
    pub secret: String,
    /// The entry of a secret that is JSON; the whole text when absent.
    pub key: Option<String>,
    /// The name of an access key that may read the secret.
    pub access_key_id: String,
    /// Its secret. Kept sealed.
    #[schema(value_type = String)]
    pub secret_access_key: SecretText,
}

/// A secret of Azure Key Vault, with `kind` `azure_key_vault`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "bank-password", "kind": "azure_key_vault", "url": "https://acme.vault.azure.net", "secret": "bank", "directory_id": "00000000-0000-0000-0000-000000000000", "client_id": "00000000-0000-0000-0000-000000000000", "client_secret": "…"}))]
pub struct CreateAzureSecret {
    /// `[a-z0-9][a-z0-9-]{0,62}`, unique in the tenant.
    pub name: String,
    /// Where the vault answers.
    pub url: String,
    /// The secret's name.
    pub secret: String,
    /// A version; the current one when absent.
    pub version: Option<String>,
    /// The directory (tenant) that the application belongs to.
    pub directory_id: String,
    /// The application, which may read the secret.
    pub client_id: String,
    /// Its secret. Kept sealed.
    #[schema(value_type = String)]
    pub client_secret: SecretText,
    /// Where tokens are given out; Microsoft's own when absent.
    pub authority_url: Option<String>,
}

/// A secret, without its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "secret_id": "sec_01m7yp4nyyevr88y42wdngtn4v", "name": "bank-password", "kind": "env", "reference": "env:BANK_PASSWORD", "variable": "BANK_PASSWORD",
    "path": null, "url": null, "mount": null, "key": null, "namespace": null, "ca_pem": null, "endpoint": null, "region": null, "secret": null,
    "access_key_id": null, "version": null, "directory_id": null, "client_id": null, "authority_url": null,
    "has_value": false, "has_token": false, "has_secret_access_key": false, "has_client_secret": false,
    "created_at": "2026-11-21T09:14:00.000Z", "updated_at": "2026-11-21T09:14:00.000Z",
    "links": {"self": "/v1/secrets/sec_01m7yp4nyyevr88y42wdngtn4v"}
}))]
pub struct Secret {
    /// Names the secret, as `{"secret_id": …}` in place of a remote's password or key.
    #[schema(value_type = String, example = "sec_01m7yp4nyyevr88y42wdngtn4v")]
    pub secret_id: SecretId,
    /// Unique in the tenant.
    pub name: String,
    /// Where its value is.
    pub kind: SecretKind,
    /// Where its value is, for people; null where it is here.
    #[schema(required)]
    pub reference: Option<String>,
    /// The variable, for kind `env`.
    #[schema(required)]
    pub variable: Option<String>,
    /// The path: of the file, for kind `file`; below the mount, for kind `vault`.
    #[schema(required)]
    pub path: Option<String>,
    /// Where Vault, or the vault of Azure, answers.
    #[schema(required)]
    pub url: Option<String>,
    /// Where Vault mounts the engine.
    #[schema(required)]
    pub mount: Option<String>,
    /// The entry of the secret, at Vault and at AWS.
    #[schema(required)]
    pub key: Option<String>,
    /// The namespace at Vault.
    #[schema(required)]
    pub namespace: Option<String>,
    /// Certificate authorities that are trusted besides, PEM.
    #[schema(required)]
    pub ca_pem: Option<String>,
    /// Where AWS answers; null for its usual address.
    #[schema(required)]
    pub endpoint: Option<String>,
    /// The region of AWS.
    #[schema(required)]
    pub region: Option<String>,
    /// The secret's name at AWS or Azure.
    #[schema(required)]
    pub secret: Option<String>,
    /// The name of the access key.
    #[schema(required)]
    pub access_key_id: Option<String>,
    /// The version at Azure; null for the current one.
    #[schema(required)]
    pub version: Option<String>,
    /// The directory (tenant) of Azure.
    #[schema(required)]
    pub directory_id: Option<String>,
    /// The application of Azure.
    #[schema(required)]
    pub client_id: Option<String>,
    /// Where tokens of Azure are given out; null for Microsoft's own.
    #[schema(required)]
    pub authority_url: Option<String>,
    /// Whether its value is kept here.
    pub has_value: bool,
    /// Whether a token for Vault is kept.
    pub has_token: bool,
    /// Whether the access key's secret is kept.
    pub has_secret_access_key: bool,
    /// Whether the application's secret is kept.
    pub has_client_secret: bool,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// When it was last replaced.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub updated_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of `GET /secrets`.
pub type SecretList = List<Secret>;

/// A password or key on its way in: the text itself, or the secret that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretInput {
    /// The text.
    Text(SecretText),
    /// `{"secret_id": "sec_…"}`.
    Reference(SecretId),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    secret_id: SecretId,
}

impl SecretInput {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&SecretText> {
        match self {
            Self::Text(text) => Some(text),
            Self::Reference(_) => None,
        }
    }
}

impl From<String> for SecretInput {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&str> for SecretInput {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<SecretText> for SecretInput {
    fn from(text: SecretText) -> Self {
        Self::Text(text)
    }
}

impl Serialize for SecretInput {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(out),
            Self::Reference(secret_id) => Reference {
                secret_id: *secret_id,
            }
            .serialize(out),
        }
    }
}

impl<'de> Deserialize<'de> for SecretInput {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        // No error may show the text.
        match serde_json::Value::deserialize(input)? {
            serde_json::Value::String(text) => Ok(text.into()),
            object @ serde_json::Value::Object(_) => serde_json::from_value::<Reference>(object)
                .map(|reference| Self::Reference(reference.secret_id))
                .map_err(|_| D::Error::custom("must be a text or {\"secret_id\": \"sec_…\"}")),
            _ => Err(D::Error::custom(
                "must be a text or {\"secret_id\": \"sec_…\"}",
            )),
        }
    }
}

impl PartialSchema for SecretInput {
    fn schema() -> RefOr<Schema> {
        let reference = ObjectBuilder::new()
            .property("secret_id", ObjectBuilder::new().schema_type(Type::String))
            .required("secret_id");
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::String))
            .item(reference)
            .description(Some(
                "The text itself, or the secret that holds it: `{\"secret_id\": \"sec_…\"}`.",
            ))
            .into()
    }
}

impl ToSchema for SecretInput {}
