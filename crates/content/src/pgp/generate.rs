//! New keys: Ed25519 to certify and sign, X25519 to encrypt, in the form that GnuPG 2.2 reads.

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

/// An order for a key.
#[derive(Debug)]
pub struct NewKey {
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
    let (public, secret) = KeyType::Ed25519Legacy.generate(&mut dice)?;
    let algorithm = KeyType::Ed25519Legacy.to_alg();
    let inner = PubKeyInner::new(KeyVersion::V4, algorithm, born, None, public)?;
    let public = packet::PublicKey::from_inner(inner)?;
    let mut primary = packet::SecretKey::new(public.clone(), secret)?;

    let encrypting = KeyType::ECDH(ECCCurve::Curve25519Legacy);
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
