//! A server of a few routes that keeps bytes in memory and fails on request. It knows only what the wire contract says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use bailee_client::Digest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub const FILE: &str = "fil_01m7yp4jy0emq8k9w39qsaekf4";
pub const SESSION: &str = "upl_01m7yp4ke5es8r65rzyjka792g";

/// What the server holds, has seen, and is told to do wrong.
#[derive(Default)]
pub struct Facts {
    pub file: Option<(String, Bytes)>,
    pub parts: BTreeMap<u32, Bytes>,
    pub sessions_opened: u32,
    /// Method and path of every request, with its idempotency key and retry count.
    pub seen: Vec<(String, Option<String>, Option<String>)>,
    /// Answers with this status, this many times, where the path contains the text.
    pub refuse: Option<(&'static str, u16, u32)>,
    /// Closes the next download after so many bytes.
    pub cut_after: Option<usize>,
    /// What the next streams of events say before they end, one text each.
    pub streams: VecDeque<String>,
    /// Behind what each stream was to begin.
    pub resumed: Vec<String>,
    /// Serves other bytes than the record says.
    pub damaged: bool,
}

pub type Shared = Arc<Mutex<Facts>>;

pub struct Server {
    pub url: String,
    pub ca: tempfile::NamedTempFile,
    pub facts: Shared,
}

pub async fn start() -> Server {
    let facts = Shared::default();
    let router = Router::new()
        .route("/v1/files/upload", post(upload))
        .route("/v1/files/lookup", get(stat))
        .route("/v1/files/{id}", get(stat).delete(delete))
        .route("/v1/files/{id}/download", get(download))
        .route("/v1/events/stream", get(stream))
        .route("/v1/uploads", post(open))
        .route("/v1/uploads/{id}", get(session).delete(abort))
        .route("/v1/uploads/{id}/parts/{n}", put(part))
        .route("/v1/uploads/{id}/complete", post(complete))
        .layer(DefaultBodyLimit::max(64 * 1024 * 1024))
        .layer(middleware::from_fn_with_state(facts.clone(), watch))
        .with_state(facts.clone());
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), made.cert.pem()).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, router) = (acceptor.clone(), router.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let service = TowerToHyperService::new(router);
                let _ = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    Server { url, ca, facts }
}

async fn watch(State(facts): State<Shared>, request: Request, next: Next) -> Response {
    match refusal(&facts, &request) {
        Some(refused) => refused,
        None => next.run(request).await,
    }
}

fn refusal(facts: &Shared, request: &Request) -> Option<Response> {
    let text = |name: &str| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    if text("authorization").as_deref() != Some("Bearer bailee_test_key") {
        return Some(problem(401, "credential_invalid"));
    }
    let line = format!("{} {}", request.method(), request.uri().path());
    let mut facts = facts.lock().unwrap();
    facts.seen.push((
        line.clone(),
        text("idempotency-key"),
        text("bailee-retry-count"),
    ));
    let (part, status, times) = facts.refuse.as_mut()?;
    if !line.contains(*part) || *times == 0 {
        return None;
    }
    *times -= 1;
    Some(problem(
        *status,
        if *status == 503 {
            "unavailable"
        } else {
            "refused"
        },
    ))
}

fn problem(status: u16, code: &str) -> Response {
    let body = json!({"type": format!("https://localhost/docs/problems/{code}/"), "title": code, "status": status, "code": code,
        "detail": code, "instance": "/v1", "request_id": "req_01m7yp4sg1e35rw9hmckwyqppc", "retryable": status == 503,
        "retry_after": null, "hint": "", "decision_id": null, "errors": []});
    let kind = [("content-type", "application/problem+json")];
    (
        StatusCode::from_u16(status).unwrap(),
        kind,
        body.to_string(),
    )
        .into_response()
}

fn file_object(path: &str, bytes: &Bytes) -> Value {
    let (folder, name) = path.rsplit_once('/').unwrap();
    json!({"file_id": FILE, "path": path, "name": name, "folder": folder, "size": bytes.len(), "hash": Digest::of(bytes).hex(),
        "hash_algorithm": "sha256", "checksums": {}, "content_type": "application/octet-stream", "detected_type": null, "version": 1,
        "is_current": true, "state": "available", "classification": null, "tags": [], "metadata": {},
        "created_by": "svc_01m7yp4pz8ev5b9ts55c7j3qdp", "created_at": "2026-11-21T09:14:00.000Z", "expires_at": null,
        "links": {"self": "/v1/files/x", "download": "/v1/files/x/download"}})
}

fn placed(facts: &mut Facts, path: String, bytes: Bytes) -> Response {
    let object = file_object(&path, &bytes);
    facts.file = Some((path, bytes));
    (StatusCode::CREATED, axum::Json(object)).into_response()
}

