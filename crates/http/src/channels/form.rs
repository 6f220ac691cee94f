use axum::response::Response;
use bailee_api::{Channel, Subscriber};
use bailee_core::parse_end;
use bailee_model::{
    self as model, ChannelFilter, ChannelName, ChannelTarget, End, Error, Glob, WebhookId,
};

use crate::answer::{Body, tagged};

/// 200 with a channel and its ETag.
pub(super) fn found(channel: &model::Channel) -> Response {
    tagged(&channel.revision.to_string(), Body(Channel::from(channel)))
}

/// 200 with a subscriber and its ETag.
pub(super) fn found_subscriber(subscriber: &model::Subscriber) -> Response {
    let body = Body(Subscriber::from(subscriber));
    tagged(&subscriber.revision.to_string(), body)
}

/// Reads a name.
pub(super) fn name(text: &str) -> Result<ChannelName, Error> {
    text.parse()
        .map_err(|why: &str| Error::field("#/name", "invalid_name", format!("`{text}`: {why}.")))
}

/// Reads patterns.
pub(super) fn globs(texts: &[String], pointer: &str) -> Result<Vec<Glob>, Error> {
    let read = |(at, text): (usize, &String)| {
        text.parse::<Glob>().map_err(|why| {
            let detail = format!("`{text}`: {why}.");
            Error::field(&format!("{pointer}/{at}"), "invalid_pattern", detail)
        })
    };
    texts.iter().enumerate().map(read).collect()
}

/// Reads both lists of patterns.
pub(super) fn filter(include: &[String], exclude: &[String]) -> Result<ChannelFilter, Error> {
    Ok(ChannelFilter {
        include: globs(include, "#/include")?,
        exclude: globs(exclude, "#/exclude")?,
    })
}

/// Reads where a subscriber's files go, if that is said: into a folder, or to a webhook.
pub(super) fn target(
    destination: Option<&str>,
    webhook: Option<WebhookId>,
) -> Result<Option<ChannelTarget>, Error> {
    match (destination, webhook) {
        (None, None) => Ok(None),
        (None, Some(webhook)) => Ok(Some(ChannelTarget::Webhook { webhook })),
        (Some(_), Some(_)) => Err(Error::field(
            "#/webhook_id",
            "conflict",
            "Name `destination` or `webhook_id`, not both.",
        )),
        (Some(text), None) => match parse_end(text)? {
            End::Folder { path } => Ok(Some(ChannelTarget::Folder { path })),
            End::Remote { remote, path } if path.ends_with('/') => {
                Ok(Some(ChannelTarget::Remote { remote, path }))
            }
            _ => Err(Error::field(
                "#/destination",
                "no_folder",
                "Files go into a folder: write a `/` at its end, as in `bank:/in/`.",
            )),
        },
    }
}
