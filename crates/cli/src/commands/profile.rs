use bailee_client::Client;
use serde_json::json;

use super::view;
use crate::Failure;
use crate::args::{ProfileAddArgs, ProfileCommand};
use crate::profile::Profile;
use crate::session::{Session, read_secret};

pub(super) fn run(session: &Session, command: ProfileCommand) -> Result<(), Failure> {
    let mut profiles = session.profiles()?;
    match command {
        ProfileCommand::List => {
            let rows: Vec<_> = profiles
                .list()
                .map(|(name, profile, current)| {
                    json!({"name": name, "current": current, "url": profile.url, "ca_file": profile.ca_file})
                })
                .collect();
            session.output.list(&rows, view::PROFILE)
        }
        ProfileCommand::Use(args) => {
            profiles.choose(&args.name)?;
            profiles.save()
        }
        ProfileCommand::Add(args) => {
            let (profile, api_key) = read(session, &args)?;
            profiles.add(&args.name, profile, api_key);
            profiles.save()?;
            session.say(&format!("profile {} saved", args.name));
            Ok(())
        }
        ProfileCommand::Rm(args) => {
            profiles.remove(&args.name)?;
            profiles.save()
        }
    }
}

fn read(session: &Session, args: &ProfileAddArgs) -> Result<(Profile, String), Failure> {
    let url = session.global.url.clone().ok_or_else(|| {
        Failure::usage(
            "a profile needs an address",
            "Add --url https://files.example.com:8443",
        )
    })?;
    let ca_file = match &session.global.ca_file {
        Some(path) => Some(path.canonicalize().map_err(Failure::local("read", path))?),
        None => None,
    };
    let api_key = read_secret(&args.api_key_file)?;
    // A client that cannot be built now would fail at every later command.
    let mut builder = Client::builder(&url).api_key(&api_key);
    if let Some(path) = &ca_file {
        builder = builder.ca_file(path);
    }
    builder.build()?;
    Ok((Profile { url, ca_file }, api_key))
}
