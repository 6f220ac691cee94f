//! What a certificate says of itself, and a place to note the one that a server shows.

use std::sync::{Arc, Mutex, PoisonError};

use bailee_model::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::fault::far_words;

/// Whom a certificate names, and how long it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The distinguished name of its subject; empty if it has none.
    pub subject: String,
    /// When it is no longer good.
    pub expires_at: Timestamp,
}

impl CertificateFacts {
    /// Of the first certificate in a PEM text; `None` if there is none that can be read.
    pub fn of_pem(pem: &str) -> Option<Self> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        Self::of(&certificate)
    }

    fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, read) = x509_parser::parse_x509_certificate(certificate).ok()?;
        let seconds = read.validity().not_after.timestamp();
        Some(Self {
            subject: far_words(&read.subject().to_string()),
            expires_at: Timestamp::from_ms(seconds.saturating_mul(1000)),
        })
    }
}

/// Where the certificate is noted that a server shows, good or not.
#[derive(Clone, Debug, Default)]
pub struct CertificateSight(Arc<Mutex<Option<CertificateFacts>>>);

impl CertificateSight {
    /// The last one that was shown.
    pub(crate) fn seen(&self) -> Option<CertificateFacts> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, certificate: &CertificateDer<'_>) {
        let facts = CertificateFacts::of(certificate);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = facts;
    }
}

/// Notes what it is shown, and leaves the verdict to another.
#[derive(Debug)]
pub(crate) struct Noting<V> {
    pub(crate) judge: V,
    pub(crate) sight: CertificateSight,
}

impl<V: ServerCertVerifier> ServerCertVerifier for Noting<V> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.sight.note(end_entity);
        self.judge
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}
