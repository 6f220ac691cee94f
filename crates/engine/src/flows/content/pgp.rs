//! OpenPGP: encrypting, decrypting, signing, verifying.

use std::collections::{HashMap, HashSet};

use bailee_content::limit::SIGNATURE_FILE_BYTES_MAX;
use bailee_content::pgp::{
    Encoding, Open, PublicKey, Seal, SignDetached, Signer, open, seal, sign_detached,
    verify_detached,
};
use bailee_core::FileRef;
use bailee_core::model::{
    FlowFile, FoundSignature, PgpDecrypt, PgpEncrypt, PgpKeyRef, PgpSign, PgpUsage, PgpVerify,
    SignatureMode, StepFault, Suffix,
};

use super::fault::{of_content, of_key};
use super::{Work, streams};

/// Endings of messages, which their content does not have.
const MESSAGE_ENDINGS: [&str; 3] = [".pgp", ".gpg", ".asc"];
/// Endings of detached signatures.
const SIGNATURE_ENDINGS: [&str; 3] = [".asc", ".sig", ".sign"];

pub(super) async fn encrypt(work: &mut Work<'_>, step: &PgpEncrypt) -> Result<(), StepFault> {
    let recipients = public(work, &step.recipients, PgpUsage::Encrypt).await?;
    let signers = match &step.sign_with {
        Some(key) => secrets(work, std::slice::from_ref(key), PgpUsage::Sign).await?,
        None => Vec::new(),
    };
    let (encoding, usual) = if step.armor {
        (Encoding::Armored, ".asc")
    } else {
        (Encoding::Binary, ".pgp")
    };
    let suffix = step.suffix.as_ref().map_or(usual, Suffix::as_str);
    for file in work.files {
        let order = Seal {
            recipients: recipients.clone(),
            signers: signers.clone(),
            encoding,
            is_compressed: step.compress,
            now: work.core.clock().now(),
        };
        sealed(work, file, (order, suffix)).await?;
    }
    Ok(())
}

pub(super) async fn decrypt(work: &mut Work<'_>, step: &PgpDecrypt) -> Result<(), StepFault> {
    let keys = secrets(work, &step.keys, PgpUsage::Encrypt).await?;
    let signers = public(work, &step.signers, PgpUsage::Sign).await?;
    for file in work.files {
        let order = Open {
            keys: keys.clone(),
            signers: signers.clone(),
            must_be_encrypted: true,
            must_be_signed: !signers.is_empty(),
            content_bytes_max: most_bytes(work, step.max_bytes),
            now: work.core.clock().now(),
        };
        opened(work, file, order).await?;
    }
    Ok(())
}

pub(super) async fn sign(work: &mut Work<'_>, step: &PgpSign) -> Result<(), StepFault> {
    let mut keys = secrets(work, std::slice::from_ref(&step.key), PgpUsage::Sign).await?;
    let Some(signer) = keys.pop() else {
        return Ok(());
    };
    let (encoding, inline, detached) = if step.armor {
        (Encoding::Armored, ".asc", ".asc")
    } else {
        (Encoding::Binary, ".pgp", ".sig")
    };
    for file in work.files {
        let now = work.core.clock().now();
        if step.mode == SignatureMode::Inline {
            let order = Seal {
                recipients: Vec::new(),
                signers: vec![signer.clone()],
                encoding,
                is_compressed: false,
                now,
            };
            sealed(work, file, (order, inline)).await?;
            continue;
        }
        let order = SignDetached {
            signer: signer.clone(),
            encoding,
            now,
        };
        let input = streams::open(work.core, work.caller, file).await?;
        let signature = sign_detached(input, order).await;
        let signature = signature.map_err(|error| of_content(&file.name, &error))?;
        work.outputs.pass(file);
        let name = format!("{}{detached}", file.name);
        work.outputs.write(&name, signature).await?;
    }
    Ok(())
}

pub(super) async fn verify(work: &mut Work<'_>, step: &PgpVerify) -> Result<(), StepFault> {
    let signers = public(work, &step.signers, PgpUsage::Sign).await?;
    if step.mode == SignatureMode::Inline {
        for file in work.files {
            let order = Open {
                keys: Vec::new(),
                signers: signers.clone(),
                must_be_encrypted: false,
                must_be_signed: true,
                content_bytes_max: most_bytes(work, step.max_bytes),
                now: work.core.clock().now(),
            };
            opened(work, file, order).await?;
        }
        return Ok(());
    }
    let pairs = pairs(work.files, step)?;
    for (file, signature) in pairs {
        let signature = signature_of(work, file, signature).await?;
        let input = streams::open(work.core, work.caller, file).await?;
        let now = work.core.clock().now();
        let reports = verify_detached(input, signature, signers.clone(), now).await;
        reports.map_err(|error| of_content(&file.name, &error))?;
        work.outputs.pass(file);
    }
    Ok(())
}

/// Where the signature of a file is.
enum Place<'a> {
    Here(&'a FlowFile),
    There(FileRef),
}

