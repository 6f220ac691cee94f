//! The Rust SDK of Bailee. The command line is built on nothing else.
//!
//! [`Client`] holds a connection pool and a credential; nouns hang off it ([`Client::files`], [`Client::transfers`], …),
//! and [`Client::upload_file`] and [`Client::download_file`] move whole files, in parallel, resumable and proven by
//! SHA-256. Retries are on by default and honest ([`RetryPolicy`]). There is no global state, no server is spoken to but over
//! `https://`, redirects are not followed, and no credential appears in an error, a log line or `Debug`.
//!
//! ```no_run
//! # async fn example() -> bailee_client::Result<()> {
//! use bailee_client::{Client, UploadOptions};
//! let client = Client::from_env()?;
//! let file = client.upload_file("report.csv".as_ref(), "/inbox/report.csv", UploadOptions::default()).await?;
//! println!("{} {}", file.file_id, file.hash);
//! # Ok(()) }
//! ```
#![warn(missing_docs)]

mod call;
mod chance;
mod checkpoint;
mod checkpoint_note;
mod client;
mod digest;
mod error;
mod event_stream;
mod export;
mod fetch_file;
mod form;
pub mod limit;
mod listing;
mod local_read;
mod local_receiver;
pub mod merkle;
mod part_sender;
mod parts;
mod progress;
mod receipt;
mod resources;
mod retry;
mod send_file;
mod signature;
mod transport;

pub use bailee_api as api;
pub use bailee_model as model;

pub use chance::SystemChance;
pub use checkpoint::{Checkpoint, CheckpointFile, Checkpoints};
pub use checkpoint_note::{SignedCheckpoint, VerifierKey};
pub use client::{Client, ClientBuilder, ENV_API_KEY, ENV_CA_FILE, ENV_URL, OnRetry};
pub use digest::{Digest, Sha256};
pub use error::{Error, ErrorClass, Phase, Result};
pub use event_stream::EventStream;
pub use export::{ExportFault, ExportVerifier, GoodExport};
pub use fetch_file::DownloadOptions;
pub use listing::Listing;
pub use local_read::hash_file;
pub use local_receiver::{LocalReceiver, Receipt};
pub use progress::{OnProgress, Progress};
pub use receipt::{GoodReceipt, ReceiptFault, verify_receipt};
pub use resources::*;
pub use retry::{Failure, RetryPolicy, next_delay};
pub use send_file::UploadOptions;
pub use signature::{Signed, WebhookSecret};
pub use transport::Answer;
