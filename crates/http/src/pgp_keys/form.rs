//! What bodies about OpenPGP keys say, parsed.

use bailee_api::{PgpAlgorithm, PgpKeyTrust, PgpUsage, SecretText};
use bailee_core::PgpKeyFile;
use bailee_model::{self as model, Error, PgpKeyName};
use secrecy::SecretString;

pub(super) fn name(text: &str) -> Result<PgpKeyName, Error> {
    text.parse().map_err(|detail: &str| {
        let detail = format!("It is not a name: {detail}.");
        Error::field("#/name", "invalid_name", detail)
    })
}

pub(super) fn usage(words: Option<Vec<PgpUsage>>) -> Result<Option<Vec<model::PgpUsage>>, Error> {
    let read = |(place, word): (usize, PgpUsage)| match word {
        PgpUsage::Encrypt => Ok(model::PgpUsage::Encrypt),
        PgpUsage::Sign => Ok(model::PgpUsage::Sign),
        PgpUsage::Other(_) => {
            let pointer = format!("#/usage/{place}");
            Err(Error::field(&pointer, "invalid", "Is `encrypt` or `sign`."))
        }
    };
    let words = words.map(|words| words.into_iter().enumerate().map(read).collect());
    words.transpose()
}

pub(super) fn trust(word: Option<PgpKeyTrust>) -> Result<Option<model::PgpKeyTrust>, Error> {
    match word {
        None => Ok(None),
        Some(PgpKeyTrust::Trusted) => Ok(Some(model::PgpKeyTrust::Trusted)),
        Some(PgpKeyTrust::Untrusted) => Ok(Some(model::PgpKeyTrust::Untrusted)),
        Some(PgpKeyTrust::Other(_)) => {
            let detail = "Is `trusted` or `untrusted`.";
            Err(Error::field("#/trust", "invalid", detail))
        }
    }
}

pub(super) fn algorithm(word: Option<PgpAlgorithm>) -> Result<bailee_core::PgpAlgorithm, Error> {
    match word {
        None | Some(PgpAlgorithm::Curve25519) => Ok(bailee_core::PgpAlgorithm::Curve25519),
        Some(PgpAlgorithm::Rsa3072) => Ok(bailee_core::PgpAlgorithm::Rsa3072),
        Some(PgpAlgorithm::Rsa4096) => Ok(bailee_core::PgpAlgorithm::Rsa4096),
        Some(PgpAlgorithm::Other(_)) => {
            let detail = format!("Is one of `{}`.", PgpAlgorithm::KNOWN.join("`, `"));
            Err(Error::field("#/algorithm", "invalid", detail))
        }
    }
}

pub(super) fn file(key: &SecretText, passphrase: Option<&SecretText>) -> PgpKeyFile {
    let secret = |text: &SecretText| SecretString::from(text.reveal().to_owned());
    PgpKeyFile {
        text: secret(key),
        passphrase: passphrase.map(secret),
    }
}
