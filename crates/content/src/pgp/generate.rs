//! New keys in the form that GnuPG 2.2 reads: a primary key that certifies and signs, a subkey that encrypts. Ed25519 and X25519,
//! or RSA for partners whose software is older.

use std::sync::Arc;
use std::time::Duration;

use ::pgp::composed::{KeyType, SignedKeyDetails, SignedSecretKey, SignedSecretSubKey};
use ::pgp::crypto::ecc_curve::ECCCurve;
use ::pgp::crypto::hash::HashAlgorithm;
use ::pgp::crypto::sym::SymmetricKeyAlgorithm;
use ::pgp::errors::Result as Lib;
use ::pgp::packet::{
    self, Features, KeyFlags, PubKeyInner, SignatureConfig, SignatureType, Subpacket,
    SubpacketData, UserId,
};
use ::pgp::types::{
    CompressionAlgorithm, KeyDetails, KeyVersion, PacketHeaderVersion, Password, S2kParams,
    SignedUser, Tag, Timestamp,
};
use bailee_model::Chance;

use super::chance::Dice;
use super::validity::seconds;
use super::{Passphrase, PgpError, SecretKey};
use crate::Result;
use crate::worker;

/// What a new key is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// Ed25519 and X25519.
    #[default]
    Curve25519,
    /// RSA of 3072 bits.
    Rsa3072,
    /// RSA of 4096 bits.
    Rsa4096,
}

impl KeyAlgorithm {
    fn primary(self) -> KeyType {
        match self {
            Self::Curve25519 => KeyType::Ed25519Legacy,
            Self::Rsa3072 => KeyType::Rsa(3072),
            Self::Rsa4096 => KeyType::Rsa(4096),
        }
    }

    fn subkey(self) -> KeyType {
        match self {
            Self::Curve25519 => KeyType::ECDH(ECCCurve::Curve25519Legacy),
            rsa => rsa.primary(),
        }
    }
}

/// An order for a key.
#[derive(Debug)]
pub struct NewKey {
    pub algorithm: KeyAlgorithm,
    /// `Name <address>`.
    pub user_id: String,
    pub created: bailee_model::Timestamp,
    /// How long it is valid; for ever without.
    pub lasts: Option<Duration>,
    /// Locks the secret parts.
    pub passphrase: Option<Passphrase>,
}

pub async fn generate(order: NewKey, chance: Arc<dyn Chance>) -> Result<SecretKey> {
    worker::run(move |_| Ok(make(&order, Dice(chance)).map_err(PgpError::library)?)).await
}

fn make(order: &NewKey, mut dice: Dice) -> Lib<SecretKey> {
    let born = Timestamp::from_secs(seconds(order.created));
    let signing = order.algorithm.primary();
    let (public, secret) = signing.generate(&mut dice)?;
    let inner = PubKeyInner::new(KeyVersion::V4, signing.to_alg(), born, None, public)?;
    let public = packet::PublicKey::from_inner(inner)?;
    let mut primary = packet::SecretKey::new(public.clone(), secret)?;

    let encrypting = order.algorithm.subkey();
    let (sub_public, sub_secret) = encrypting.generate(&mut dice)?;
    let inner = PubKeyInner::new(KeyVersion::V4, encrypting.to_alg(), born, None, sub_public)?;
    let sub_public = packet::PublicSubkey::from_inner(inner)?;
    let mut sub = packet::SecretSubkey::new(sub_public.clone(), sub_secret)?;

    let open = Password::empty();
    let mut flags = KeyFlags::default();
    flags.set_certify(true);
    flags.set_sign(true);
    let mut config = config(&primary, SignatureType::CertPositive, order, flags)?;
    config.hashed_subpackets.extend(preferences()?);
    let user = UserId::from_str(PacketHeaderVersion::default(), &order.user_id)?;
    let certification = config.sign_certification(&primary, &public, &open, Tag::UserId, &user)?;

    let mut flags = KeyFlags::default();
    flags.set_encrypt_comms(true);
    flags.set_encrypt_storage(true);
    let config = self::config(&primary, SignatureType::SubkeyBinding, order, flags)?;
    let binding = config.sign_subkey_binding(&primary, &public, &open, &sub_public)?;

    if let Some(passphrase) = &order.passphrase {
        let password = passphrase.reveal();
        let lock = S2kParams::new_default(&mut dice, KeyVersion::V4);
        primary.set_password_with_s2k(&password, lock)?;
        let lock = S2kParams::new_default(&mut dice, KeyVersion::V4);
        sub.set_password_with_s2k(&password, lock)?;
    }
    let users = vec![SignedUser::new(user, vec![certification])];
    let details = SignedKeyDetails::new(Vec::new(), Vec::new(), users, Vec::new());
    let subkeys = vec![SignedSecretSubKey::new(sub, vec![binding])];
    let inner = SignedSecretKey::new(primary, details, Vec::new(), subkeys);
    Ok(SecretKey { inner })
}

fn config(
    primary: &packet::SecretKey,
    typ: SignatureType,
    order: &NewKey,
    flags: KeyFlags,
) -> Lib<SignatureConfig> {
    let mut config = SignatureConfig::v4(typ, primary.algorithm(), HashAlgorithm::Sha512);
    let born = Timestamp::from_secs(seconds(order.created));
    config.hashed_subpackets = vec![
        Subpacket::regular(SubpacketData::SignatureCreationTime(born))?,
        Subpacket::regular(SubpacketData::IssuerFingerprint(primary.fingerprint()))?,
        Subpacket::critical(SubpacketData::KeyFlags(flags))?,
    ];
    if let Some(lasts) = order.lasts {
        let lasts = u32::try_from(lasts.as_secs()).unwrap_or(u32::MAX);
        let lasts = ::pgp::types::Duration::from_secs(lasts);
        config
            .hashed_subpackets
            .push(Subpacket::regular(SubpacketData::KeyExpirationTime(lasts))?);
    }
    config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(
        primary.legacy_key_id(),
    ))?];
    Ok(config)
}

fn preferences() -> Lib<Vec<Subpacket>> {
    let mut features = Features::default();
    features.set_seipd_v1(true);
    let wishes = [
        SubpacketData::IsPrimary(true),
        SubpacketData::Features(features),
        SubpacketData::PreferredSymmetricAlgorithms(
            [SymmetricKeyAlgorithm::AES256, SymmetricKeyAlgorithm::AES128]
                .into_iter()
                .collect(),
        ),
        SubpacketData::PreferredHashAlgorithms(
            [HashAlgorithm::Sha512, HashAlgorithm::Sha256]
                .into_iter()
                .collect(),
        ),
        SubpacketData::PreferredCompressionAlgorithms(
            [
                CompressionAlgorithm::ZLIB,
                CompressionAlgorithm::ZIP,
                CompressionAlgorithm::Uncompressed,
            ]
            .into_iter()
            .collect(),
        ),
    ];
    wishes.into_iter().map(Subpacket::regular).collect()
}
