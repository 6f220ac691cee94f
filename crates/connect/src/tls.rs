//! TLS to far systems: 1.2 or better, this machine's authorities and those that were added, one provider.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::Verifier;
use secrecy::{ExposeSecret, SecretString};

use crate::certificate::{CertificateSight, Noting};
use crate::fault::{Fault, FaultKind, Result};

/// A certificate by which we show who we are, with its key.
#[derive(Clone, Debug)]
pub struct ClientIdentity {
    /// The certificate and those between it and its authority, PEM.
    pub certificates_pem: String,
    /// Its private key, PEM, not locked.
    pub key_pem: SecretString,
}

/// Whom to trust beside this machine's authorities, and who we are.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// Certificate authorities, PEM; empty for none but the machine's own.
    pub extra_roots_pem: String,
    /// Our certificate, where the far system asks for one.
    pub identity: Option<ClientIdentity>,
    /// Where the certificate is noted that the far system shows.
    pub sight: CertificateSight,
}

/// What rustls needs to connect by `options`. Sessions are resumed between all connections of one configuration.
pub(crate) fn config(options: &TlsOptions) -> Result<ClientConfig> {
    let extra = certificates(
        &options.extra_roots_pem,
        "the extra certificate authorities",
    )?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(unfit)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .dangerous() // the platform's verifier checks chain, name and time; only rustls' own default is set aside
        .with_custom_certificate_verifier(Arc::new(Noting {
            judge: verifier,
            sight: options.sight.clone(),
        }));
    let Some(identity) = &options.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(&identity.certificates_pem, "the client certificate")?;
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.expose_secret().as_bytes())
        .map_err(|_| invalid("the client certificate's key cannot be read"))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| invalid("the client certificate and its key do not fit").because(error))
}

fn certificates(pem: &str, what: &str) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| invalid(&format!("{what} cannot be read")).because(error))
}

fn unfit(error: rustls::Error) -> Fault {
    invalid("the certificate authorities cannot be used").because(error)
}

fn invalid(message: &str) -> Fault {
    Fault::new(FaultKind::CertificateInvalid, message)
}

/// What a failed TLS connection means, from the error or those behind it; `None` if it was not about TLS.
pub(crate) fn fault(error: &(dyn std::error::Error + 'static)) -> Option<Fault> {
    let mut next = Some(error);
    while let Some(error) = next {
        // An I/O error hides what it wraps from `source`.
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if let Some(found) = error
            .downcast_ref::<rustls::Error>()
            .or_else(|| wrapped.and_then(|inner| inner.downcast_ref()))
        {
            return Some(of(found));
        }
        next = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn of(error: &rustls::Error) -> Fault {
    match error {
        rustls::Error::InvalidCertificate(why) => Fault::new(
            FaultKind::CertificateInvalid,
            format!("the far system's certificate is not valid: {why}"),
        ),
        other => Fault::new(
            FaultKind::Protocol,
            format!("the TLS handshake failed: {other}"),
        ),
    }
}
