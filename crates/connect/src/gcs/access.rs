//! Access tokens: a service account signs a claim, and the token endpoint gives a token for it.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use bailee_model::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use http::header::CONTENT_TYPE;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;

use super::config::GcsCredential;
use crate::clock::SharedClock;
use crate::fault::{Fault, FaultKind, Result};
use crate::http as web;
use crate::limit;

const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long a claim is good for: the most that the token endpoint takes.
const CLAIM_TIME: Duration = Duration::from_hours(1);
/// A token is not used any more this long before it runs out.
const TOKEN_TIME_KEPT_BACK: Duration = Duration::from_mins(5);

/// What gives each request its access token.
pub(super) enum Access {
    Account(Box<Account>),
    Bearer(SecretString),
    Anonymous,
}

/// A service account.
pub(super) struct Account {
    email: String,
    key_id: Option<String>,
    key: RsaKeyPair,
    /// As the key file has it: the claim must name it letter by letter.
    audience: String,
    token_uri: Url,
    http: web::HttpClient,
    clock: SharedClock,
    /// The newest token and when to ask for another.
    token: Mutex<Option<(SecretString, Timestamp)>>,
}

/// The parts of a key file that are used.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key_id: Option<String>,
    private_key: SecretText,
    token_uri: String,
}

struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(text.into()))
    }
}

#[derive(Serialize)]
struct Head<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claim<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretText,
    expires_in: u32,
}

impl Access {
    /// What `credential` gives, and the secret that belongs to it.
    pub(super) fn new(
        credential: &GcsCredential,
        http: &web::HttpClient,
        clock: &SharedClock,
    ) -> Result<(Self, SecretString)> {
        let file = match credential {
            GcsCredential::ServiceAccount(file) => file,
            GcsCredential::Bearer(token) => {
                return Ok((Self::Bearer(token.clone()), token.clone()));
            }
            GcsCredential::Anonymous => return Ok((Self::Anonymous, String::new().into())),
        };
        // What a parser says may quote what it read: nothing of it is passed on.
        let file: KeyFile = serde_json::from_str(file.expose_secret())
            .map_err(|_| invalid("the service account's key is not the JSON file of one"))?;
        let secret = file.private_key.0;
        let key = PrivatePkcs8KeyDer::from_pem_slice(secret.expose_secret().as_bytes())
            .ok()
            .and_then(|key| RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok())
            .ok_or_else(|| invalid("the service account's private key cannot be read"))?;
        let account = Account {
            email: file.client_email,
            key_id: file.private_key_id,
            key,
            token_uri: file
                .token_uri
                .parse()
                .map_err(|_| invalid("the service account's token endpoint is no URL"))?,
            audience: file.token_uri,
            http: http.clone(),
            clock: clock.clone(),
            token: Mutex::new(None),
        };
        Ok((Self::Account(Box::new(account)), secret))
    }

    /// A token that is good for a while, if one is used at all.
    pub(super) async fn token(&self) -> Result<Option<SecretString>> {
        match self {
            Self::Account(account) => account.token().await.map(Some),
            Self::Bearer(token) => Ok(Some(token.clone())),
            Self::Anonymous => Ok(None),
        }
    }

    /// Forgets the token: the service did not take it.
    pub(super) async fn forget(&self) {
        if let Self::Account(account) = self {
            *account.token.lock().await = None;
        }
    }
}

impl Account {
    /// The token at hand, or a new one. Who comes meanwhile waits for that one.
    async fn token(&self) -> Result<SecretString> {
        let mut kept = self.token.lock().await;
        let now = self.clock.now();
        if let Some((token, _)) = kept.as_ref().filter(|(_, until)| now < *until) {
            return Ok(token.clone());
        }
        let granted = self.ask(now).await?;
        let time = Duration::from_secs(u64::from(granted.expires_in));
        let until = now.plus(time.saturating_sub(TOKEN_TIME_KEPT_BACK));
        let token = granted.access_token.0;
        *kept = Some((token.clone(), until));
        Ok(token)
    }

    async fn ask(&self, now: Timestamp) -> Result<Granted> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", GRANT)
            .append_pair("assertion", &self.claim(now)?)
            .finish();
        let request = self
            .http
            .request(Method::POST, self.token_uri.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let answer = self.http.send(request).await?;
        let what = "asking for an access token";
        if answer.status().is_client_error() && answer.status().as_u16() != 429 {
            // 400 `invalid_grant` as a rule: unknown account, withdrawn key, or a clock that is off.
            let fault = web::expect(answer, what).await;
            let said = fault.err().map(|fault| fault.message().to_owned());
            return Err(Fault::new(
                FaultKind::AuthFailed,
                format!(
                    "{}; if the key is right, compare this machine's clock",
                    said.unwrap_or_default()
                ),
            ));
        }
        let answer = web::expect(answer, what).await?;
        let document = web::document(answer, limit::ANSWER_READ_BYTES_MAX).await?;
        serde_json::from_slice(&document)
            .map_err(|_| Fault::protocol("the token endpoint's answer holds no access token"))
    }

    /// The signed claim.
    fn claim(&self, now: Timestamp) -> Result<String> {
        let head = Head {
            alg: "RS256",
            typ: "JWT",
            kid: self.key_id.as_deref(),
        };
        let claim = Claim {
            iss: &self.email,
            scope: SCOPE,
            aud: &self.audience,
            iat: now.seconds(),
            exp: now.plus(CLAIM_TIME).seconds(),
        };
        let mut text = encoded(&head)?;
        text.push('.');
        text.push_str(&encoded(&claim)?);
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(), // asked for, but this signature needs no chance
                text.as_bytes(),
                &mut signature,
            )
            .map_err(|_| invalid("the service account's private key cannot sign"))?;
        text.push('.');
        text.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(text)
    }
}

fn encoded(part: &impl Serialize) -> Result<String> {
    let json = serde_json::to_vec(part).map_err(|_| invalid("the claim cannot be written"))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

fn invalid(message: &str) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}
