//! One control connection: signing in, commands, and transfers that belong to it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use futures::future::{Either, select};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::config::{FtpsConfig, FtpsMode};
use super::data::{self, Data};
use super::reply::{Reply, Talk};
use super::session::Sessions;
use super::{error, passive, sign_in};
use crate::egress::EgressGuard;
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;
use crate::path::RemotePath;
use crate::tls;

/// What every connection to this server needs.
pub(super) struct Setup {
    pub(super) config: FtpsConfig,
    guard: EgressGuard,
    tls: ClientConfig,
    name: ServerName<'static>,
}

impl Setup {
    pub(super) fn new(config: &FtpsConfig, guard: &EgressGuard) -> Result<Self> {
        let bare = config.host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|error| {
            Fault::new(FaultKind::Invalid, "the host name is not well-formed").because(error)
        })?;
        sign_in::check(config)?;
        Ok(Self {
            config: config.clone(),
            guard: guard.clone(),
            tls: tls::config(&config.tls)?,
            name,
        })
    }
}

/// What the server says it has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offers {
    pub(super) has_mlst: bool,
    pub(super) has_size: bool,
    pub(super) has_mdtm: bool,
    pub(super) has_rest: bool,
    pub(super) has_mfmt: bool,
}

/// A control connection, signed in.
pub(super) struct Control {
    talk: Talk<TlsStream<TcpStream>>,
    setup: Arc<Setup>,
    peer: IpAddr,
    tls: TlsConnector,
    sessions: Arc<Sessions>,
    /// The folder that the server starts in.
    home: String,
    offers: Offers,
    has_epsv: bool,
    /// The last answer was complete and left nothing open: another command may follow.
    is_ready: bool,
    used_at: Instant,
}

impl Control {
    /// Connects and signs in.
    pub(super) async fn open(setup: Arc<Setup>) -> Result<Self> {
        let config = &setup.config;
        let (stream, address) = setup
            .guard
            .dial(&config.host, config.port, config.times.connect)
            .await?;
        let deadline = Instant::now() + config.times.sign_in;
        tokio::time::timeout_at(
            deadline,
            Self::start(Arc::clone(&setup), stream, address.ip()),
        )
        .await
        .map_err(|_| Fault::timeout("signing in to the FTP server"))?
    }

    async fn start(setup: Arc<Setup>, stream: TcpStream, peer: IpAddr) -> Result<Self> {
        let sessions = Arc::new(Sessions::default());
        let mut config = setup.tls.clone();
        config.resumption = Resumption::store(Arc::clone(&sessions) as _);
        let tls = TlsConnector::from(Arc::new(config));
        let within = setup.config.times.sign_in;
        let secure = |stream| async {
            let shaken = tls.connect(setup.name.clone(), stream).await;
            shaken.map_err(|error| error::line(error, "the TLS handshake"))
        };
        let mut talk = match setup.config.mode {
            FtpsMode::Implicit => {
                let mut talk = Talk::new(secure(stream).await?);
                sign_in::greeted(talk.reply(within).await?)?;
                talk
            }
            FtpsMode::Explicit => {
                let mut talk = Talk::new(stream);
                let mut greeting = talk.reply(within).await?;
                while greeting.is_preliminary() {
                    greeting = talk.reply(within).await?;
                }
                sign_in::greeted(greeting)?;
                talk.send("AUTH TLS", within).await?;
                sign_in::offers_tls(talk.reply(within).await?)?;
                Talk::new(secure(talk.into_stream()?).await?)
            }
        };
        let (offers, home) = sign_in::sign_in(&mut talk, &setup.config).await?;
        Ok(Self {
            talk,
            setup,
            peer,
            tls,
            sessions,
            home,
            offers,
            has_epsv: true,
            is_ready: true,
            used_at: Instant::now(),
        })
    }

    pub(super) fn offers(&self) -> Offers {
        self.offers
    }

    /// Where `path` is on the server. Always from the root, so that it does not matter which folder is the current one.
    pub(super) fn far(&self, path: &RemotePath) -> String {
        let path = match &self.setup.config.base {
            Some(base) => base.beneath(path),
            None => path.clone(),
        };
        let home = self.home.trim_end_matches('/');
        match (path.is_absolute(), path.is_start()) {
            (true, _) => path.to_string(),
            (false, true) => self.home.clone(),
            (false, false) => format!("{home}/{path}"),
        }
    }

    /// Sends `command` and gives the answer, whatever it says, except that the server hangs up.
    pub(super) async fn command(&mut self, command: &str) -> Result<Reply> {
        let idle = self.setup.config.times.idle;
        self.is_ready = false;
        self.talk.send(command, idle).await?;
        let reply = self.talk.reply(idle).await?;
        if reply.code == 421 {
            return Err(error::refusal(&reply, "to go on"));
        }
        self.settled(&reply);
        Ok(reply)
    }

