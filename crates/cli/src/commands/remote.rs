use std::path::Path;

use bailee_client::Client;
use bailee_client::api::{ChangeRemote, CreateRemote, NewSshKey, Remote};
use bailee_client::model::RemoteId;
use serde_json::{Map, Value, json};

use super::view;
use crate::Failure;
use crate::args::{
    RemoteAddArgs, RemoteCommand, RemoteLsArgs, RemoteSetArgs, RemoteSettings, RemoteSshKeyArgs,
    RemoteTrustArgs,
};
use crate::session::{Session, read_secret, read_text};

/// Longest list of remotes that is shown.
const ROWS_MAX: usize = 10_000;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: RemoteCommand,
) -> Result<(), Failure> {
    let remotes = client.remotes();
    match command {
        RemoteCommand::Add(args) => {
            let remote = remotes.create(&request(*args)?).await?;
            session.output.one(&remote, view::REMOTE)?;
            session.say(&format!("try it out: bailee remote test {}", remote.name));
            Ok(())
        }
        RemoteCommand::Set(args) => {
            let remote = find(client, &args.remote).await?;
            let remote = remotes.change(remote.remote_id, &change(*args)?).await?;
            session.output.one(&remote, view::REMOTE)
        }
        RemoteCommand::Test(args) => test(session, client, find(client, &args.remote).await?).await,
        RemoteCommand::Trust(args) => trust(session, client, args).await,
        RemoteCommand::Ls(args) => list_folder(session, client, &args).await,
        RemoteCommand::SshKey(args) => new_ssh_key(session, client, &args).await,
        RemoteCommand::Health(args) => {
            let remote = find(client, &args.remote).await?;
            let health = remotes.health(remote.remote_id).await?;
            session.output.one(&health, view::REMOTE_HEALTH)
        }
        RemoteCommand::ResetCircuit(args) => {
            let remote = find(client, &args.remote).await?;
            let health = remotes.reset_circuit(remote.remote_id).await?;
            session.output.one(&health, view::REMOTE_HEALTH)
        }
        RemoteCommand::Kinds => session
            .output
            .list(&client.connectors().list().await?.data, view::CONNECTOR),
        RemoteCommand::UsedBy(args) => {
            let remote = find(client, &args.remote).await?;
            let users = remotes.used_by(remote.remote_id).await?;
            session.output.list(&users.data, view::REMOTE_USER)?;
            if users.has_more {
                session.say("there is more than this");
            }
            Ok(())
        }
        RemoteCommand::List => session
            .output
            .list(&remotes.list().take(ROWS_MAX).await?, view::REMOTE),
        RemoteCommand::Get(args) => session
            .output
            .one(&find(client, &args.remote).await?, view::REMOTE),
        RemoteCommand::Rm(args) => {
            let remote = find(client, &args.remote).await?;
            session.confirm(&format!("remove the remote {}?", remote.name))?;
            remotes.delete(remote.remote_id).await?;
            session.say(&format!("removed {}", remote.name));
            Ok(())
        }
    }
}

async fn new_ssh_key(
    session: &Session,
    client: &Client,
    args: &RemoteSshKeyArgs,
) -> Result<(), Failure> {
    let remote = find(client, &args.remote).await?;
    let wish = NewSshKey {
        algorithm: Some(args.algorithm.as_str().into()),
    };
    let remotes = client.remotes();
    let remote = remotes.new_ssh_key(remote.remote_id, &wish).await?;
    let line = remote.ssh_keys.first().map(|key| key.public_key.clone());
    let line = line.unwrap_or_default();
    session.output.line(&line, &remote, view::REMOTE)?;
    session.say("the partner puts this line into authorized_keys");
    Ok(())
}

async fn list_folder(
    session: &Session,
    client: &Client,
    args: &RemoteLsArgs,
) -> Result<(), Failure> {
    let (name, path) = match args.place.split_once(':') {
        Some((name, path)) => (name, Some(path).filter(|path| !path.is_empty())),
        None => (args.place.as_str(), None),
    };
    let remote = find(client, name).await?;
    let found = client.remotes().children(remote.remote_id, path);
    let found = found.take(args.limit).await?;
    session.output.list(&found, view::REMOTE_CHILD)
}

/// A remote by id or name.
async fn find(client: &Client, text: &str) -> Result<Remote, Failure> {
    if let Ok(id) = text.parse::<RemoteId>() {
        return Ok(client.remotes().get(id).await?);
    }
    let found = client.remotes().by_name(text.trim_end_matches(':')).await?;
    found.ok_or_else(|| Failure::NotFound(format!("no remote is named `{text}`")))
}

