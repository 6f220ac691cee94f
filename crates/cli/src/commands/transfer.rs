use std::time::Duration;

use bailee_client::api::{
    ChangeTransfer, CreateTransfer, Patch, Transfer, TransferEnd, TransferPlan, TransferRetry,
    TransferStatus,
};
use bailee_client::model::TransferId;
use bailee_client::{Client, TransferQuery};

use super::{id, view};
use crate::Failure;
use crate::args::{TransferCommand, TransferCreateArgs};
use crate::bars::Bars;
use crate::place::Place;
use crate::session::Session;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: TransferCommand,
) -> Result<(), Failure> {
    let transfers = client.transfers();
    match command {
        TransferCommand::Create(args) => create(session, client, args).await,
        TransferCommand::Get(args) => session.output.one(
            &transfers.get(id(&args.transfer_id)?).await?,
            view::TRANSFER,
        ),
        TransferCommand::Files(args) => {
            let transfer = id(&args.transfer_id)?;
            let files = transfers.files(transfer, args.state.as_deref());
            session
                .output
                .list(&files.take(args.limit).await?, view::TRANSFER_FILE)
        }
        TransferCommand::Pause(args) => {
            tell(session, &transfers.pause(id(&args.transfer_id)?).await?)
        }
        TransferCommand::Resume(args) => {
            tell(session, &transfers.resume(id(&args.transfer_id)?).await?)
        }
        TransferCommand::Set(args) => {
            let change = ChangeTransfer {
                label: args.label.map_or(Patch::Keep, Patch::Set),
                deadline: args.deadline.map_or(Patch::Keep, Patch::Set),
                priority: args.priority,
            };
            tell(
                session,
                &transfers.change(id(&args.transfer_id)?, &change).await?,
            )
        }
        TransferCommand::Watch(args) => {
            watch(session, client, id(&args.transfer_id)?, args.timeout).await
        }
        TransferCommand::Cancel(args) => {
            tell(session, &transfers.cancel(id(&args.transfer_id)?).await?)
        }
        TransferCommand::Retry(args) => {
            let transfer = id(&args.transfer_id)?;
            let again = if args.failed {
                transfers.retry_failed(transfer).await?
            } else {
                transfers.retry(transfer).await?
            };
            tell(session, &again)
        }
        TransferCommand::List(args) => {
            let query = TransferQuery {
                state: args.state,
                label: args.label,
                ..TransferQuery::default()
            };
            session.output.list(
                &transfers.list(&query).take(args.limit).await?,
                view::TRANSFER,
            )
        }
    }
}

async fn create(
    session: &Session,
    client: &Client,
    args: TransferCreateArgs,
) -> Result<(), Failure> {
    if args.dry_run {
        let plan = client.transfers().plan(&request(args)?).await?;
        return tell_plan(session, &plan);
    }
    let (watching, timeout) = (args.watch, args.timeout);
    let transfer = client.transfers().create(&request(args)?).await?;
    if watching {
        session.say(&format!("{} {}", transfer.transfer_id, transfer.state));
        return watch(session, client, transfer.transfer_id, timeout).await;
    }
    tell(session, &transfer)
}

fn tell_plan(session: &Session, plan: &TransferPlan) -> Result<(), Failure> {
    if !session.output.is_table() {
        return session.output.one(plan, view::TRANSFER_PLAN);
    }
    session.output.list(&plan.files, view::PLANNED_FILE)?;
    session.say(&format!(
        "{} files: {} to send ({} bytes), {} to skip, {} to fail",
        plan.files_total, plan.files_sent, plan.bytes_total, plan.files_skipped, plan.files_failed
    ));
    if let Some(reason) = &plan.incomplete_reason {
        session.say(&format!("note: not everything was looked at: {reason}"));
    }
    Ok(())
}

