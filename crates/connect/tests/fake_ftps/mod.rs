//! An FTPS server with vices. It has one file, `a`, of [`SIZE`] bytes.

use std::sync::Arc;

use bailee_connect::{FtpsConfig, FtpsTimes, TlsOptions};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub const SIZE: usize = 100_000;
pub const PASSWORD: &str = "open sesame";

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vice {
    None,
    HangsAtOnce,
    GreetsBusy,
    GreetsForEver,
    IsNoFtp,
    HasNoTls,
    SpeaksBeforeTls,
    ProtectsNothing,
    RepeatsThePassword,
    NamesAnotherAddress,
    EndsReadsEarly,
    SendsTooMuch,
    HangsInData,
    HangsAfterWrites,
    ForgetsWrites,
    RefusesInTheMiddle,
    ListsForEver,
    ListsOneEndlessLine,
    CutsListings,
    ListsStrangely,
    SaysGoodBye,
    AnswersDoneAtOnce,
}

/// Starts a server and says how to reach it, with short times.
pub async fn start(vice: Vice) -> FtpsConfig {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move { serve(stream, tls, vice).await });
        }
    });
    let idle = std::time::Duration::from_millis(700);
    FtpsConfig {
        password: Some(PASSWORD.to_owned().into()),
        tls: TlsOptions {
            extra_roots_pem: made.cert.pem(),
            ..TlsOptions::default()
        },
        times: FtpsTimes {
            idle,
            ..FtpsTimes::default()
        },
        ..FtpsConfig::new("127.0.0.1", port, "ann")
    }
}

async fn hang() {
    std::future::pending::<()>().await;
}

async fn serve(stream: TcpStream, tls: TlsAcceptor, vice: Vice) -> Option<()> {
    let mut plain = BufReader::new(stream);
    let greeting = match vice {
        Vice::HangsAtOnce => {
            hang().await;
            return None;
        }
        Vice::GreetsBusy => "421 too many",
        Vice::IsNoFtp => "SSH-2.0-fake",
        _ => "220 hello",
    };
    if vice == Vice::GreetsForEver {
        loop {
            say(&mut plain, "220-and another thing").await?;
        }
    }
    say(&mut plain, greeting).await?;
    hear(&mut plain).await?;
    match vice {
        Vice::HasNoTls => say(&mut plain, "502 what?").await?,
        Vice::SpeaksBeforeTls => say(&mut plain, "234 go\r\n230 signed in").await?,
        _ => say(&mut plain, "234 go").await?,
    }
    let stream = tls.accept(plain.into_inner()).await.ok()?;
    let mut session = Session {
        control: BufReader::new(stream),
        tls,
        vice,
        passive: None,
        stored: SIZE,
    };
    loop {
        let line = hear(&mut session.control).await?;
        session.answer(&line).await?;
    }
}

struct Session {
    control: BufReader<TlsStream<TcpStream>>,
    tls: TlsAcceptor,
    vice: Vice,
    passive: Option<TcpListener>,
    stored: usize,
}

impl Session {
    async fn answer(&mut self, line: &str) -> Option<()> {
        let word = line.split(' ').next().unwrap_or_default();
        let size = format!("213 {}", self.stored);
        let repeated = format!("530 not {PASSWORD}");
        let text = match (word, self.vice) {
            ("USER", _) => "331 and?",
            ("PASS", Vice::RepeatsThePassword) => repeated.as_str(),
            ("PASS", _) => "230 in",
            ("PROT", Vice::ProtectsNothing) => "536 no",
            ("FEAT", _) => "211-has\r\n MLST type*;\r\n SIZE\r\n REST STREAM\r\n211 end",
            ("PWD", _) => "257 \"/\"",
            ("REST", _) => "350 go on",
            ("SIZE", Vice::SaysGoodBye) => "421 bye",
            ("SIZE", _) => size.as_str(),
            ("EPSV" | "PASV", _) => return self.listen(word).await,
            ("RETR", _) => return self.send().await,
            ("STOR", _) => return self.store().await,
            ("MLSD", _) => return self.list().await,
            _ => "200 fine",
        };
        say(&mut self.control, text).await
    }

