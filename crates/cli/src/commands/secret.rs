use bailee_client::Client;
use bailee_client::api::{CreateEnvSecret, CreateFileSecret, CreateSecret, CreateValueSecret};
use bailee_client::model::SecretId;
use serde_json::Value;

use super::view;
use crate::Failure;
use crate::args::{SecretCommand, SecretSetArgs};
use crate::session::{Session, read_secret, read_text};

/// Longest list of secrets that is shown.
const ROWS_MAX: usize = 10_000;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: SecretCommand,
) -> Result<(), Failure> {
    let secrets = client.secrets();
    match command {
        SecretCommand::Set(args) => {
            let name = args.name.clone();
            let body = body(args)?;
            let secret = match secrets.by_name(&name).await? {
                Some(old) => secrets.replace(old.secret_id, &body).await?,
                None => secrets.create(&body).await?,
            };
            session.output.one(&secret, view::SECRET)
        }
        SecretCommand::List => session
            .output
            .list(&secrets.list().take(ROWS_MAX).await?, view::SECRET),
        SecretCommand::Rm(args) => {
            let id = if let Ok(id) = args.secret.parse::<SecretId>() {
                id
            } else {
                let named = secrets.by_name(&args.secret).await?;
                let missing = || Failure::NotFound(format!("no secret is named `{}`", args.secret));
                named.ok_or_else(missing)?.secret_id
            };
            session.confirm(&format!("remove the secret {}?", args.secret))?;
            secrets.delete(id).await?;
            session.say(&format!("removed {}", args.secret));
            Ok(())
        }
    }
}

fn body(args: SecretSetArgs) -> Result<CreateSecret, Failure> {
    let (name, source) = (args.name, args.source);
    if let Some(path) = source.value_file {
        let value = read_secret(&path)?.into();
        return Ok(CreateSecret::Value(CreateValueSecret { name, value }));
    }
    if let Some(variable) = source.env {
        return Ok(CreateSecret::Env(CreateEnvSecret { name, variable }));
    }
    if let Some(path) = source.file {
        return Ok(CreateSecret::File(CreateFileSecret { name, path }));
    }
    let path = source.json.unwrap_or_else(|| "-".into());
    // The error may not show a value, which may be a secret; serde's are about fields.
    let unfit = |error: serde_json::Error| {
        Failure::usage(
            format!("{} is no body of POST /secrets: {error}", path.display()),
            "The API reference shows the fields of each kind.",
        )
    };
    let mut fields: Value = serde_json::from_str(&read_text(&path)?).map_err(unfit)?;
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("name".to_owned(), Value::String(name));
    }
    serde_json::from_value(fields).map_err(unfit)
}
