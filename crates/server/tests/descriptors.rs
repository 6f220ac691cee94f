//! The listener without a free file descriptor. Alone in its process, because the limit is the process's.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bailee_model::Timestamp;
use bailee_server::dev_ca;
use bailee_server::listen::{Limits, ListenOptions, Listener};
use bailee_server::tls::{MinVersion, ServerTls, TlsOptions};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpSocket;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Hundredths of a second that this process has computed: fields 14 and 15 of its `stat`.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap())
        .sum()
}

#[tokio::test]
async fn a_shortage_of_descriptors_is_waited_out_without_spinning() {
    let folder = tempfile::TempDir::new().unwrap();
    let made = dev_ca::ensure(folder.path(), Timestamp::from_ms(1_795_252_440_000)).unwrap();
    let options = TlsOptions {
        certificate: made.certificate,
        private_key: made.private_key,
        min_version: MinVersion::default(),
    };
    let tls = Arc::new(ServerTls::load(options).unwrap());
    let limits = Limits {
        handshake: Duration::from_millis(200),
        ..Limits::default()
    };
    let address = "127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(ListenOptions {
        address,
        tls,
        limits,
    })
    .unwrap();
    let address = listener.address();
    let shutdown = CancellationToken::new();
    let extensions = |_: &_| http::Extensions::new();
    let running = tokio::spawn(listener.serve(Router::new(), extensions, shutdown.clone()));

    let client = TcpSocket::new_v4().unwrap();
    let before = ticks();
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(64),
            maximum,
        },
    )
    .unwrap();
    let filling: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!(filling.len() < 64);
    // The kernel completes the connection; the listener cannot take it.
    let mut client = client.connect(address).await.unwrap();
    assert!(
        timeout(Duration::from_secs(1), client.read_u8())
            .await
            .is_err()
    );
    drop(filling);

    // It is taken now, and cut because it does not begin a handshake.
    assert!(
        timeout(Duration::from_secs(5), client.read_u8())
            .await
            .unwrap()
            .is_err()
    );
    assert!(ticks() - before < 50, "the accept loop was busy");
    shutdown.cancel();
    timeout(Duration::from_secs(5), running)
        .await
        .unwrap()
        .unwrap();
}