/// Each file that is no signature, with its signature. A signature of nothing is a fault as well: its file is missing.
fn pairs<'a>(
    files: &'a [FlowFile],
    step: &PgpVerify,
) -> Result<Vec<(&'a FlowFile, Place<'a>)>, StepFault> {
    let by_name: HashMap<&str, &FlowFile> = files
        .iter()
        .map(|file| (file.name.as_str(), file))
        .collect();
    let mut used = HashSet::new();
    let mut pairs = Vec::new();
    let mut alone = Vec::new();
    for file in files {
        let name = file.name.as_str();
        let names = match &step.signature {
            Some(place) => match place.of(name) {
                Some(FoundSignature::Name(found)) => vec![found],
                Some(FoundSignature::Path(path)) => {
                    pairs.push((file, Place::There(FileRef::Path(path))));
                    continue;
                }
                None => Vec::new(),
            },
            None => SIGNATURE_ENDINGS.map(|end| format!("{name}{end}")).into(),
        };
        let found = names.iter().find_map(|name| by_name.get(name.as_str()));
        match found {
            Some(signature) => {
                used.insert(signature.file_id);
                pairs.push((file, Place::Here(signature)));
            }
            None => alone.push(file),
        }
    }
    match alone.iter().find(|file| !used.contains(&file.file_id)) {
        None => Ok(pairs),
        Some(file) => {
            let detail = format!("{}: no signature of it is among the files.", file.name);
            Err(StepFault::permanent("pgp_signature_missing", detail))
        }
    }
}

async fn signature_of(
    work: &Work<'_>,
    file: &FlowFile,
    place: Place<'_>,
) -> Result<Vec<u8>, StepFault> {
    let signature = match place {
        Place::Here(signature) => FileRef::Id(signature.file_id),
        Place::There(signature) => signature,
    };
    let bytes = streams::small(work.core, work.caller, signature, SIGNATURE_FILE_BYTES_MAX).await;
    let missing = |why: &str| {
        let detail = format!("{}: {why}.", file.name);
        StepFault::permanent("pgp_signature_missing", detail)
    };
    match bytes {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(missing("the file of its signature is too large to be one")),
        Err(fault) if fault.code == "not_found" => {
            Err(missing("there is no file where its signature should be"))
        }
        Err(fault) => Err(fault),
    }
}

async fn sealed(
    work: &mut Work<'_>,
    file: &FlowFile,
    (order, suffix): (Seal, &str),
) -> Result<(), StepFault> {
    let input = streams::open(work.core, work.caller, file).await?;
    let chance = work.core.shared_chance();
    let name = format!("{}{suffix}", file.name);
    work.outputs
        .make((&name, file.name.as_str()), |output| {
            seal(input, output, order, chance)
        })
        .await
}

async fn opened(work: &mut Work<'_>, file: &FlowFile, order: Open) -> Result<(), StepFault> {
    let input = streams::open(work.core, work.caller, file).await?;
    let name = content_name(file.name.as_str());
    work.outputs
        .make((name, file.name.as_str()), |output| {
            open(input, output, order)
        })
        .await
        .map(drop)
}

/// The name that a message's content has. The name inside of a message is the sender's and is not looked at.
fn content_name(name: &str) -> &str {
    let cut = MESSAGE_ENDINGS.iter().find_map(|ending| {
        let place = name.len().checked_sub(ending.len())?;
        let (stem, end) = name.split_at_checked(place)?;
        (!stem.is_empty() && end.eq_ignore_ascii_case(ending)).then_some(stem)
    });
    cut.unwrap_or(name)
}

async fn public(
    work: &Work<'_>,
    keys: &[PgpKeyRef],
    usage: PgpUsage,
) -> Result<Vec<PublicKey>, StepFault> {
    let mut all = Vec::new();
    for key in keys {
        let known = work.core.pgp_keys();
        let found = known.public_part(work.caller, key, usage).await;
        all.push(found.map_err(of_key)?.public);
    }
    Ok(all)
}

async fn secrets(
    work: &Work<'_>,
    keys: &[PgpKeyRef],
    usage: PgpUsage,
) -> Result<Vec<Signer>, StepFault> {
    let mut all = Vec::new();
    for key in keys {
        let known = work.core.pgp_keys();
        let found = known.secret_part(work.caller, key, usage).await;
        all.extend(found.map_err(of_key)?.secret);
    }
    Ok(all)
}

fn most_bytes(work: &Work<'_>, wish: Option<u64>) -> u64 {
    let most = work.core.settings_of_installation().file_bytes_max;
    wish.map_or(most, |wish| wish.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_lose_the_ending_of_their_message() {
        for (name, expected) in [
            ("a.csv.pgp", "a.csv"),
            ("a.GPG", "a"),
            ("a.asc", "a"),
            (".pgp", ".pgp"),
            ("a.csv", "a.csv"),
        ] {
            assert_eq!(content_name(name), expected);
        }
    }
}
