//! `bailee receipt …`: fetching receipts, and verifying them on this machine.

use std::path::Path;

use bailee_client::{Client, VerifierKey, verify_receipt};

use super::{id, view};
use crate::Failure;
use crate::args::ReceiptGetArgs;
use crate::session::{self, Session};

pub(super) async fn get(client: &Client, args: ReceiptGetArgs) -> Result<(), Failure> {
    let receipt = client.transfers().receipt(id(&args.transfer_id)?).await?;
    match args.to {
        Some(path) => std::fs::write(&path, &receipt).map_err(Failure::local("write", path)),
        None => crate::output::print(&String::from_utf8_lossy(&receipt)),
    }
}

/// Verifies a receipt with the key that is trusted. Speaks to nobody.
pub(super) fn verify(session: &Session, file: &Path, key: &str) -> Result<(), Failure> {
    let key = trusted(key)?;
    let document = session::read_text(file)?;
    let good = verify_receipt(document.as_bytes(), &key)
        .map_err(|fault| Failure::Other(format!("{} is not good: {fault}", file.display())))?;
    let text = |name: &str| {
        let value = good.facts.get(name);
        value.map_or_else(String::new, |value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
    };
    let line = format!(
        "✓ {}: {} → {}, {} bytes, sha-256 {}, ended {}; record {} of {}",
        text("transfer_id"),
        text("source"),
        text("destination"),
        text("size"),
        text("hash"),
        text("finished_at"),
        good.sequence,
        good.tree_size
    );
    session.output.line(&line, &good.facts, view::RECEIPT)
}

/// The key itself, or what a file of this name holds.
pub(super) fn trusted(text: &str) -> Result<VerifierKey, Failure> {
    if let Ok(key) = text.parse::<VerifierKey>() {
        return Ok(key);
    }
    let path = Path::new(text);
    if !path.is_file() {
        return Ok(text.parse::<VerifierKey>()?);
    }
    Ok(session::read_text(path)?.parse::<VerifierKey>()?)
}
