//! `bailee audit export`, and the verification of what it wrote, on this machine.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::path::Path;

use bailee_client::{Client, ExportVerifier};

use super::{receipt, view};
use crate::Failure;
use crate::args::AuditExportArgs;
use crate::session::Session;

/// The longest line of an export: an entry of the journal, with room to spare.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Streams the journal to a file or to stdout.
pub(super) async fn run(
    session: &Session,
    client: &Client,
    args: AuditExportArgs,
) -> Result<(), Failure> {
    let audit = client.audit();
    let mut export = audit.export(&args.format, args.after).await?;
    let (mut out, shown): (Box<dyn Write + Send>, _) = match &args.to {
        Some(path) => {
            let file = File::create(path).map_err(Failure::local("make", path))?;
            (Box::new(file), path.as_path())
        }
        None => (Box::new(std::io::stdout()), Path::new("-")),
    };
    let mut written = 0_u64;
    while let Some(bytes) = export.more().await? {
        out.write_all(&bytes)
            .map_err(Failure::local("write", shown))?;
        written += bytes.len() as u64;
    }
    out.flush().map_err(Failure::local("write", shown))?;
    if args.to.is_some() {
        session.say(&format!("{written} bytes written to {}", shown.display()));
    }
    Ok(())
}

/// Verifies an export with the key that is trusted. Speaks to nobody.
pub(super) fn verify(session: &Session, file: &Path, key: &str) -> Result<(), Failure> {
    let mut verifier = ExportVerifier::new(receipt::trusted(key)?);
    let bad = |why: &dyn std::fmt::Display| {
        Failure::Other(format!("{} is not good {why}", file.display()))
    };
    let opened = File::open(file).map_err(Failure::local("read", file))?;
    let mut reader = BufReader::new(opened);
    let mut line = String::new();
    loop {
        line.clear();
        let read = (&mut reader).take(LINE_BYTES_MAX).read_line(&mut line);
        if read.map_err(Failure::local("read", file))? == 0 {
            break;
        }
        verifier
            .line(line.trim_end_matches('\n'))
            .map_err(|why| bad(&why))?;
    }
    let good = verifier.finish().map_err(|why| bad(&why))?;
    let line = format!(
        "✓ records {} to {} of {} are whole, by {} checkpoints",
        good.after + 1,
        good.last,
        good.tenant_id,
        good.checkpoints
    );
    let told = serde_json::json!({
        "tenant_id": good.tenant_id, "after": good.after, "last": good.last, "checkpoints": good.checkpoints,
    });
    session.output.line(&line, &told, view::AUDIT_REPORT)
}
