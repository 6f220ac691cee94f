//! Connectors: our side of the protocols that far systems speak, and the one guarded way out.
//!
//! Everything that leaves this machine goes through [`EgressGuard`], which judges the address that is connected to.
//! A [`Connector`] moves bytes to and from one far system; [`open`] makes one from a [`ConnectorSpec`], [`probe`] tests
//! one step by step, and [`Poster`] sends webhooks. Nothing here knows tenants, policies or the database, and no
//! connector retries: it says whether a fault is worth another try ([`Fault::is_transient`]) and the engine decides.
#![warn(missing_docs)]

mod azure_blob;
mod bailee;
mod certificate;
mod clock;
mod connector;
mod egress;
mod failing;
mod fault;
mod ftps;
mod gcs;
mod http;
mod http_post;
mod https;
mod limit;
mod local;
mod objects;
mod page;
mod parts;
mod path;
mod probe;
mod s3;
mod secret_store;
mod sftp;
mod spec;
mod tls;
mod webdav;
mod xml;

pub use azure_blob::{AzureBlobConfig, AzureCredential};
pub use bailee::BaileeConfig;
pub use certificate::{CertificateFacts, CertificateSight};
pub use clock::SharedClock;
pub use connector::{
    ByteStream, Capabilities, Connector, EntryKind, Listing, ReadFrom, RemoteEntry, RemoteWriter,
    Replace, WriteOptions,
};
pub use egress::EgressGuard;
pub use failing::{Failing, FailurePlan};
pub use fault::{Fault, FaultKind, HostKey, Result};
pub use ftps::{FtpsConfig, FtpsMode, FtpsTimes};
pub use gcs::{GcsConfig, GcsCredential};
pub use http::HttpAuth;
pub use http_post::{PostAnswer, PostRequest, Poster, RetryAfter};
pub use https::{HttpsConfig, HttpsMethod};
pub use limit::TOKEN_BYTES_MAX;
pub use local::LocalConfig;
pub use path::{RemotePath, RemotePathError};
pub use probe::{ProbeOptions, ProbeReport, ProbeStep, ProbeStepName, probe};
pub use s3::{S3Config, S3Encryption};
pub use secret_store::read_secret;
pub use sftp::{PrivateKey, SftpConfig, SftpTimes, SshKeyPair};
pub use spec::{ConnectorSpec, open};
pub use tls::{ClientIdentity, TlsOptions};
pub use webdav::WebdavConfig;
