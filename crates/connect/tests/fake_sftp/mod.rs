//! An SFTP server that asks for passwords and misbehaves on request.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::key::safe_rng;
use russh::keys::{Algorithm, PrivateKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Msg, Response, Session};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use russh_sftp::protocol::{
    Attrs, Data, File, FileAttributes, Handle, Name, OpenFlags, Status, StatusCode, Version,
};
use tokio::net::TcpListener;

pub const PASSWORD: &str = "correct horse";

/// What the server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vice {
    None,
    /// Takes the password only as the answer to a question.
    AsksQuestions,
    /// Asks for something that is no password, in clear.
    AsksForMore,
    HangsOnStat,
    HangsOnRead,
    HangsOnWrite,
    /// Answers a read with more than was asked for.
    OverfillsReads,
    /// Answers a read with nothing.
    EmptiesReads,
    /// Answers a read with a few bytes.
    ShortensReads,
    ListsForEver,
    ListsNothingForEver,
    /// Confirms writes and forgets the last byte.
    LosesAByte,
    /// Refuses a write with the words of a full disk.
    IsFull,
    /// Drops the connection at a read.
    HangsUp,
    /// Drops the connection instead of judging a password.
    HangsUpAtSignIn,
}

/// Starts the server; returns its port and its host key in OpenSSH's one-line form.
pub async fn start(vice: Vice) -> (u16, String) {
    let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
    let public = key.public_key().to_openssh().unwrap();
    let config = Arc::new(Config {
        keys: vec![key],
        auth_rejection_time: Duration::from_millis(1),
        auth_rejection_time_initial: Some(Duration::ZERO),
        ..Config::default()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let door = Door {
                vice,
                channels: HashMap::new(),
            };
            let session = russh::server::run_stream(Arc::clone(&config), stream, door);
            tokio::spawn(async move {
                if let Ok(session) = session.await {
                    let _ = session.await;
                }
            });
        }
    });
    (port, public)
}

struct Door {
    vice: Vice,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl russh::server::Handler for Door {
    type Error = russh::Error;

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, russh::Error> {
        if self.vice == Vice::HangsUpAtSignIn {
            return Err(russh::Error::Disconnect);
        }
        let asks = matches!(self.vice, Vice::AsksQuestions | Vice::AsksForMore);
        if password == PASSWORD && !asks {
            return Ok(Auth::Accept);
        }
        let methods: &[MethodKind] = if asks {
            &[MethodKind::KeyboardInteractive]
        } else {
            &[MethodKind::Password]
        };
        Ok(Auth::Reject {
            proceed_with_methods: Some(MethodSet::from(methods)),
            partial_success: false,
        })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let Some(mut answers) = response else {
            let asks_openly = self.vice == Vice::AsksForMore;
            let prompts = vec![(Cow::Borrowed("Well?"), asks_openly)].into();
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts,
            });
        };
        let is_right = answers
            .next()
            .is_some_and(|answer| answer == PASSWORD.as_bytes());
        Ok(if is_right {
            Auth::Accept
        } else {
            Auth::reject()
        })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        _: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        if let Some(channel) = self.channels.remove(&id) {
            session.channel_success(id)?;
            let files = Files {
                vice: self.vice,
                content: Vec::new(),
                listed: 0,
                is_taken: true,
            };
            russh_sftp::server::run(channel.into_stream(), files).await;
        }
        Ok(())
    }
}

/// One file under every name. It holds what was written; before that, [`content`].
struct Files {
    vice: Vice,
    content: Vec<u8>,
    listed: u32,
    is_taken: bool,
}

/// What the server's file holds before it is written to.
pub fn content() -> Vec<u8> {
    (0..200_000_u32).map(|at| (at % 251) as u8).collect()
}

fn ok(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: String::new(),
        language_tag: String::new(),
    }
}

impl russh_sftp::server::Handler for Files {
    type Error = russh_sftp::server::StatusReply;

