//! From the greeting to a session in which everything is protected.

use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::config::FtpsConfig;
use super::control::Offers;
use super::error;
use super::reply::{Reply, Talk};
use crate::fault::{Fault, FaultKind, Result};

type Secure = Talk<TlsStream<TcpStream>>;

/// User and password go to the server as lines, so they may hold no line ends.
pub(super) fn check(config: &FtpsConfig) -> Result<()> {
    let password = config.password.as_ref().map_or("", |p| p.expose_secret());
    if [config.user.as_str(), password]
        .iter()
        .any(|text| text.contains(char::is_control))
    {
        let message = "user and password may not hold control characters";
        return Err(Fault::new(FaultKind::Invalid, message));
    }
    Ok(())
}

pub(super) fn greeted(greeting: Reply) -> Result<()> {
    if greeting.code == 421 {
        let fault = error::refusal(&greeting, "a connection");
        return Err(Fault::new(FaultKind::Busy, fault.message()));
    }
    greeting.done("a connection").map(|_| ())
}

/// Nothing goes on without TLS.
pub(super) fn offers_tls(reply: Reply) -> Result<()> {
    if reply.is_done() {
        return Ok(());
    }
    let fault = error::refusal(&reply, "TLS");
    Err(Fault::new(FaultKind::Unsupported, fault.message()))
}

/// Proves who we are, has data protected, and learns what the server has and where it starts.
pub(super) async fn sign_in(talk: &mut Secure, config: &FtpsConfig) -> Result<(Offers, String)> {
    let within = config.times.sign_in;
    prove(talk, config).await?;
    ask(talk, "PBSZ 0", within).await?.done("to protect data")?;
    let protected = ask(talk, "PROT P", within).await?;
    if !protected.is_done() {
        let fault = error::refusal(&protected, "to protect data");
        return Err(Fault::new(FaultKind::Unsupported, fault.message()));
    }
    let features = ask(talk, "FEAT", within).await?;
    if features.lines.iter().any(|line| is_feature(line, "UTF8")) {
        // Some have it on already and refuse the command.
        ask(talk, "OPTS UTF8 ON", within).await?;
    }
    ask(talk, "TYPE I", within).await?.done("binary transfer")?;
    let place = ask(talk, "PWD", within).await?.done("to name its folder")?;
    let home = quoted(&place.text()).ok_or_else(|| {
        Fault::new(
            FaultKind::Unsupported,
            "the FTP server does not name the folder it starts in",
        )
    })?;
    Ok((offers(&features), home))
}

async fn prove(talk: &mut Secure, config: &FtpsConfig) -> Result<()> {
    let within = config.times.sign_in;
    let mut reply = ask(talk, &format!("USER {}", config.user), within).await?;
    if reply.code == 331 {
        let Some(password) = &config.password else {
            let message = "the FTP server asks for a password, and none is configured";
            return Err(Fault::new(FaultKind::AuthFailed, message));
        };
        let password = password.expose_secret();
        reply = ask(talk, &format!("PASS {password}"), within).await?;
        if !password.is_empty() && reply.text().contains(password) {
            reply.lines.clear(); // what the server repeats would be shown
        }
    }
    match reply.code {
        code if code / 100 == 2 => Ok(()),
        332 => Err(Fault::new(
            FaultKind::Unsupported,
            "the FTP server asks for an account beside user and password",
        )),
        421 => {
            let fault = error::refusal(&reply, "to sign in");
            Err(Fault::new(FaultKind::Busy, fault.message()))
        }
        _ => {
            let fault = error::refusal(&reply, "to sign in");
            let is_final = reply.code / 100 == 5 && fault.kind() != &FaultKind::Unsupported;
            let kind = if is_final {
                FaultKind::AuthFailed
            } else {
                fault.kind().clone()
            };
            Err(Fault::new(kind, fault.message()))
        }
    }
}

async fn ask(talk: &mut Secure, command: &str, within: Duration) -> Result<Reply> {
    talk.send(command, within).await?;
    talk.reply(within).await
}

fn is_feature(line: &str, name: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    word.eq_ignore_ascii_case(name)
}

/// A server that does not tell is asked when it matters.
fn offers(features: &Reply) -> Offers {
    let has = |name: &str| features.lines.iter().any(|line| is_feature(line, name));
    let tells = features.is_done();
    Offers {
        has_mlst: has("MLST"),
        has_size: !tells || has("SIZE"),
        has_mdtm: !tells || has("MDTM"),
        has_rest: !tells || has("REST"),
        has_mfmt: has("MFMT"),
    }
}

/// The path of a 257 reply: in quotes, with quotes inside doubled.
fn quoted(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('"')?;
    let mut path = String::new();
    let mut characters = rest.chars().peekable();
    loop {
        match characters.next()? {
            '"' if characters.peek() == Some(&'"') => path.extend(characters.next()),
            '"' => break,
            other => path.push(other),
        }
    }
    path.starts_with('/').then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starting_folder_is_read() {
        assert_eq!(quoted("\"/a b\" is it").as_deref(), Some("/a b"));
        assert_eq!(quoted("\"/a\"\"b\"").as_deref(), Some("/a\"b"));
        for text in ["", "/a", "\"/a", "\"C:\\\"", "\"\""] {
            assert_eq!(quoted(text), None, "{text}");
        }
    }
}