    async fn listen(&mut self, word: &str) -> Option<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await.ok()?;
        let port = listener.local_addr().ok()?.port();
        self.passive = Some(listener);
        let text = match (word, self.vice) {
            ("EPSV", Vice::NamesAnotherAddress) => "502 what?".to_owned(),
            ("PASV", _) => format!("227 go (169,254,169,254,{},{})", port / 256, port % 256),
            _ => format!("229 go (|||{port}|)"),
        };
        say(&mut self.control, &text).await
    }

    async fn data(&mut self) -> Option<TlsStream<TcpStream>> {
        let text = match self.vice {
            Vice::AnswersDoneAtOnce => "226 done",
            _ => "150 here",
        };
        say(&mut self.control, text).await?;
        let (stream, _) = self.passive.take()?.accept().await.ok()?;
        self.tls.accept(stream).await.ok()
    }

    async fn send(&mut self) -> Option<()> {
        let mut data = self.data().await?;
        let count = match self.vice {
            Vice::EndsReadsEarly | Vice::HangsInData => SIZE / 2,
            Vice::SendsTooMuch => SIZE * 3,
            _ => SIZE,
        };
        data.write_all(&vec![b'x'; count]).await.ok()?;
        data.flush().await.ok()?;
        if self.vice == Vice::HangsInData {
            hang().await;
        }
        data.shutdown().await.ok()?;
        say(&mut self.control, "226 done").await
    }

    async fn store(&mut self) -> Option<()> {
        let mut data = self.data().await?;
        if self.vice == Vice::RefusesInTheMiddle {
            data.read_u8().await.ok()?;
            say(&mut self.control, "552 quota exceeded").await?;
            drop(data);
            return Some(());
        }
        let mut got = Vec::new();
        data.read_to_end(&mut got).await.ok()?;
        self.stored = got.len();
        match self.vice {
            Vice::HangsAfterWrites => hang().await,
            Vice::ForgetsWrites => self.stored /= 2,
            _ => {}
        }
        drop(data);
        say(&mut self.control, "226 done").await
    }

    async fn list(&mut self) -> Option<()> {
        let mut data = self.data().await?;
        let mut count = 0;
        if self.vice == Vice::ListsForEver {
            loop {
                let line = format!("type=file;size=1; name-{count}\r\n");
                data.write_all(line.as_bytes()).await.ok()?;
                count += 1;
            }
        }
        if self.vice == Vice::ListsOneEndlessLine {
            loop {
                data.write_all(&[b'x'; 4096]).await.ok()?;
            }
        }
        if self.vice == Vice::ListsStrangely {
            data.write_all(
                b"type=file; ..\\up\r\ntype=file; \x1bx\r\ntype=file; \xff\r\ntype=file; a/b\r\n",
            )
            .await
            .ok()?;
        }
        data.write_all(b"type=file;size=1; one\r\n").await.ok()?;
        data.flush().await.ok()?;
        if self.vice == Vice::CutsListings {
            // Whoever sits on the way can end the connection, but not under TLS.
            data.get_mut().0.shutdown().await.ok()?;
        } else {
            data.shutdown().await.ok()?;
        }
        say(&mut self.control, "226 done").await
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(to: &mut BufReader<S>, text: &str) -> Option<()> {
    to.write_all(format!("{text}\r\n").as_bytes()).await.ok()?;
    to.flush().await.ok()
}

async fn hear<S: AsyncRead + AsyncWrite + Unpin>(from: &mut BufReader<S>) -> Option<String> {
    let mut line = String::new();
    let count = from.read_line(&mut line).await.ok()?;
    (count > 0).then(|| line.trim_end().to_owned())
}
