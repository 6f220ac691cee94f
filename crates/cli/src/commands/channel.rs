use bailee_client::Client;
use bailee_client::api::{
    ChangeChannel, ChangeSubscriber, Channel, CreateChannel, CreateSubscriber, ReplaySubscriber,
    Subscriber,
};
use bailee_client::model::{ChannelId, ChannelState, SubscriberId};

use super::{id, view};
use crate::Failure;
use crate::args::{
    ChannelCommand, ChannelCreateArgs, ChannelPauseArgs, ChannelReplayArgs, ChannelSubscribeArgs,
};
use crate::session::Session;

/// Longest list that is shown.
const ROWS_MAX: usize = 10_000;

pub(super) async fn run(
    session: &Session,
    client: &Client,
    command: ChannelCommand,
) -> Result<(), Failure> {
    let (channels, output) = (client.channels(), session.output);
    match command {
        ChannelCommand::Create(args) => {
            let channel = channels.create(&request(args)).await?;
            output.one(&channel, view::CHANNEL)
        }
        ChannelCommand::List => output.list(&channels.list().take(ROWS_MAX).await?, view::CHANNEL),
        ChannelCommand::Get(args) => output.one(&find(client, &args.channel).await?, view::CHANNEL),
        ChannelCommand::Pause(args) => switch(session, client, args, ChannelState::Paused).await,
        ChannelCommand::Resume(args) => switch(session, client, args, ChannelState::Active).await,
        ChannelCommand::Rm(args) => {
            let channel = find(client, &args.channel).await?;
            session.confirm(&format!(
                "remove the channel {} with its subscribers?",
                channel.name
            ))?;
            channels.delete(channel.channel_id).await?;
            session.say(&format!("removed {}", channel.name));
            Ok(())
        }
        ChannelCommand::Subscribe(args) => {
            let channel = find(client, &args.channel).await?;
            let wish = subscription(args)?;
            let made = channels.subscribe(channel.channel_id, &wish).await?;
            output.one(&made, view::SUBSCRIBER)
        }
        ChannelCommand::Subscribers(args) => {
            let channel = find(client, &args.channel).await?;
            let all = channels.subscribers(channel.channel_id);
            output.list(&all.take(ROWS_MAX).await?, view::SUBSCRIBER)
        }
        ChannelCommand::Subscriber(args) => {
            let (channel, id) = both(client, &args.channel, &args.subscriber).await?;
            output.one(&channels.subscriber(channel, id).await?, view::SUBSCRIBER)
        }
        ChannelCommand::Files(args) => {
            let (channel, id) = both(client, &args.channel, &args.subscriber).await?;
            let files = channels.files(channel, id).take(args.limit).await?;
            output.list(&files, view::PUBLICATION)
        }
        ChannelCommand::Replay(args) => replay(session, client, args).await,
        ChannelCommand::Unsubscribe(args) => {
            let (channel, id) = both(client, &args.channel, &args.subscriber).await?;
            session.confirm(&format!("remove the subscriber {}?", args.subscriber))?;
            channels.unsubscribe(channel, id).await?;
            session.say(&format!("removed {}", args.subscriber));
            Ok(())
        }
    }
}

/// A channel by id or name.
async fn find(client: &Client, text: &str) -> Result<Channel, Failure> {
    if let Ok(id) = text.parse::<ChannelId>() {
        return Ok(client.channels().get(id).await?);
    }
    let found = client.channels().by_name(text).await?;
    found.ok_or_else(|| Failure::NotFound(format!("no channel is named `{text}`")))
}

/// A channel and one of its subscribers, each by id or name.
async fn both(
    client: &Client,
    channel: &str,
    text: &str,
) -> Result<(ChannelId, SubscriberId), Failure> {
    let channel = find(client, channel).await?.channel_id;
    if let Ok(id) = text.parse() {
        return Ok((channel, id));
    }
    let all = client
        .channels()
        .subscribers(channel)
        .take(ROWS_MAX)
        .await?;
    let found = all.iter().find(|subscriber| subscriber.name == text);
    let found: &Subscriber = found.ok_or_else(|| {
        Failure::NotFound(format!("no subscriber of the channel is named `{text}`"))
    })?;
    Ok((channel, found.subscriber_id))
}

async fn switch(
    session: &Session,
    client: &Client,
    args: ChannelPauseArgs,
    state: ChannelState,
) -> Result<(), Failure> {
    let channels = client.channels();
    let Some(subscriber) = &args.subscriber else {
        let channel = find(client, &args.channel).await?;
        let change = ChangeChannel {
            state: Some(state),
            ..ChangeChannel::default()
        };
        let channel = channels.change(channel.channel_id, &change).await?;
        return session.output.one(&channel, view::CHANNEL);
    };
    let ids = both(client, &args.channel, subscriber).await?;
    let change = ChangeSubscriber {
        state: Some(state),
        ..ChangeSubscriber::default()
    };
    let subscriber = channels.change_subscriber(ids, &change).await?;
    session.output.one(&subscriber, view::SUBSCRIBER)
}

async fn replay(
    session: &Session,
    client: &Client,
    args: ChannelReplayArgs,
) -> Result<(), Failure> {
    let ids = both(client, &args.channel, &args.subscriber).await?;
    let which = ReplaySubscriber {
        file_id: args.which.file.as_deref().map(id).transpose()?,
        since: args.which.since,
        which: match (args.which.failed, args.which.all) {
            (true, _) => Some("failed".to_owned()),
            (_, true) => Some("all".to_owned()),
            _ => None,
        },
    };
    let subscriber = client.channels().replay(ids, &which).await?;
    session.output.one(&subscriber, view::SUBSCRIBER)
}

fn request(args: ChannelCreateArgs) -> CreateChannel {
    CreateChannel {
        name: args.name,
        folder: args.folder,
        include: args.include,
        exclude: args.exclude,
        state: None,
    }
}

fn subscription(args: ChannelSubscribeArgs) -> Result<CreateSubscriber, Failure> {
    let on_conflict = args.on_conflict.map(|word| {
        let read = serde_json::from_value(serde_json::Value::String(word));
        read.map_err(|_| {
            Failure::usage(
                "there is no such way",
                "It is replace, fail, rename or skip.",
            )
        })
    });
    Ok(CreateSubscriber {
        name: args.name,
        destination: args.to,
        webhook_id: args.webhook.as_deref().map(id).transpose()?,
        include: args.include,
        exclude: args.exclude,
        on_conflict: on_conflict.transpose()?,
        verify: None,
        state: None,
    })
}