    /// Begins a transfer at `offset`; [`Control::ended`] or [`Control::written`] must follow.
    pub(super) async fn transfer(&mut self, command: &str, offset: u64) -> Result<Data> {
        let times = self.setup.config.times;
        let port = self.passive_port().await?;
        let address = SocketAddr::new(self.peer, port);
        let deadline = Instant::now() + times.connect;
        let (stream, _) = self.setup.guard.connect(&[address], deadline).await?;
        if offset > 0 {
            let reply = self.command(&format!("REST {offset}")).await?;
            if !reply.wants_more() {
                return Err(error::refusal(&reply, "to go on inside the file"));
            }
        }
        self.is_ready = false;
        self.talk.send(command, times.idle).await?;
        let (reply, shaken) = {
            // The server shakes hands when it likes, before it answers or after; if it refuses, never.
            let name = &self.setup.name;
            let shake = pin!(data::shake_hands(&self.tls, name, stream, times.idle));
            let answer = pin!(self.talk.reply(times.idle));
            match select(answer, shake).await {
                Either::Left((Ok(reply), shake)) if reply.is_preliminary() => {
                    (reply, Some(shake.await))
                }
                Either::Left((reply, _)) => (reply?, None),
                Either::Right((shaken, answer)) => (answer.await?, Some(shaken)),
            }
        };
        match shaken {
            Some(shaken) if reply.is_preliminary() => shaken,
            _ => Err(self.refused(&reply, offset)),
        }
    }

    /// A server may keep the offset of a transfer that it refused, so the connection is ready again only without one.
    fn refused(&mut self, reply: &Reply, offset: u64) -> Fault {
        if reply.is_done() {
            return Fault::protocol("the FTP server called a transfer done before it began");
        }
        if offset == 0 && reply.code != 421 {
            self.settled(reply);
        }
        error::refusal(reply, "the transfer")
    }

    /// Ends a transfer of which everything was read. Some servers say that it is done only after our farewell; whether that
    /// arrives makes no difference to what was read.
    pub(super) async fn ended(&mut self, mut data: Data) -> Result<Reply> {
        let _ = data.end().await;
        drop(data);
        let reply = self.talk.reply(self.setup.config.times.idle).await?;
        self.settled(&reply);
        reply.done("to end the transfer")
    }

    /// Ends what was written to `data` and waits until the server has taken it.
    pub(super) async fn written(&mut self, mut data: Data) -> Result<Reply> {
        // An error here is told better by the reply: a full disk, say.
        let ended = data.end().await;
        let within = self.setup.config.times.idle * limit::FTPS_CONFIRM_IDLE_TIMES;
        let reply = {
            let answer = pin!(self.talk.reply(within));
            // Read until the server hangs up: unread bytes would have the kernel break the line and lose what was sent.
            let rest = pin!(data.discard());
            match select(answer, rest).await {
                Either::Left((reply, _)) => reply?,
                Either::Right(((), answer)) => answer.await?,
            }
        };
        self.settled(&reply);
        let reply = reply.done("what was sent")?;
        ended.map(|()| reply)
    }

    /// Waits for what the server says after a write that was broken off. The connection may go on.
    pub(super) async fn broken_off(&mut self, data: Data) {
        drop(data);
        if let Ok(reply) = self.talk.reply(limit::CLOSE_TIME_MAX).await {
            self.settled(&reply);
        }
    }

    /// What the server said about a data connection that broke, if it says anything; otherwise `fault`.
    pub(super) async fn explained(&mut self, fault: Fault) -> Fault {
        let within = limit::CLOSE_TIME_MAX.min(self.setup.config.times.idle);
        match self.talk.reply(within).await {
            Ok(reply) if !reply.is_done() => error::refusal(&reply, "what was sent"),
            _ => fault,
        }
    }

    fn settled(&mut self, reply: &Reply) {
        self.is_ready = matches!(reply.code / 100, 2 | 4 | 5) && reply.code != 421;
        self.used_at = Instant::now();
    }

    /// Opens the server's side of a data connection. Only the port counts: whatever address is named, the connection
    /// goes where the control connection goes.
    async fn passive_port(&mut self) -> Result<u16> {
        if self.has_epsv {
            let reply = self.command("EPSV").await?;
            if reply.is_done() {
                return passive::extended_port(&reply);
            }
            if reply.code < 500 {
                return Err(error::refusal(&reply, "a data connection"));
            }
            self.has_epsv = false;
        }
        let reply = self.command("PASV").await?;
        passive::port(&reply.done("a data connection")?)
    }

    /// Another command may follow.
    pub(super) fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// Another data connection could not prove that it belongs here.
    pub(super) fn is_spent(&self) -> bool {
        self.sessions.are_spent()
    }

    /// Fit to be used again: not idle for long, and the server has not said good-bye meanwhile.
    pub(super) async fn is_fresh(&mut self) -> bool {
        self.used_at.elapsed() < limit::IDLE_CONNECTION_TIME_MAX && self.talk.is_quiet().await
    }

    /// Hangs up.
    pub(super) async fn quit(mut self) {
        if self.talk.send("QUIT", limit::CLOSE_TIME_MAX).await.is_ok() {
            let _ = self.talk.reply(limit::CLOSE_TIME_MAX).await;
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Control")
            .field("peer", &self.peer)
            .field("is_ready", &self.is_ready)
            .finish_non_exhaustive()
    }
}
