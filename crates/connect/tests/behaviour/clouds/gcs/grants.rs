//! A token endpoint: it takes claims that are signed by the one account it knows, and counts them.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const EMAIL: &str = "mover@project.iam.example";

pub(crate) struct Grants {
    port: u16,
    key: RsaKeyPair,
    /// Tokens given.
    pub(crate) given: Arc<AtomicUsize>,
    _lines: JoinSet<()>,
}

impl Grants {
    pub(crate) async fn start(token: &'static str) -> Self {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let given = Arc::new(AtomicUsize::new(0));
        let public = key.public_key().as_ref().to_vec();
        let (counted, mut lines) = (Arc::clone(&given), JoinSet::new());
        lines.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = service_fn(|request: Request<Incoming>| async {
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let is_good = judge(&body, &public, port);
                    counted.fetch_add(usize::from(is_good), Ordering::SeqCst);
                    let (status, text) = if is_good {
                        let text = serde_json::json!({"access_token": token, "expires_in": 3599});
                        (200, text.to_string())
                    } else {
                        (400, "{\"error\":\"invalid_grant\"}".to_owned())
                    };
                    let answer = Response::builder()
                        .status(status)
                        .body(Full::new(Bytes::from(text)));
                    Ok::<_, Infallible>(answer.unwrap())
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .keep_alive(false)
                    .serve_connection(TokioIo::new(stream), answer)
                    .await;
            }
        });
        Self {
            port,
            key,
            given,
            _lines: lines,
        }
    }

    pub(crate) fn key_file(&self) -> String {
        self.file(&self.key)
    }

    /// The same account with a key that is not its own.
    pub(crate) fn key_file_of_another(&self) -> String {
        self.file(&RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    fn file(&self, key: &RsaKeyPair) -> String {
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(key).unwrap();
        let text = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        serde_json::json!({
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "0123",
            "private_key": pem,
            "client_email": EMAIL,
            "token_uri": format!("http://127.0.0.1:{}/token", self.port),
        })
        .to_string()
    }
}

/// Whether the form in `body` is a claim as the service wants it, signed with the key of `public`.
fn judge(body: &[u8], public: &[u8], port: u16) -> bool {
    let form: Vec<_> = url::form_urlencoded::parse(body).into_owned().collect();
    let [(_, grant), (_, assertion)] = form.as_slice() else {
        return false;
    };
    let Some((signed, signature)) = assertion.rsplit_once('.') else {
        return false;
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let is_signed = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
        .verify(signed.as_bytes(), &signature)
        .is_ok();
    let (head, claim) = signed.split_once('.').unwrap();
    let read = |text: &str| -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    let (head, claim) = (read(head), read(claim));
    let text = |name: &str| claim.get(name).and_then(|value| value.as_str());
    let number = |name: &str| claim.get(name).and_then(serde_json::Value::as_i64).unwrap();
    is_signed
        && grant == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        && head.get("alg").and_then(|alg| alg.as_str()) == Some("RS256")
        && text("iss") == Some(EMAIL)
        && text("aud") == Some(&format!("http://127.0.0.1:{port}/token"))
        && text("scope").is_some_and(|scope| scope.ends_with("devstorage.read_write"))
        && number("exp") - number("iat") == 3600
}
