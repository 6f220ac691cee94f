use bailee_client::api::{Event, EventFeed};
use bailee_client::{Client, EventQuery};

use super::view;
use crate::Failure;
use crate::args::{EventListArgs, EventTailArgs};
use crate::session::Session;

/// How many events `tail` begins with.
const FIRST: u32 = 10;

pub(super) async fn list(
    session: &Session,
    client: &Client,
    args: EventListArgs,
) -> Result<(), Failure> {
    let query = EventQuery {
        after: args.after,
        types: args.types,
        path_prefix: args.path_prefix,
        limit: Some(args.limit),
        wait_seconds: None,
    };
    let feed = client.events().list(&query).await?;
    session.output.list(&feed.data, view::EVENT)?;
    if let Some(next) = feed.next_after.filter(|_| feed.has_more) {
        session.say(&format!("there are more: --after {next}"));
    }
    Ok(())
}

pub(super) async fn tail(
    session: &Session,
    client: &Client,
    args: EventTailArgs,
) -> Result<(), Failure> {
    let begins_with_newest = args.after.is_none();
    let mut query = EventQuery {
        after: args.after,
        types: args.types,
        path_prefix: args.path_prefix,
        limit: begins_with_newest.then_some(FIRST),
        wait_seconds: None,
    };
    let mut has_more = begins_with_newest || args.no_follow;
    while has_more {
        let feed = client.events().list(&query).await?;
        for event in &feed.data {
            tell(session, event)?;
        }
        query.after = Some(next_after(&feed, query.after.unwrap_or(0)));
        query.limit = None;
        has_more = args.no_follow && feed.has_more;
    }
    if args.no_follow {
        return Ok(());
    }
    let mut stream = client.events().follow(query).await?;
    loop {
        tell(session, &stream.next().await?)?;
    }
}

fn tell(session: &Session, event: &Event) -> Result<(), Failure> {
    let status = event.status.as_deref().unwrap_or("-");
    let line = format!(
        "{} {} {} {status} {}",
        event.sequence,
        event.timestamp,
        event.event_type,
        subject(event)
    );
    session.output.line(&line, event, view::EVENT)
}

fn subject(event: &Event) -> String {
    let ids = [
        event.transfer_id.map(|id| id.to_string()),
        event.file_id.map(|id| id.to_string()),
        event.webhook_id.map(|id| id.to_string()),
    ];
    ids.into_iter().flatten().next().unwrap_or_default()
}

/// Where to go on after `feed`. Never back: a feed without an answer to that leaves it where it was.
fn next_after(feed: &EventFeed, before: u64) -> u64 {
    let last = feed.data.last().map(|event| event.sequence);
    feed.next_after.or(last).unwrap_or(before).max(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feed_never_goes_back() {
        let feed = |next_after| EventFeed {
            data: Vec::new(),
            has_more: false,
            next_after,
        };
        assert_eq!(next_after(&feed(Some(9)), 7), 9);
        assert_eq!(next_after(&feed(None), 7), 7);
        assert_eq!(next_after(&feed(Some(3)), 7), 7);
    }
}
