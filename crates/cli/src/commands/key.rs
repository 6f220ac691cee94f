use bailee_client::Client;
use bailee_client::api::{CreateApiKey, RotateApiKey};

use super::{id, view};
use crate::Failure;
use crate::args::{KeyCommand, KeyCreateArgs};
use crate::session::Session;

/// Longest list of keys that is shown.
const ROWS_MAX: usize = 10_000;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: KeyCommand,
) -> Result<(), Failure> {
    let keys = client.api_keys();
    match command {
        KeyCommand::Create(args) => {
            let key = keys.create(&request(args)?).await?;
            session.say("the key is shown this once");
            session.output.one(&key, view::KEY)
        }
        KeyCommand::List => session
            .output
            .list(&keys.list().take(ROWS_MAX).await?, view::KEY),
        KeyCommand::Rotate(args) => {
            let rotate = RotateApiKey {
                grace_seconds: args.grace_seconds,
            };
            let key = keys.rotate(id(&args.id)?, &rotate).await?;
            session.say("the key is shown this once");
            session.output.one(&key, view::KEY)
        }
        KeyCommand::Revoke(args) => {
            session.confirm(&format!("revoke {} for ever?", args.key_id))?;
            keys.revoke(id(&args.key_id)?).await?;
            session.say(&format!("revoked {}", args.key_id));
            Ok(())
        }
    }
}

fn request(args: KeyCreateArgs) -> Result<CreateApiKey, Failure> {
    let unknown = |what: &str| Failure::usage(what.to_owned(), "See `bailee key create --help`.");
    let scopes = serde_json::to_value(&args.scopes)
        .and_then(serde_json::from_value)
        .map_err(|_| unknown("one of the scopes is unknown"))?;
    let principal_id = args.principal.map(|text| text.parse()).transpose();
    Ok(CreateApiKey {
        name: args.name,
        scopes,
        principal_id: principal_id.map_err(|_| unknown("a principal is usr_… or svc_…"))?,
        path_prefixes: args.path_prefixes,
        allowed_networks: args.networks,
        expires_at: args.expires_at,
        limits: None,
    })
}