/// Reads the form by hand: head and tail are text, the file lies between.
async fn upload(State(facts): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers.get("content-type").unwrap().to_str().unwrap();
    let boundary = format!("--{}", kind.split_once("boundary=").unwrap().1);
    let find = |what: &str, from: usize| {
        body.get(from..)
            .unwrap()
            .windows(what.len())
            .position(|part| part == what.as_bytes())
            .unwrap()
            + from
    };
    let field = |name: &str| {
        let start = find(&format!("name=\"{name}\"\r\n\r\n"), 0) + name.len() + 11;
        String::from_utf8(body.slice(start..find("\r\n--", start)).to_vec()).unwrap()
    };
    let at = find("filename=\"", 0) + 10;
    let name = String::from_utf8(body.slice(at..find("\"", at)).to_vec()).unwrap();
    let start = find("\r\n\r\n", at) + 4;
    let content = body.slice(start..find(&format!("\r\n{boundary}--"), start));
    if Digest::of(&content).hex() != field("hash") {
        return problem(422, "digest_mismatch");
    }
    let mut facts = facts.lock().unwrap();
    if facts.file.is_some() && field("overwrite") != "true" {
        return problem(409, "file_exists");
    }
    placed(
        &mut facts,
        format!("{}/{name}", field("destination")),
        content,
    )
}

async fn stat(State(facts): State<Shared>) -> Response {
    match &facts.lock().unwrap().file {
        Some((path, bytes)) => axum::Json(file_object(path, bytes)).into_response(),
        None => problem(404, "not_found"),
    }
}

async fn delete(State(facts): State<Shared>) -> Response {
    match facts.lock().unwrap().file.take() {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => problem(404, "not_found"),
    }
}

async fn download(State(facts): State<Shared>, headers: HeaderMap) -> Response {
    let mut facts = facts.lock().unwrap();
    let (_, bytes) = facts.file.clone().unwrap();
    let range = headers.get("range").map(|value| value.to_str().unwrap());
    let start: usize = range.map_or(0, |text| {
        text.strip_prefix("bytes=")
            .unwrap()
            .trim_end_matches('-')
            .parse()
            .unwrap()
    });
    let mut rest = bytes.slice(start..);
    if facts.damaged {
        rest = vec![b'!'; rest.len()].into();
    }
    let mut answer = Response::builder()
        .header("etag", format!("\"{}\"", Digest::of(&bytes).hex()))
        .header("content-length", rest.len());
    if start > 0 {
        assert!(headers.contains_key("if-range"));
        let text = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
        answer = answer.status(206).header("content-range", text);
    }
    let cut = facts.cut_after.take().filter(|at| *at < rest.len());
    let Some(at) = cut else {
        return answer.body(Body::from(rest)).unwrap();
    };
    let pieces = [Ok(rest.slice(..at)), Err(std::io::Error::other("cut"))];
    answer
        .body(Body::from_stream(futures::stream::iter(pieces)))
        .unwrap()
}

/// Says what it is told to, and ends.
async fn stream(State(facts): State<Shared>, headers: HeaderMap) -> Response {
    let mut facts = facts.lock().unwrap();
    let last = headers.get("last-event-id").unwrap().to_str().unwrap();
    facts.resumed.push(last.to_owned());
    let Some(text) = facts.streams.pop_front() else {
        return problem(410, "events_expired");
    };
    ([("content-type", "text/event-stream")], text).into_response()
}

fn session_object(facts: &Facts) -> Value {
    let received: Vec<_> = facts.parts.keys().collect();
    json!({"session_id": SESSION, "state": "open", "destination": "/in", "filename": "big.bin", "size": null, "part_size": 8_388_608,
        "max_part_size": 1_073_741_824, "max_parts": 10_000, "max_concurrency": 16, "received": received,
        "bytes_received": 0, "file_id": null, "expires_at": "2026-11-28T09:14:00.000Z"})
}

async fn open(State(facts): State<Shared>) -> Response {
    let mut facts = facts.lock().unwrap();
    facts.sessions_opened += 1;
    facts.parts.clear();
    (StatusCode::CREATED, axum::Json(session_object(&facts))).into_response()
}

async fn session(State(facts): State<Shared>) -> Response {
    axum::Json(session_object(&facts.lock().unwrap())).into_response()
}

async fn abort(State(facts): State<Shared>) -> StatusCode {
    facts.lock().unwrap().parts.clear();
    StatusCode::NO_CONTENT
}

async fn part(
    State(facts): State<Shared>,
    Path((_, number)): Path<(String, u32)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if headers.get("content-digest").unwrap().to_str().unwrap() != Digest::of(&body).header() {
        return problem(422, "digest_mismatch");
    }
    let answer = json!({"part": number, "size": body.len(), "hash": Digest::of(&body).hex()});
    facts.lock().unwrap().parts.insert(number, body);
    axum::Json(answer).into_response()
}

async fn complete(State(facts): State<Shared>, Query(_): Query<Value>, body: Bytes) -> Response {
    let wanted: Value = serde_json::from_slice(&body).unwrap();
    let mut facts = facts.lock().unwrap();
    let whole: Bytes = facts
        .parts
        .values()
        .flatten()
        .copied()
        .collect::<Vec<u8>>()
        .into();
    if wanted["hash"] != Digest::of(&whole).hex() {
        return problem(422, "digest_mismatch");
    }
    placed(&mut facts, "/in/big.bin".to_owned(), whole)
}