fn request(mut args: RemoteAddArgs) -> Result<CreateRemote, Failure> {
    let mut kind = args.kind.unwrap_or_default();
    if let Some(place) = &args.sftp {
        "sftp".clone_into(&mut kind);
        let (host, port) = host_and_port(place)?;
        args.settings.host = Some(host);
        args.settings.port = port;
    } else if let Some(folder) = args.local {
        "local".clone_into(&mut kind);
        args.settings.folder = Some(folder);
    }
    let mut fields = fields(&args.settings)?;
    fields.insert("name".to_owned(), Value::String(args.name));
    fields.insert("kind".to_owned(), Value::String(kind.clone()));
    // The error may not show a value, which may be a secret; serde's are about fields.
    serde_json::from_value(Value::Object(fields)).map_err(|error| {
        Failure::usage(
            format!("a remote of kind {kind} is not made like this: {error}"),
            "The reference lists the fields of each kind.",
        )
    })
}

fn change(args: RemoteSetArgs) -> Result<ChangeRemote, Failure> {
    let mut change = ChangeRemote::default();
    for (name, value) in fields(&args.settings)? {
        change = change.with(&name, value);
    }
    if let Some(name) = args.name {
        change = change.with("name", name);
    }
    for name in args.clear {
        change = change.with(&name, Value::Null);
    }
    if change.fields().is_empty() {
        return Err(Failure::usage(
            "nothing to change",
            "Name a field, such as --port 2222.",
        ));
    }
    Ok(change)
}

/// What was given, by the names that fields have on the wire.
fn fields(settings: &RemoteSettings) -> Result<Map<String, Value>, Failure> {
    let plain = [
        ("host", json!(settings.host)),
        ("port", json!(settings.port)),
        ("username", json!(settings.user)),
        ("host_key", json!(settings.host_key)),
        ("base_path", json!(settings.base_path)),
        ("mode", json!(settings.mode)),
        ("url", json!(settings.base_url)),
        ("header_name", json!(settings.header_name)),
        ("can_write", json!(settings.can_write)),
        ("method", json!(settings.method)),
        ("endpoint", json!(settings.endpoint)),
        ("account", json!(settings.account)),
        ("container", json!(settings.container)),
        ("region", json!(settings.region)),
        ("bucket", json!(settings.bucket)),
        ("access_key_id", json!(settings.access_key_id)),
        ("path_style", json!(settings.path_style)),
        (
            "server_side_encryption",
            json!(settings.server_side_encryption),
        ),
        ("kms_key_id", json!(settings.kms_key_id)),
        ("storage_class", json!(settings.storage_class)),
        ("sends_checksums", json!(settings.sends_checksums)),
        ("folder", json!(settings.folder)),
        ("proxy_url", json!(settings.proxy)),
        ("concurrency", json!(settings.concurrency)),
        ("health_check_seconds", json!(settings.health_check)),
        ("time_zone", json!(settings.time_zone)),
        ("windows", windows(&settings.window)?),
    ];
    let given = plain.into_iter().filter(|(_, value)| !value.is_null());
    let mut fields: Map<_, _> = given
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let texts = [
        ("ca_pem", &settings.extra_ca_file),
        ("client_certificate", &settings.client_certificate_file),
        ("private_key", &settings.private_key_file),
    ];
    for (name, path) in texts {
        if let Some(path) = path {
            fields.insert(name.to_owned(), Value::String(read_text(path)?));
        }
    }
    let secrets = [
        ("password", &settings.password_file),
        ("passphrase", &settings.passphrase_file),
    ];
    for (name, path) in secrets {
        if let Some(path) = path {
            fields.insert(name.to_owned(), Value::String(read_secret(path)?));
        }
    }
    for wish in &settings.secret {
        let (name, text) = secret(wish)?;
        fields.insert(name.to_owned(), Value::String(text));
    }
    Ok(fields)
}

/// Reads `[DAY,…@]FROM-TO=BYTES`; null for none.
fn windows(texts: &[String]) -> Result<Value, Failure> {
    let read = |text: &String| {
        let (days, rest) = text.split_once('@').unwrap_or(("", text));
        let days = days.split(',').filter(|day| !day.is_empty());
        let (times, rate) = rest.split_once('=')?;
        let (from, to) = times.split_once('-')?;
        let rate: u64 = rate.parse().ok()?;
        let days: Vec<&str> = days.collect();
        Some(json!({"days": days, "from": from, "to": to, "bytes_per_second": rate}))
    };
    let windows: Option<Vec<Value>> = texts.iter().map(read).collect();
    match windows {
        Some(windows) if windows.is_empty() => Ok(Value::Null),
        Some(windows) => Ok(Value::Array(windows)),
        None => Err(Failure::usage(
            "a window is given as FROM-TO=BYTES",
            "For example 08:00-18:00=1048576 or sat,sun@00:00-24:00=0.",
        )),
    }
}

/// Reads `FIELD=SOURCE`. A secret itself never stands in an argument, where others could see it.
fn secret(wish: &str) -> Result<(&str, String), Failure> {
    let Some((name, source)) = wish.split_once('=') else {
        return Err(Failure::usage(
            "a secret is given as FIELD=SOURCE",
            "For example password=./file, password=- or password=env:NAME.",
        ));
    };
    let text = match source.strip_prefix("env:") {
        Some(variable) => std::env::var(variable).map_err(|_| {
            Failure::usage(
                format!("the environment has no text `{variable}`"),
                "Set it for this command.",
            )
        })?,
        None => read_secret(Path::new(source))?,
    };
    Ok((name, text))
}

