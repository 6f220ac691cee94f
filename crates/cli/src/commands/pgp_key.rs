use std::io::Write;
use std::path::Path;

use bailee_client::Client;
use bailee_client::api::{
    ChangePgpKey, GeneratePgpKey, ImportPgpKey, PgpKey, PgpKeyTrust, PgpUsage, RefreshPgpKey,
    SecretText,
};
use bailee_client::model::PgpKeyId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::view;
use crate::Failure;
use crate::args::{PgpKeyCommand, PgpKeyGenerateArgs, PgpKeyImportArgs, PgpKeySetArgs};
use crate::session::{Session, read_bytes, read_secret};

/// Longest list of keys that is shown.
const ROWS_MAX: usize = 10_000;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: PgpKeyCommand,
) -> Result<(), Failure> {
    let keys = client.pgp_keys();
    match command {
        PgpKeyCommand::Import(args) => {
            let key = keys.import(&import(args)?).await?;
            session.output.one(&key, view::PGP_KEY)?;
            session.say("compare the fingerprint with the key's owner");
            Ok(())
        }
        PgpKeyCommand::Generate(args) => {
            let key = keys.generate(&generate(args)).await?;
            session.output.one(&key, view::PGP_KEY)?;
            session.say(&format!("for partners: bailee pgp-key export {}", key.name));
            Ok(())
        }
        PgpKeyCommand::List => session
            .output
            .list(&keys.list().take(ROWS_MAX).await?, view::PGP_KEY),
        PgpKeyCommand::Show(args) => session
            .output
            .one(&find(client, &args.key).await?, view::PGP_KEY),
        PgpKeyCommand::Export(args) => {
            let key = find(client, &args.key).await?;
            let public = keys.export(key.pgp_key_id).await?;
            let text = public.public_key.as_bytes();
            std::io::stdout()
                .write_all(text)
                .map_err(Failure::local("write", "-"))
        }
        PgpKeyCommand::Set(args) => {
            let key = find(client, &args.key).await?;
            let key = keys.change(key.pgp_key_id, &change(args)?).await?;
            session.output.one(&key, view::PGP_KEY)
        }
        PgpKeyCommand::Refresh(args) => {
            let key = find(client, &args.key).await?;
            let newer = RefreshPgpKey {
                key: key_file(&args.file)?,
                passphrase: passphrase(args.passphrase_file.as_deref())?,
            };
            let key = keys.refresh(key.pgp_key_id, &newer).await?;
            session.output.one(&key, view::PGP_KEY)
        }
        PgpKeyCommand::Delete(args) => {
            let key = find(client, &args.key).await?;
            let what = if key.has_secret {
                "with its secret part, for ever"
            } else {
                "which is public"
            };
            session.confirm(&format!("remove the OpenPGP key {}, {what}?", key.name))?;
            keys.delete(key.pgp_key_id).await?;
            session.say(&format!("removed {}", key.name));
            Ok(())
        }
    }
}

/// A key by id or name.
async fn find(client: &Client, text: &str) -> Result<PgpKey, Failure> {
    if let Ok(id) = text.parse::<PgpKeyId>() {
        return Ok(client.pgp_keys().get(id).await?);
    }
    let found = client.pgp_keys().by_name(text).await?;
    found.ok_or_else(|| Failure::NotFound(format!("no OpenPGP key is named `{text}`")))
}

fn import(args: PgpKeyImportArgs) -> Result<ImportPgpKey, Failure> {
    Ok(ImportPgpKey {
        name: args.name,
        key: key_file(&args.file)?,
        passphrase: passphrase(args.passphrase_file.as_deref())?,
        usage: usage(&args.usage),
        trust: args.untrusted.then_some(PgpKeyTrust::Untrusted),
    })
}

fn generate(args: PgpKeyGenerateArgs) -> GeneratePgpKey {
    GeneratePgpKey {
        name: args.name,
        user_id: args.user_id,
        algorithm: args.algorithm.as_deref().map(Into::into),
        valid_days: args.valid_days,
        usage: usage(&args.usage),
    }
}

fn change(args: PgpKeySetArgs) -> Result<ChangePgpKey, Failure> {
    let trust = match (args.trust, args.untrust) {
        (true, _) => Some(PgpKeyTrust::Trusted),
        (false, true) => Some(PgpKeyTrust::Untrusted),
        (false, false) => None,
    };
    let change = ChangePgpKey {
        name: args.name,
        usage: usage(&args.usage),
        trust,
    };
    if change == ChangePgpKey::default() {
        return Err(Failure::usage(
            "nothing to change",
            "Name a field, such as --usage encrypt.",
        ));
    }
    Ok(change)
}

fn usage(words: &[String]) -> Option<Vec<PgpUsage>> {
    let words: Vec<PgpUsage> = words.iter().map(|word| word.as_str().into()).collect();
    Some(words).filter(|words| !words.is_empty())
}

fn passphrase(file: Option<&Path>) -> Result<Option<SecretText>, Failure> {
    file.map(|file| read_secret(file).map(SecretText::from))
        .transpose()
}

/// A key's file as it is sent: armored text as it is, else base64.
fn key_file(path: &Path) -> Result<SecretText, Failure> {
    let bytes = read_bytes(path)?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) if text.contains("-----BEGIN") => text.into(),
        Ok(text) => STANDARD.encode(text).into(),
        Err(error) => STANDARD.encode(error.as_bytes()).into(),
    })
}
