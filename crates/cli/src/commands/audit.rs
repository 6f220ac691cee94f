use bailee_client::{AuditQuery, Client};

use super::{id, view};
use crate::Failure;
use crate::args::{AuditCommand, AuditSearchArgs};
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
        AuditCommand::Verify => verify(session, client).await,
    }
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
