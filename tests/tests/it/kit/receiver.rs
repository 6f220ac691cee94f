//! A receiver of webhooks: keeps what it gets and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{LOOK_EVERY, PATIENCE, background};

/// One request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Shared {
    received: Vec<Received>,
    /// Statuses of the next answers; 200 when there are none.
    answers: VecDeque<u16>,
    /// Whether no answer is given at all.
    hangs: bool,
    /// How many requests are being answered, and how many were at most.
    open: (usize, usize),
}

/// A running receiver; it ends when dropped.
pub(crate) struct Receiver {
    shared: Arc<Mutex<Shared>>,
    pub(crate) url: String,
    task: JoinHandle<()>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new().fallback(take).with_state(Arc::clone(&shared));
        let task = background().spawn(async move {
            axum::serve(TcpListener::from_std(listener).unwrap(), app)
                .await
                .unwrap();
        });
        Self { shared, url, task }
    }

    /// The statuses of the next answers.
    pub(crate) fn answer_with(&self, statuses: &[u16]) {
        self.shared.lock().unwrap().answers.extend(statuses);
    }

    /// From now on, no answer is given.
    pub(crate) fn hang(&self) {
        self.shared.lock().unwrap().hangs = true;
    }

    /// How many requests were under way at once, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.lock().unwrap().open.1
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.lock().unwrap().received.clone()
    }

    /// Waits until this many requests have come.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let begun = Instant::now();
        loop {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{} of {count} deliveries came",
                received.len()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(
    State(shared): State<Arc<Mutex<Shared>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let (status, hangs) = {
        let mut shared = shared.lock().unwrap();
        shared.received.push(Received { headers, body });
        shared.open.0 += 1;
        shared.open.1 = shared.open.1.max(shared.open.0);
        (shared.answers.pop_front().unwrap_or(200), shared.hangs)
    };
    if hangs {
        std::future::pending::<()>().await;
    }
    // Long enough for others to be under way beside it.
    tokio::time::sleep(LOOK_EVERY).await;
    shared.lock().unwrap().open.0 -= 1;
    StatusCode::from_u16(status).unwrap()
}

/// `X-Signature`: hex HMAC-SHA256 of the body under the whole text of the secret.
pub(crate) fn body_signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex::encode(hmac::sign(&key, body))
}

/// `webhook-signature` of Standard Webhooks.
pub(crate) fn standard_signature(secret: &str, received: &Received) -> String {
    let key = STANDARD
        .decode(secret.trim_start_matches("whsec_"))
        .unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let mut signed = format!(
        "{}.{}.",
        received.header("webhook-id"),
        received.header("webhook-timestamp")
    )
    .into_bytes();
    signed.extend_from_slice(&received.body);
    format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed)))
}
