use bailee_client::api::{Alert, NoteAlert, SnoozeAlert};
use bailee_client::{AlertQuery, Client};

use super::{alert_rule, id, view};
use crate::Failure;
use crate::args::{AlertCommand, AlertListArgs, AlertNoteArgs, AlertSnoozeArgs};
use crate::session::Session;

/// States of what is not over.
const OPEN: [&str; 3] = ["firing", "acknowledged", "snoozed"];

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: AlertCommand,
) -> Result<(), Failure> {
    let alerts = client.alerts();
    let one = |alert: &Alert| session.output.one(alert, view::ALERT);
    match command {
        AlertCommand::List(args) => list(session, client, args).await,
        AlertCommand::Get(args) => one(&alerts.get(id(&args.alert_id)?).await?),
        AlertCommand::Ack(args) => {
            let alert = alerts
                .acknowledge(id(&args.alert_id)?, &note(&args))
                .await?;
            one(&alert)
        }
        AlertCommand::Snooze(args) => {
            let alert = alerts.snooze(id(&args.alert_id)?, &snooze(args)).await?;
            one(&alert)
        }
        AlertCommand::Resolve(args) => {
            let alert = alerts.resolve(id(&args.alert_id)?, &note(&args)).await?;
            one(&alert)
        }
    }
}

async fn list(session: &Session, client: &Client, args: AlertListArgs) -> Result<(), Failure> {
    let alert_rule_id = match &args.rule {
        Some(rule) => Some(alert_rule::find(client, rule).await?.alert_rule_id),
        None => None,
    };
    let states = match &args.state {
        Some(state) => vec![state.as_str()],
        None => OPEN.to_vec(),
    };
    let mut found = Vec::new();
    for state in states {
        let query = AlertQuery {
            state: Some(state.to_owned()),
            alert_rule_id,
            severity: args.severity.clone(),
        };
        found.extend(client.alerts().list(&query).take(args.limit).await?);
    }
    found.sort_by_key(|alert| std::cmp::Reverse(alert.alert_id));
    found.truncate(args.limit);
    session.output.list(&found, view::ALERT)
}

fn note(args: &AlertNoteArgs) -> NoteAlert {
    NoteAlert {
        note: args.note.clone(),
    }
}

fn snooze(args: AlertSnoozeArgs) -> SnoozeAlert {
    SnoozeAlert {
        until: args.until,
        seconds: args.span.map(|span| span.as_secs()),
        note: args.note,
    }
}
