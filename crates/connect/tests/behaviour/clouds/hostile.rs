//! Stores of both clouds that lie, flood, lead elsewhere or fall silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bailee_connect::{
    AzureBlobConfig, AzureCredential, Connector, ConnectorSpec, FaultKind, GcsConfig,
    GcsCredential, ReadFrom, Result, WriteOptions, open,
};
use futures::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use super::outside::clock;
use crate::suite::{bytes, kind};
use crate::{guard, path};

/// Whose protocol is spoken.
#[derive(Clone, Copy, Debug)]
enum Cloud {
    Azure,
    Google,
}

const CLOUDS: [Cloud; 2] = [Cloud::Azure, Cloud::Google];
const SECRET: &str = "dGhlLXNlY3JldA==";

impl Cloud {
    async fn open(self, port: u16) -> Result<Box<dyn Connector>> {
        let endpoint = format!("http://127.0.0.1:{port}").parse().ok();
        let spec = match self {
            Self::Azure => {
                let credential = AzureCredential::SharedKey(SECRET.to_owned().into());
                ConnectorSpec::AzureBlob(Box::new(AzureBlobConfig {
                    endpoint,
                    ..AzureBlobConfig::new("bailee", "box", credential, clock())
                }))
            }
            Self::Google => {
                let credential = GcsCredential::Bearer(SECRET.to_owned().into());
                ConnectorSpec::Gcs(Box::new(GcsConfig {
                    endpoint,
                    ..GcsConfig::new("box", credential, clock())
                }))
            }
        };
        open(spec, &guard()).await
    }

    /// A page of a listing, with `room` for nonsense in it.
    fn page(self, entries: &str, room: &str) -> String {
        ok(&match self {
            Self::Azure => format!("<EnumerationResults>{room}{entries}</EnumerationResults>"),
            Self::Google => format!("{{{room}{entries}}}"),
        })
    }

    /// An empty listing: what opening asks for.
    fn empty(self) -> String {
        self.page("", "")
    }

    /// A page that leads to itself.
    fn endless(self) -> String {
        let entries = match self {
            Self::Azure => {
                "<Blobs><Blob><Name>a</Name></Blob></Blobs><NextMarker>again</NextMarker>"
            }
            Self::Google => "\"items\":[{\"name\":\"a\"}],\"nextPageToken\":\"again\"",
        };
        self.page(entries, "")
    }
}

type Reply = dyn Fn(usize) -> String + Send + Sync;

/// A store whose answers are made from how many there were before.
struct Fake {
    port: u16,
    asked: Arc<AtomicUsize>,
    _task: AbortOnDropHandle<()>,
}

impl Fake {
    async fn start(reply: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let (counted, reply): (_, Arc<Reply>) = (Arc::clone(&asked), Arc::new(reply));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let at = counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(stream, Arc::clone(&reply), at));
            }
        });
        Self {
            port,
            asked,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// One that opens well and then answers `reply`.
    async fn opens_then(cloud: Cloud, reply: &'static str) -> Self {
        Self::start(move |at| match at {
            0 => cloud.empty(),
            _ => reply.to_owned(),
        })
        .await
    }

    /// One that opens well, then reads no more than a head, answers `reply` and keeps the line open.
    async fn stalls(cloud: Cloud, reply: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let reply = if kept.is_empty() {
                    cloud.empty()
                } else {
                    reply.to_owned()
                };
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(reply.as_bytes()).await;
                kept.push(stream);
            }
        });
        Self {
            port,
            asked: Arc::default(),
            _task: AbortOnDropHandle::new(task),
        }
    }
}

async fn answer(mut stream: TcpStream, reply: Arc<Reply>, at: usize) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(1) = stream.read(&mut byte).await else {
            return;
        };
        head.extend_from_slice(&byte);
    }
    let _ = stream.write_all(reply(at).as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for cloud in CLOUDS {
        let inner = Fake::start(move |_| cloud.empty()).await;
        let to = inner.port;
        let fake = Fake::start(move |_| {
            format!("HTTP/1.1 307 T\r\nconnection: close\r\nlocation: http://127.0.0.1:{to}/\r\ncontent-length: 0\r\n\r\n")
        })
        .await;
        let refused = kind(cloud.open(fake.port).await);
        assert_eq!(refused, FaultKind::Protocol, "{cloud:?}");
        assert_eq!(inner.asked.load(Ordering::SeqCst), 0, "{cloud:?}");
    }
}

