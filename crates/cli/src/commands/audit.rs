use bailee_client::{AuditQuery, Client, merkle};

use super::{export, id, receipt, view};
use crate::Failure;
use crate::args::{AuditCommand, AuditConsistencyArgs, AuditSearchArgs, AuditVerifyArgs};
use crate::session::Session;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: AuditCommand,
) -> Result<(), Failure> {
    match command {
        AuditCommand::Search(args) => {
            let limit = args.limit;
            let records = client.audit().search(&query(args)?).take(limit).await?;
            session.output.list(&records, view::AUDIT)
        }
        AuditCommand::Verify(_) => verify(session, client).await,
        AuditCommand::Keys => {
            let keys = client.audit().keys().await?;
            session.output.list(&keys.data, view::AUDIT_KEY)
        }
        AuditCommand::Export(args) => export::run(session, client, args).await,
        AuditCommand::Proof(args) => {
            let audit = client.audit();
            let proof = audit.proof(id(&args.audit_id)?, args.tree_size).await?;
            session.output.one(&proof, view::AUDIT_PROOF)
        }
        AuditCommand::Consistency(args) => consistency(session, client, args).await,
    }
}

/// Whether a verification is about files of this machine.
pub(super) fn is_offline(args: &AuditVerifyArgs) -> bool {
    args.receipt.is_some() || args.export.is_some()
}

/// Verifies a receipt or an export, without a server.
pub(super) fn verify_here(session: &Session, args: AuditVerifyArgs) -> Result<(), Failure> {
    let key = args.key.ok_or_else(|| {
        Failure::usage(
            "name the public key that you trust with --key",
            "Get it once, by a way that you trust: bailee audit keys -o name > bailee.key",
        )
    })?;
    match (args.receipt, args.export) {
        (Some(file), _) => receipt::verify(session, &file, &key),
        (None, Some(file)) => export::verify(session, &file, &key),
        (None, None) => Ok(()),
    }
}

/// Fetches a proof, and verifies it here if the trusted key is named.
async fn consistency(
    session: &Session,
    client: &Client,
    args: AuditConsistencyArgs,
) -> Result<(), Failure> {
    let proof = client.audit().consistency(args.from, args.to).await?;
    let Some(key) = &args.key else {
        return session.output.one(&proof, view::AUDIT_CONSISTENCY);
    };
    let key = receipt::trusted(key)?;
    let open = |note: &str| {
        let note = key.open(note);
        note.map_err(|why| Failure::Other(format!("a checkpoint is not good: {why}")))
    };
    let (from, to) = (open(&proof.from_checkpoint)?, open(&proof.to_checkpoint)?);
    let hashes = proof.proof.iter().map(|text| hash(text));
    let hashes: Option<Vec<_>> = hashes.collect();
    let is_good = from.origin == to.origin
        && hashes.is_some_and(|hashes| {
            let (old, new) = ((from.tree_size, from.root), (to.tree_size, to.root));
            merkle::is_consistent(old, new, &hashes)
        });
    if !is_good {
        let text = "the later journal does not continue the earlier one";
        return Err(Failure::Other(text.to_owned()));
    }
    let line = format!(
        "✓ the journal of {} records continues that of {}",
        proof.to, proof.from
    );
    session.output.line(&line, &proof, view::AUDIT_CONSISTENCY)
}

/// A hash as the API writes it.
pub(super) fn hash(text: &str) -> Option<merkle::Hash> {
    let mut out = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(out)
}

fn query(args: AuditSearchArgs) -> Result<AuditQuery, Failure> {
    Ok(AuditQuery {
        operation: args.operation,
        user: args.user,
        status: args.status,
        transfer_id: args.transfer.as_deref().map(id).transpose()?,
        ip_address: args.ip_address,
        path_prefix: args.path_prefix,
        request_id: None,
        created_after: args.after,
        created_before: args.before,
    })
}

async fn verify(session: &Session, client: &Client) -> Result<(), Failure> {
    let report = client.audit().verify().await?;
    match &report.first_bad {
        None if report.ok => {
            let line = format!(
                "✓ chain intact, {} records, root {}",
                report.records, report.root
            );
            session.output.line(&line, &report, view::AUDIT_REPORT)
        }
        bad => {
            if !session.output.is_table() {
                session.output.one(&report, view::AUDIT_REPORT)?;
            }
            let text = bad.as_ref().map_or_else(
                || "the chain is not intact".to_owned(),
                |bad| {
                    format!(
                        "the chain breaks at record {}: {}",
                        bad.sequence, bad.reason
                    )
                },
            );
            Err(Failure::Other(text))
        }
    }
}
