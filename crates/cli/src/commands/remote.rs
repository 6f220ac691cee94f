use bailee_client::Client;
use bailee_client::api::{CreateLocalRemote, CreateRemote, CreateSftpRemote, Remote, SecretText};
use bailee_client::model::RemoteId;

use super::view;
use crate::Failure;
use crate::args::{RemoteAddArgs, RemoteCommand, RemoteTrustArgs};
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
            let remote = remotes.create(&request(args)?).await?;
            session.output.one(&remote, view::REMOTE)?;
            session.say(&format!("try it out: bailee remote test {}", remote.name));
            Ok(())
        }
        RemoteCommand::Test(args) => test(session, client, find(client, &args.remote).await?).await,
        RemoteCommand::Trust(args) => trust(session, client, args).await,
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

/// A remote by id or name.
async fn find(client: &Client, text: &str) -> Result<Remote, Failure> {
    if let Ok(id) = text.parse::<RemoteId>() {
        return Ok(client.remotes().get(id).await?);
    }
    let found = client.remotes().by_name(text.trim_end_matches(':')).await?;
    found.ok_or_else(|| Failure::NotFound(format!("no remote is named `{text}`")))
}

fn request(args: RemoteAddArgs) -> Result<CreateRemote, Failure> {
    let secret = |path: &Option<std::path::PathBuf>| -> Result<Option<SecretText>, Failure> {
        path.as_deref()
            .map(read_secret)
            .transpose()
            .map(|text| text.map(SecretText::from))
    };
    if let Some(folder) = args.local {
        return Ok(CreateRemote::Local(CreateLocalRemote {
            name: args.name,
            folder,
            concurrency: args.concurrency,
        }));
    }
    let (host, port) = host_and_port(args.sftp.as_deref().unwrap_or_default())?;
    let private_key = match &args.private_key_file {
        Some(path) => Some(SecretText::from(read_text(path)?)),
        None => None,
    };
    Ok(CreateRemote::Sftp(CreateSftpRemote {
        name: args.name,
        host,
        port,
        username: args.user.unwrap_or_default(),
        password: secret(&args.password_file)?,
        private_key,
        passphrase: secret(&args.passphrase_file)?,
        host_key: args.host_key,
        base_path: args.base_path,
        concurrency: args.concurrency,
    }))
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
    use super::*;

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
