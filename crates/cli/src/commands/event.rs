use bailee_client::api::EventFeed;
use bailee_client::{Client, EventQuery};

use super::view;
use crate::Failure;
use crate::args::{EventListArgs, EventTailArgs};
use crate::session::Session;

/// How many events `tail` begins with.
const FIRST: u32 = 10;
/// How long one long poll is held, in seconds.
const WAIT_SECONDS: u64 = 30;

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
    let mut query = EventQuery {
        after: args.after,
        types: args.types,
        path_prefix: args.path_prefix,
        limit: args.after.is_none().then_some(FIRST),
        wait_seconds: None,
    };
    loop {
        let feed = client.events().list(&query).await?;
        for event in &feed.data {
            let status = event.status.as_deref().unwrap_or("-");
            let line = format!(
                "{} {} {} {status} {}",
                event.sequence,
                event.timestamp,
                event.event_type,
                subject(event)
            );
            session.output.line(&line, event, view::EVENT)?;
        }
        if args.no_follow && !feed.has_more {
            return Ok(());
        }
        query.after = Some(next_after(&feed, query.after.unwrap_or(0)));
        query.limit = None;
        query.wait_seconds = (!args.no_follow).then_some(WAIT_SECONDS);
    }
}

fn subject(event: &bailee_client::api::Event) -> String {
    let ids = [
        event.transfer_id.map(|id| id.to_string()),
        event.file_id.map(|id| id.to_string()),
        event.webhook_id.map(|id| id.to_string()),
    ];
    ids.into_iter().flatten().next().unwrap_or_default()
}

/// Where the feed stands now.
pub(super) async fn newest(client: &Client, types: &[String]) -> Result<u64, Failure> {
    let query = EventQuery {
        types: types.to_vec(),
        limit: Some(1),
        ..EventQuery::default()
    };
    let feed = client.events().list(&query).await?;
    Ok(next_after(&feed, 0))
}

/// Where to go on after `feed`. Never back: a feed without an answer to that leaves it where it was.
pub(super) fn next_after(feed: &EventFeed, before: u64) -> u64 {
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