/// Reads `host`, `host:22`, `[::1]` and `[::1]:22`.
fn host_and_port(text: &str) -> Result<(String, Option<u16>), Failure> {
    let wrong = || {
        Failure::usage(
            format!("`{text}` is not HOST or HOST:PORT"),
            "IPv6 addresses stand in brackets.",
        )
    };
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':').ok_or_else(wrong)?)),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map(str::parse).transpose().map_err(|_| wrong())?;
    if host.is_empty() {
        Err(wrong())
    } else {
        Ok((host.to_owned(), port))
    }
}

async fn test(session: &Session, client: &Client, remote: Remote) -> Result<(), Failure> {
    let report = client.remotes().test(remote.remote_id).await?;
    if session.output.is_table() {
        session.output.list(&report.steps, view::REMOTE_STEP)?;
    } else {
        session.output.one(&report, view::REMOTE_STEP)?;
    }
    if let (Some(seen), None) = (&report.host_key, &remote.host_key) {
        session.say(&format!(
            "host key {seen}: bailee remote trust {}",
            remote.name
        ));
    }
    if report.ok {
        return Ok(());
    }
    let step = report.steps.iter().find(|step| !step.ok);
    let detail = step
        .and_then(|step| step.detail.clone())
        .unwrap_or_default();
    let name = step.map_or("test", |step| step.name.as_str());
    Err(Failure::Other(format!(
        "{}: {name} failed: {detail}",
        remote.name
    )))
}

async fn trust(session: &Session, client: &Client, args: RemoteTrustArgs) -> Result<(), Failure> {
    let remote = find(client, &args.remote).await?;
    let fingerprint = if let Some(fingerprint) = args.fingerprint {
        fingerprint
    } else {
        let seen = client.remotes().test(remote.remote_id).await?.host_key;
        let seen =
            seen.ok_or_else(|| Failure::Other(format!("{} showed no host key", remote.name)))?;
        session.confirm(&format!(
            "{} shows the host key {seen}. Did its operator tell you the same?",
            remote.name
        ))?;
        seen
    };
    let remote = client
        .remotes()
        .trust(remote.remote_id, &fingerprint)
        .await?;
    session.output.one(&remote, view::REMOTE)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use clap::Parser;

    use super::*;

    fn added(arguments: &[&str]) -> Result<CreateRemote, Failure> {
        let line = ["bailee", "remote", "add"].iter().chain(arguments);
        let cli = crate::args::Cli::try_parse_from(line).unwrap();
        match cli.command {
            crate::args::Command::Remote(RemoteCommand::Add(args)) => request(*args),
            _ => unreachable!("`remote add` was asked for"),
        }
    }

    #[test]
    fn every_kind_is_made_of_its_flags() {
        let short = added(&["a", "--sftp", "h:2022", "--user", "u"]).unwrap();
        let long = ["a", "sftp", "--host", "h", "--port", "2022", "--user", "u"];
        assert_eq!(short, added(&long).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        std::fs::write(&key, "canary\n").unwrap();
        let secret = |field: &str| format!("{field}={}", key.display());
        let s3 = added(&[
            "a",
            "s3",
            "--region",
            "r",
            "--bucket",
            "b",
            "--access-key-id",
            "i",
            "--path-style",
            "true",
            "--secret",
            &secret("secret_access_key"),
        ]);
        let CreateRemote::S3(s3) = s3.unwrap() else {
            unreachable!("the kind was named")
        };
        assert_eq!(s3.path_style, Some(true));
        assert_eq!(
            s3.secret_access_key.unwrap().text().unwrap().reveal(),
            "canary"
        );
        let dav = [
            "a",
            "webdav",
            "--base-url",
            "https://h/",
            "--secret",
            &secret("bearer_token"),
        ];
        assert!(matches!(added(&dav), Ok(CreateRemote::Webdav(_))));
        for wrong in [
            &["a", "ftps", "--host", "h", "--user", "u", "--bucket", "b"][..],
            &[
                "a",
                "bailee",
                "--base-url",
                "https://h/",
                "--secret",
                "api_key",
            ],
            &[
                "a",
                "bailee",
                "--base-url",
                "https://h/",
                "--secret",
                "api_key=env:BAILEE_NO_SUCH_TEXT",
            ],
        ] {
            assert!(added(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn hosts_and_ports_are_read() {
        for (text, host, port) in [
            ("sftp.bank.example", "sftp.bank.example", None),
            ("10.0.0.1:2022", "10.0.0.1", Some(2022)),
            ("[::1]", "::1", None),
            ("[::1]:22", "::1", Some(22)),
        ] {
            assert_eq!(
                host_and_port(text).unwrap(),
                (host.to_owned(), port),
                "{text}"
            );
        }
        for wrong in ["", ":22", "h:port", "[::1]22", "::1", "h:70000"] {
            assert!(host_and_port(wrong).is_err(), "{wrong}");
        }
    }
}