fn request(mut args: TransferCreateArgs) -> Result<CreateTransfer, Failure> {
    let to = args.to.or_else(|| args.ends.pop());
    let mut sources = Vec::new();
    for from in args.ends.iter().chain(&args.from) {
        sources.push(TransferEnd::from(end(from)?.as_str()));
    }
    let (Some(to), false) = (to, sources.is_empty()) else {
        return Err(Failure::usage(
            "a transfer has a source and a destination",
            "bailee transfer create SRC… DST",
        ));
    };
    // One source alone may be a single file, which keeps its name only where the destination ends with a slash.
    let source = if sources.len() == 1 {
        sources.pop()
    } else {
        None
    };
    Ok(CreateTransfer {
        source,
        sources,
        include: args.include,
        exclude: args.exclude,
        sync: args.sync,
        delete_source: args.delete_source,
        preserve_time: args.preserve_time,
        bandwidth: args.bandwidth,
        label: args.label,
        on_conflict: args.on_conflict,
        verify: args.verify,
        deadline: args.deadline,
        notify_on_completion: args.notify,
        retry: args.attempts.map(|attempts| TransferRetry {
            max_attempts: Some(attempts),
            ..TransferRetry::default()
        }),
        ..CreateTransfer::new("", end(&to)?.as_str())
    })
}

/// An end as the API takes it.
pub(super) fn end(place: &Place) -> Result<String, Failure> {
    match place {
        Place::Bailee(path) => Ok(path.clone()),
        Place::Version(_) | Place::Remote { .. } => Ok(place.to_string()),
        Place::Local(_) | Place::Standard => Err(Failure::usage(
            format!("the server cannot reach `{place}`"),
            "An end is :/path in Bailee, fil_… or remote:/path. From this machine: bailee cp",
        )),
    }
}

async fn watch(
    session: &Session,
    client: &Client,
    transfer: TransferId,
    timeout: Option<Duration>,
) -> Result<(), Failure> {
    let bars = Bars::new(session.global.quiet);
    let bar = bars.file("transfer", Some(0));
    let mut told = String::new();
    let ended = client
        .transfers()
        .wait(transfer, timeout, |status| {
            bar.set(status.bytes_done, status.bytes_total);
            let line = state_line(status);
            bar.rename(&line);
            if line != told {
                bars.suspend(|| session.say(&line));
                told = line;
            }
        })
        .await;
    drop(bar);
    let whole = client.transfers().get(transfer).await;
    match (ended, whole) {
        (Ok(_), whole) => tell(session, &whole?),
        (Err(error), whole) => {
            if let Ok(whole) = whole
                && !session.output.is_table()
            {
                session.output.one(&whole, view::TRANSFER)?;
            }
            Err(error.into())
        }
    }
}

fn state_line(status: &TransferStatus) -> String {
    match status.next_attempt_at {
        Some(at) => format!(
            "{} (try {} failed, next at {at})",
            status.state, status.attempt
        ),
        None => status.state.to_string(),
    }
}

fn tell(session: &Session, transfer: &Transfer) -> Result<(), Failure> {
    for note in &transfer.notes {
        session.say(&format!("note: {note}"));
    }
    let line = format!(
        "{} {}  {} → {}",
        transfer.transfer_id, transfer.state, transfer.source, transfer.destination
    );
    session.output.line(&line, transfer, view::TRANSFER)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser as _;

    fn parse(words: &[&str]) -> Result<CreateTransfer, Failure> {
        let line = ["bailee", "transfer", "create"].iter().chain(words);
        match Cli::try_parse_from(line).unwrap().command {
            Command::Transfer(TransferCommand::Create(args)) => request(args),
            other => Err(Failure::Other(format!("{other:?}"))),
        }
    }

    #[test]
    fn ends_are_given_by_place_or_by_name() {
        let request = parse(&[":/inbox/report.csv", "bank:/in/"]).unwrap();
        assert_eq!(request.source, Some(TransferEnd::from("/inbox/report.csv")));
        assert_eq!(request.destination, TransferEnd::from("bank:/in/"));
        let exact = parse(&["--from", "bank:/out/a", "--to", ":/b", "--attempts", "2"]).unwrap();
        assert_eq!(exact.destination, TransferEnd::from("/b"));
        assert_eq!(exact.retry.unwrap().max_attempts, Some(2));
        let many = parse(&["bank:/a/", ":/b", ":/c/", "--include", "*.csv"]).unwrap();
        assert_eq!((many.source, many.sources.len()), (None, 2));
        assert_eq!(many.include, ["*.csv"]);
        assert_eq!(
            parse(&["--from", "./a", "--to", ":/in/"])
                .unwrap_err()
                .exit_code(),
            2
        );
    }
}
