//! Web servers that lie, flood, hang and redirect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

pub(crate) type Answer = Response<BoxBody<Bytes, std::io::Error>>;

/// A server over plain HTTP that answers by a function.
pub(crate) struct Fake {
    pub(crate) url: Url,
    requests: Arc<AtomicUsize>,
}

impl Fake {
    /// `answer` is given the request's head.
    pub(crate) async fn start(
        answer: impl Fn(&Request<Incoming>) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (answer, requests) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, counted) = (Arc::clone(&answer), Arc::clone(&counted));
                let service = service_fn(move |request: Request<Incoming>| {
                    counted.fetch_add(1, Ordering::SeqCst);
                    let answered = answer(&request);
                    async move {
                        // What does not wait for the body says so.
                        if !answered.headers().contains_key("x-early") {
                            let mut body = request.into_body();
                            while let Some(Ok(_)) = body.frame().await {}
                        }
                        Ok::<_, std::io::Error>(answered)
                    }
                });
                tokio::spawn(async move {
                    let serve = hyper::server::conn::http1::Builder::new();
                    let _ = serve.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self {
            url: url.parse().unwrap(),
            requests,
        }
    }

    /// How often it was asked.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// An answer with a body.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let body = Full::new(body.into()).map_err(|never| match never {});
    response.body(body.boxed()).unwrap()
}

/// An answer that begins with `first` and then repeats `piece` for ever.
pub(crate) fn endless(status: u16, first: &'static [u8], piece: &'static [u8]) -> Answer {
    let texts = std::iter::once(first).chain(std::iter::repeat(piece));
    let pieces = texts.map(|text| Ok(Frame::data(Bytes::from_static(text))));
    let body = BodyExt::boxed(StreamBody::new(futures::stream::iter(pieces)));
    Response::builder().status(status).body(body).unwrap()
}

/// A server that reads a little, sends exactly `reply`, and then waits or hangs up.
pub(crate) async fn raw(reply: &'static str, hangs: bool) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(reply.as_bytes()).await;
                if hangs {
                    tokio::time::sleep(Duration::from_mins(10)).await;
                }
            });
        }
    });
    url.parse().unwrap()
}
