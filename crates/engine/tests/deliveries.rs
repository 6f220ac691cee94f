//! Events on their way to receivers: sealed, handed on, signed, posted, settled.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

#[expect(dead_code, reason = "the tests of transfers need more of it")]
mod site;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bailee_core::model::{DeliveryState, PageRequest};
use bailee_core::{DeliveryFilter, NewWebhook};
use site::Site;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const DRAIN: Duration = Duration::from_secs(20);

/// One POST as it arrived.
struct Received {
    id: String,
    head: String,
    body: String,
}

/// A receiver on this machine that answers 200; its URL and what it gets.
async fn receiver() -> (String, mpsc::Receiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (received, takes) = mpsc::channel(1_000);
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            tokio::spawn(answer(line, received.clone()));
        }
    });
    (url, takes)
}

async fn answer(line: TcpStream, received: mpsc::Sender<Received>) {
    let mut line = BufReader::new(line);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if line.read_line(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let length = header(&head, "content-length").unwrap().parse().unwrap();
        let mut body = vec![0; length];
        line.read_exact(&mut body).await.unwrap();
        let body = String::from_utf8(body).unwrap();
        let id = header(&head, "webhook-id").unwrap();
        received.send(Received { id, head, body }).await.unwrap();
        let _ = line
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            .await;
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut own = fields.filter(|(found, _)| found.eq_ignore_ascii_case(name));
    own.next().map(|(_, value)| value.trim().to_owned())
}

async fn webhook(site: &Site, url: &str) {
    let types = vec!["file.uploaded".to_owned()];
    let new = NewWebhook {
        url: url.to_owned(),
        types,
        body_hmac: true,
        ..NewWebhook::default()
    };
    site.core
        .webhooks()
        .create(&site.caller, new)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_delays_nobody_else() {
    let site = Site::new().await;
    let (url, mut received) = receiver().await;
    // Its connections open, and nothing ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    webhook(&site, &format!("http://{}/", silent.local_addr().unwrap())).await;
    webhook(&site, &url).await;
    let engine = site.start("one");
    let begun = Instant::now();
    for number in 0..60 {
        site.put(&format!("{number}.txt"), b"content").await;
    }
    let mut ids = BTreeSet::new();
    while ids.len() < 60 {
        let one = tokio::time::timeout(Duration::from_secs(5), received.recv())
            .await
            .unwrap()
            .unwrap();
        assert!(
            one.body.contains(r#""type":"file.uploaded""#),
            "{}",
            one.body
        );
        for name in ["webhook-timestamp", "webhook-signature", "x-signature"] {
            assert!(header(&one.head, name).is_some(), "{name}");
        }
        ids.insert(one.id);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    let begun = Instant::now();
    assert!(engine.drain(DRAIN).await);
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
    let succeeded = DeliveryFilter {
        state: Some("succeeded".to_owned()),
        ..DeliveryFilter::default()
    };
    let page = PageRequest {
        limit: 100,
        after: None,
    };
    let page = site
        .core
        .deliveries()
        .list(&site.caller, succeeded, page)
        .await
        .unwrap();
    assert_eq!(page.data.len(), 60);
    assert!(
        page.data
            .iter()
            .all(|delivery| delivery.state == DeliveryState::Succeeded && delivery.attempt == 1)
    );
}
