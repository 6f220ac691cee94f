//! A store that lies, floods, leads elsewhere or breaks off.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bailee_connect::{FaultKind, ReadFrom, S3Config, WriteOptions};
use futures::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use super::{Result, bytes, clock, kind, open_s3, path};

/// An empty listing: what opening asks for.
const EMPTY: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

type Reply = dyn Fn(&str, usize) -> String + Send + Sync;

/// A store whose answers are made from the request's head and how many there were before.
struct Fake {
    port: u16,
    asked: Arc<AtomicUsize>,
    _task: AbortOnDropHandle<()>,
}

impl Fake {
    async fn start(reply: impl Fn(&str, usize) -> String + Send + Sync + 'static) -> Self {
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

    fn config(&self) -> S3Config {
        S3Config {
            endpoint: Some(format!("http://127.0.0.1:{}", self.port).parse().unwrap()),
            ..S3Config::new(
                "us-east-1",
                "box",
                "AKID",
                "the-secret".to_owned().into(),
                clock(),
            )
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
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |text| text.parse().unwrap());
    let mut body = (&mut stream).take(length);
    if tokio::io::copy(&mut body, &mut tokio::io::sink())
        .await
        .is_err()
    {
        return;
    }
    let _ = stream.write_all(reply(&head, at).as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// A store that opens well and then answers `reply`.
async fn opens_then(reply: &'static str) -> Fake {
    Fake::start(move |_, at| if at == 0 { ok(EMPTY) } else { reply.to_owned() }).await
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let inner = Fake::start(|_, _| ok(EMPTY)).await;
    let to = inner.port;
    let fake = Fake::start(move |_, _| {
        format!("HTTP/1.1 307 T\r\nconnection: close\r\nlocation: http://127.0.0.1:{to}/\r\ncontent-length: 0\r\n\r\n")
    })
    .await;
    assert_eq!(kind(open_s3(fake.config()).await), FaultKind::Protocol);
    assert_eq!(inner.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn busy_stores_say_for_how_long() {
    let fake = Fake::start(|_, _| {
        let body = "<Error><Code>SlowDown</Code><Message>the-message</Message></Error>";
        let length = body.len();
        format!("HTTP/1.1 503 S\r\nconnection: close\r\nretry-after: 17\r\ncontent-length: {length}\r\n\r\n{body}")
    })
    .await;
    let fault = open_s3(fake.config()).await.unwrap_err();
    assert_eq!(fault.kind(), &FaultKind::Busy);
    assert_eq!(fault.wait(), Some(Duration::from_secs(17)));
    assert!(!format!("{fault:?}").contains("the-secret"));
}

#[tokio::test]
async fn listings_without_end_are_cut_and_floods_refused() {
    let fake = Fake::start(|_, _| {
        ok("<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>\
            <Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>")
    })
    .await;
    let far = open_s3(fake.config()).await.unwrap();
    let listing = far.list(&path("/"), 100).await.unwrap();
    assert!(listing.is_cut && fake.asked.load(Ordering::SeqCst) < 10);
    let flood = Fake::start(|_, at| match at {
        0 => ok(EMPTY),
        _ => ok(&format!(
            "<ListBucketResult>{}</ListBucketResult>",
            " ".repeat(9 * 1024 * 1024)
        )),
    })
    .await;
    let far = open_s3(flood.config()).await.unwrap();
    assert_eq!(kind(far.list(&path("/"), 100).await), FaultKind::Protocol);
}

async fn read(fake: Fake, offset: u64) -> Result<Vec<bytes::Bytes>> {
    let far = open_s3(fake.config()).await.unwrap();
    let stream = far.read(&path("a"), ReadFrom::offset(offset)).await?;
    stream.try_collect().await
}

#[tokio::test]
async fn bodies_that_lie_are_noticed() {
    let short =
        opens_then("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nabc").await;
    assert_eq!(kind(read(short, 0).await), FaultKind::ConnectionLost);
    let unsaid = opens_then("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc").await;
    assert_eq!(kind(read(unsaid, 0).await), FaultKind::Protocol);
    let all =
        opens_then("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc").await;
    assert_eq!(kind(read(all, 2).await), FaultKind::Protocol);
    let other = "HTTP/1.1 206 P\r\nconnection: close\r\ncontent-range: bytes 1-3/4\r\ncontent-length: 3\r\n\r\nabc";
    assert_eq!(
        kind(read(opens_then(other).await, 2).await),
        FaultKind::Protocol
    );
}

/// This protocol says "200" first and may think otherwise later.
#[tokio::test]
async fn an_error_inside_a_success_is_an_error() {
    let fake = Fake::start(|head, _| match head.split(' ').next() {
        Some("POST") if head.contains("?uploads=") => ok(
            "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>",
        ),
        Some("POST") => ok("<Error><Code>InternalError</Code><Message>x</Message></Error>"),
        Some("PUT") => {
            "HTTP/1.1 200 OK\r\nconnection: close\r\netag: \"e\"\r\ncontent-length: 0\r\n\r\n".to_owned()
        }
        _ => ok(EMPTY),
    })
    .await;
    let far = open_s3(fake.config()).await.unwrap();
    let mut writer = far
        .write(&path("a"), WriteOptions::default())
        .await
        .unwrap();
    writer.write(bytes(9_000_000)).await.unwrap();
    assert_eq!(kind(writer.finish().await), FaultKind::Busy);
}

#[tokio::test]
async fn parts_that_arrive_changed_are_not_counted() {
    let fake = Fake::start(|head, _| match head.split(' ').next() {
        Some("POST") => ok(
            "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>",
        ),
        Some("PUT") => "HTTP/1.1 200 OK\r\nconnection: close\r\netag: \"e\"\r\n\
            x-amz-checksum-crc64nvme: AAAAAAAAAAA=\r\ncontent-length: 0\r\n\r\n"
            .to_owned(),
        _ => ok(EMPTY),
    })
    .await;
    let far = open_s3(fake.config()).await.unwrap();
    let options = WriteOptions {
        size_hint: Some(20_000_000),
        ..WriteOptions::default()
    };
    let mut writer = far.write(&path("a"), options).await.unwrap();
    assert_eq!(
        kind(writer.write(bytes(20_000_000)).await),
        FaultKind::ConnectionLost
    );
    assert_eq!((writer.confirmed_bytes(), writer.token()), (0, None));
}

/// Takes as long as the connector waits: for an answer, for the middle of a body, for its own bytes to be taken.
#[tokio::test]
async fn nothing_is_waited_for_without_end() {
    const BYTES: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nabc";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = S3Config {
        endpoint: Some(
            format!("http://{}", listener.local_addr().unwrap())
                .parse()
                .unwrap(),
        ),
        ..Fake::start(|_, _| String::new()).await.config()
    };
    let (opened, read, written) = tokio::join!(
        open_s3(silent),
        async {
            let fake = stalls(BYTES).await;
            let far = open_s3(fake.config()).await.unwrap();
            let stream = far.read(&path("a"), ReadFrom::default()).await.unwrap();
            stream.try_collect::<Vec<bytes::Bytes>>().await
        },
        async {
            let fake = stalls("").await;
            let far = open_s3(fake.config()).await.unwrap();
            let mut writer = far.write(&path("a"), WriteOptions::default()).await?;
            writer.write(bytes(8_000_000)).await?;
            writer.finish().await
        },
    );
    assert_eq!(kind(opened), FaultKind::Timeout);
    assert_eq!(kind(read), FaultKind::Timeout);
    assert_eq!(kind(written), FaultKind::Timeout);
}

/// A store that opens well, then reads no more than a head, answers `reply` and keeps the line open.
async fn stalls(reply: &'static str) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let reply = if kept.is_empty() {
                ok(EMPTY)
            } else {
                reply.to_owned()
            };
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(reply.as_bytes()).await;
            kept.push(stream);
        }
    });
    Fake {
        port,
        asked: Arc::default(),
        _task: AbortOnDropHandle::new(task),
    }
}
