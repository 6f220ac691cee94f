//! OpenPGP keys: partners' public keys and the tenant's own. Secret parts go in and never come out.

use bailee_model::{PgpKeyId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};
use crate::{Links, List, SecretText};

words! {
    /// What an OpenPGP key may be used for.
    PgpUsage {
        /// To encrypt for its owner, and to decrypt where its secret part is here.
        Encrypt = "encrypt",
        /// To verify its owner's signatures, and to sign where its secret part is here.
        Sign = "sign",
    }
}
words_from!(bailee_model::PgpUsage => PgpUsage { Encrypt, Sign });

words! {
    /// Whether an administrator stands behind an OpenPGP key.
    PgpKeyTrust {
        /// Its fingerprint was compared: flows may use it.
        Trusted = "trusted",
        /// It is kept, and nothing may use it.
        Untrusted = "untrusted",
    }
}
words_from!(bailee_model::PgpKeyTrust => PgpKeyTrust { Trusted, Untrusted });

words! {
    /// How an OpenPGP key stands.
    PgpKeyState {
        /// It is good.
        Valid = "valid",
        /// Its time ran out.
        Expired = "expired",
        /// Its owner revoked it.
        Revoked = "revoked",
    }
}
words_from!(bailee_model::PgpKeyState => PgpKeyState { Valid, Expired, Revoked });

words! {
    /// What a new OpenPGP key is made of.
    PgpAlgorithm {
        /// Ed25519 signs, X25519 encrypts.
        Curve25519 = "curve25519",
        /// RSA of 3072 bits.
        Rsa3072 = "rsa3072",
        /// RSA of 4096 bits.
        Rsa4096 = "rsa4096",
    }
}

/// Body of `POST /pgp-keys`: a key that was made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "partner", "key": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n…\n-----END PGP PUBLIC KEY BLOCK-----\n"}))]
pub struct ImportPgpKey {
    /// By what flows name it: `[a-z0-9][a-z0-9-]{0,62}`, unique in the tenant.
    pub name: String,
    /// The key, public or secret: armored text, or base64 of the binary form. One key a file.
    #[schema(value_type = String)]
    pub key: SecretText,
    /// What opens the secret key, if it is locked. Both are sealed and never come out.
    #[schema(value_type = Option<String>)]
    pub passphrase: Option<SecretText>,
    /// What it may be used for; all that it can when absent.
    pub usage: Option<Vec<PgpUsage>>,
    /// Whether flows may use it; `trusted` when absent. Compare the fingerprint with its owner first.
    pub trust: Option<PgpKeyTrust>,
}

/// Body of `POST /pgp-keys/generate`: a key whose secret part stays here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "own-2026", "user_id": "Acme Files <files@acme.example>", "valid_days": 730}))]
pub struct GeneratePgpKey {
    /// By what flows name it: `[a-z0-9][a-z0-9-]{0,62}`, unique in the tenant.
    pub name: String,
    /// Whose it is, as partners see it: `Name <address>`.
    pub user_id: String,
    /// What it is made of; `curve25519` when absent.
    pub algorithm: Option<PgpAlgorithm>,
    /// For how many days it is valid; for ever when absent.
    pub valid_days: Option<u32>,
    /// What it may be used for; both when absent.
    pub usage: Option<Vec<PgpUsage>>,
}

/// Body of `PATCH /pgp-keys/{pgp_key_id}`: a JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePgpKey {
    /// A new name.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, required = false)]
    pub name: Option<String>,
    /// What it may be used for, all anew.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Vec<PgpUsage>, required = false)]
    pub usage: Option<Vec<PgpUsage>>,
    /// Whether flows may use it.
    #[serde(
        default,
        deserialize_with = "crate::patch::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = PgpKeyTrust, required = false)]
    pub trust: Option<PgpKeyTrust>,
}

/// Body of `POST /pgp-keys/{pgp_key_id}/refresh`: a newer form of the same key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshPgpKey {
    /// The key, public or secret: armored text, or base64 of the binary form.
    #[schema(value_type = String)]
    pub key: SecretText,
    /// What opens the secret key, if it is locked.
    #[schema(value_type = Option<String>)]
    pub passphrase: Option<SecretText>,
}

/// The primary key of an OpenPGP key, or one of its subkeys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PgpKeyPart {
    /// In upper-case hexadecimal.
    pub fingerprint: String,
    /// Its algorithm.
    pub algorithm: String,
    /// When its owner made it.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// When its time runs out; null is never.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:14:00.000Z", required)]
    pub expires_at: Option<Timestamp>,
    /// How it stands.
    pub state: PgpKeyState,
    /// Whether it may encrypt.
    pub can_encrypt: bool,
    /// Whether it may sign.
    pub can_sign: bool,
}

/// An OpenPGP key, without its secret part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "pgp_key_id": "pgp_01m7yp4nyyevr88y42wdngtn4v", "name": "partner", "fingerprint": "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567",
    "user_ids": ["Bank <files@bank.example>"], "algorithm": "EdDSALegacy", "has_secret": false, "usage": ["encrypt", "sign"],
    "trust": "trusted", "state": "valid", "key_created_at": "2026-01-05T08:00:00.000Z", "expires_at": "2028-01-05T08:00:00.000Z",
    "subkeys": [], "created_at": "2026-11-21T09:14:00.000Z", "links": {"self": "/v1/pgp-keys/pgp_01m7yp4nyyevr88y42wdngtn4v"}
}))]
pub struct PgpKey {
    /// Names the key.
    #[schema(value_type = String, example = "pgp_01m7yp4nyyevr88y42wdngtn4v")]
    pub pgp_key_id: PgpKeyId,
    /// By what flows name it.
    pub name: String,
    /// The fingerprint of the primary key, to be compared with its owner.
    pub fingerprint: String,
    /// Whose it is; the main user id first.
    pub user_ids: Vec<String>,
    /// The algorithm of the primary key.
    pub algorithm: String,
    /// Whether its secret part is here.
    pub has_secret: bool,
    /// What it may be used for.
    pub usage: Vec<PgpUsage>,
    /// Whether flows may use it.
    pub trust: PgpKeyTrust,
    /// How it stands.
    pub state: PgpKeyState,
    /// When its owner made it.
    #[schema(value_type = String, format = DateTime, example = "2026-01-05T08:00:00.000Z")]
    pub key_created_at: Timestamp,
    /// When its time runs out; null is never.
    #[schema(value_type = Option<String>, format = DateTime, example = "2028-01-05T08:00:00.000Z", required)]
    pub expires_at: Option<Timestamp>,
    /// Its subkeys.
    pub subkeys: Vec<PgpKeyPart>,
    /// Since when it is here.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:14:00.000Z")]
    pub created_at: Timestamp,
    /// Where it is found.
    pub links: Links,
}

/// A page of `GET /pgp-keys`.
pub type PgpKeyList = List<PgpKey>;

/// The public part of a key, for a partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PgpPublicKey {
    /// The key.
    #[schema(value_type = String, example = "pgp_01m7yp4nyyevr88y42wdngtn4v")]
    pub pgp_key_id: PgpKeyId,
    /// By what flows name it.
    pub name: String,
    /// The fingerprint of the primary key.
    pub fingerprint: String,
    /// The public key, armored.
    pub public_key: String,
}