    fn unimplemented(&self) -> Self::Error {
        StatusCode::OpUnsupported.into()
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Result<Version, Self::Error> {
        self.content = content();
        Ok(Version::new())
    }

    async fn open(
        &mut self,
        id: u32,
        _: String,
        flags: OpenFlags,
        _: FileAttributes,
    ) -> Result<Handle, Self::Error> {
        if flags.contains(OpenFlags::TRUNCATE) {
            self.content.clear();
        }
        Ok(Handle {
            id,
            handle: "h".to_owned(),
        })
    }

    async fn close(&mut self, id: u32, _: String) -> Result<Status, Self::Error> {
        Ok(ok(id))
    }

    async fn read(
        &mut self,
        id: u32,
        _: String,
        offset: u64,
        len: u32,
    ) -> Result<Data, Self::Error> {
        let length = match self.vice {
            Vice::HangsOnRead => pending().await,
            Vice::HangsUp => return Err(StatusCode::ConnectionLost.into()),
            Vice::OverfillsReads => len as usize + 1,
            Vice::EmptiesReads => 0,
            Vice::ShortensReads => (len as usize).min(1_777),
            _ => len as usize,
        };
        let rest = self.content.get(offset as usize..).unwrap_or_default();
        if rest.is_empty() {
            return Err(StatusCode::Eof.into());
        }
        Ok(Data {
            id,
            data: rest.iter().copied().take(length).collect(),
        })
    }

    async fn write(
        &mut self,
        id: u32,
        _: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Result<Status, Self::Error> {
        match self.vice {
            Vice::HangsOnWrite if offset >= 32 * 1024 => pending().await,
            Vice::IsFull => {
                return Err(
                    Self::Error::new(StatusCode::Failure).with_message("No space left on device")
                );
            }
            _ => {}
        }
        self.content
            .resize(self.content.len().max(offset as usize + data.len()), 0);
        self.content
            .get_mut(offset as usize..offset as usize + data.len())
            .unwrap()
            .copy_from_slice(&data);
        Ok(ok(id))
    }

    async fn fstat(&mut self, id: u32, _: String) -> Result<Attrs, Self::Error> {
        let size = self.content.len() as u64 - u64::from(self.vice == Vice::LosesAByte);
        Ok(Attrs {
            id,
            attrs: FileAttributes {
                size: Some(size),
                ..FileAttributes::empty()
            },
        })
    }

    async fn stat(&mut self, id: u32, _: String) -> Result<Attrs, Self::Error> {
        if self.vice == Vice::HangsOnStat {
            return pending().await;
        }
        Ok(Attrs {
            id,
            attrs: FileAttributes {
                size: Some(1),
                ..FileAttributes::empty()
            },
        })
    }

    /// As version 3 of the protocol has it: a taken name is refused, and the code does not say why.
    async fn rename(&mut self, id: u32, _: String, _: String) -> Result<Status, Self::Error> {
        if self.is_taken {
            Err(StatusCode::Failure.into())
        } else {
            Ok(ok(id))
        }
    }

    async fn remove(&mut self, id: u32, _: String) -> Result<Status, Self::Error> {
        self.is_taken = false;
        Ok(ok(id))
    }

    async fn opendir(&mut self, id: u32, _: String) -> Result<Handle, Self::Error> {
        Ok(Handle {
            id,
            handle: "d".to_owned(),
        })
    }

    async fn readdir(&mut self, id: u32, _: String) -> Result<Name, Self::Error> {
        self.listed += 1;
        let name = |at: u32| File::new(format!("{}-{at}", self.listed), FileAttributes::empty());
        let files = match (self.vice, self.listed) {
            (Vice::ListsForEver, _) => (0..100).map(name).collect(),
            (Vice::ListsNothingForEver, _) => Vec::new(),
            (_, 1) => ["..", ".", "../up", "a\nb", "a\\b", "fine"]
                .map(|text| File::new(text, FileAttributes::empty()))
                .into(),
            _ => return Err(StatusCode::Eof.into()),
        };
        Ok(Name { id, files })
    }
}