#[tokio::test]
async fn busy_stores_say_for_how_long() {
    for cloud in CLOUDS {
        let fake = Fake::start(|_| {
            "HTTP/1.1 503 S\r\nconnection: close\r\nretry-after: 17\r\ncontent-length: 0\r\n\r\n"
                .to_owned()
        })
        .await;
        let fault = cloud.open(fake.port).await.unwrap_err();
        assert_eq!(fault.kind(), &FaultKind::Busy, "{cloud:?}");
        assert_eq!(fault.wait(), Some(Duration::from_secs(17)), "{cloud:?}");
        assert!(!format!("{fault:?}").contains(SECRET), "{cloud:?}");
    }
}

#[tokio::test]
async fn listings_without_end_are_cut_and_floods_refused() {
    for cloud in CLOUDS {
        let fake = Fake::start(move |_| cloud.endless()).await;
        let far = cloud.open(fake.port).await.unwrap();
        let listing = far.list(&path("/"), 100).await.unwrap();
        let asked = fake.asked.load(Ordering::SeqCst);
        assert!(listing.is_cut && asked < 10, "{cloud:?}: {asked}");
        let flood = Fake::start(move |at| match at {
            0 => cloud.empty(),
            _ => cloud.page("", &" ".repeat(9 * 1024 * 1024)),
        })
        .await;
        let far = cloud.open(flood.port).await.unwrap();
        let flooded = kind(far.list(&path("/"), 100).await);
        assert_eq!(flooded, FaultKind::Protocol, "{cloud:?}");
    }
}

async fn read(cloud: Cloud, reply: &'static str, offset: u64) -> Result<Vec<bytes::Bytes>> {
    let fake = Fake::opens_then(cloud, reply).await;
    let far = cloud.open(fake.port).await.unwrap();
    let stream = far.read(&path("a"), ReadFrom::offset(offset)).await?;
    stream.try_collect().await
}

#[tokio::test]
async fn bodies_that_lie_are_noticed() {
    let short = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nabc";
    let unsaid = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc";
    let all = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc";
    let other = "HTTP/1.1 206 P\r\nconnection: close\r\ncontent-range: bytes 1-3/4\r\ncontent-length: 3\r\n\r\nabc";
    for cloud in CLOUDS {
        for (reply, offset, wanted) in [
            (short, 0, FaultKind::ConnectionLost),
            (unsaid, 0, FaultKind::Protocol),
            (all, 2, FaultKind::Protocol),
            (other, 2, FaultKind::Protocol),
        ] {
            let found = kind(read(cloud, reply, offset).await);
            assert_eq!(found, wanted, "{cloud:?}: {reply}");
        }
    }
}

#[tokio::test]
async fn answers_that_are_no_documents_are_refused() {
    for cloud in CLOUDS {
        for nonsense in ["<html>hello", "[1, 2", "\u{0}\u{1}\u{2}"] {
            let fake = Fake::start(move |at| match at {
                0 => cloud.empty(),
                _ => ok(nonsense),
            })
            .await;
            let far = cloud.open(fake.port).await.unwrap();
            let found = kind(far.list(&path("/"), 100).await);
            assert_eq!(found, FaultKind::Protocol, "{cloud:?}: {nonsense}");
        }
    }
}

/// Takes as long as the connector waits: for an answer, for the middle of a body, for its own bytes to be taken.
#[tokio::test]
async fn nothing_is_waited_for_without_end() {
    const BYTES: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nabc";
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let each = CLOUDS.map(|cloud| async move {
        let (opened, read, written) = tokio::join!(
            cloud.open(port),
            async {
                let fake = Fake::stalls(cloud, BYTES).await;
                let far = cloud.open(fake.port).await.unwrap();
                let stream = far.read(&path("a"), ReadFrom::default()).await.unwrap();
                stream.try_collect::<Vec<bytes::Bytes>>().await
            },
            async {
                let fake = Fake::stalls(cloud, "").await;
                let far = cloud.open(fake.port).await.unwrap();
                let mut writer = far.write(&path("a"), WriteOptions::default()).await?;
                writer.write(bytes(8_000_000)).await?;
                writer.finish().await
            },
        );
        assert_eq!(kind(opened), FaultKind::Timeout, "{cloud:?}");
        assert_eq!(kind(read), FaultKind::Timeout, "{cloud:?}");
        assert_eq!(kind(written), FaultKind::Timeout, "{cloud:?}");
    });
    futures::future::join_all(each).await;
}
