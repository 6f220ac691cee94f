use bailee_model::{
    Channel, ChannelId, FileId, Page, PageRequest, Publication, PublicationCounts,
    PublicationState, PublicationView, Replay, Subscriber, SubscriberId, TenantId, TransferId,
};

use crate::rows::{from_word, json, statements, word};
use crate::{Change, DbError, Guard, QueueDoor, Reader, Row, values};

macro_rules! publications {
    ($rest:literal) => {
        concat!(
            "SELECT p.subscriber_id, p.file_id, p.channel_id, p.path, p.event_id, p.sequence, p.state, p.hops, p.replays, \
             p.transfer_id, p.webhook_id, p.created_at, p.sent_at, ",
            status!(),
            " FROM publication p LEFT JOIN transfer t ON t.tenant_id = p.tenant_id AND t.id = p.transfer_id ",
            $rest
        )
    };
}

/// How a publication fares, in the words of the wire: as its transfer, or the newest delivery to its webhook.
macro_rules! status {
    () => {
        "CASE p.state WHEN 'waiting' THEN 'waiting' WHEN 'refused' THEN 'failed' ELSE COALESCE(t.public_state, \
         (SELECT CASE d.state WHEN 'scheduled' THEN 'queued' WHEN 'running' THEN 'running' WHEN 'succeeded' THEN 'completed' \
         ELSE 'failed' END FROM delivery d WHERE d.tenant_id = p.tenant_id AND d.webhook_id = p.webhook_id \
         AND d.event_id = p.event_id ORDER BY d.id DESC LIMIT 1), 'failed') END"
    };
}

statements! {
    INSERT: tenant = "INSERT INTO channel (tenant_id, id, name, state, body, revision) \
        SELECT $1, $2, $3, $4, $5, CAST($6 AS BIGINT) WHERE (SELECT COUNT(*) FROM channel WHERE tenant_id = $1) < $7 \
        ON CONFLICT (tenant_id, name) DO NOTHING";
    PUT: tenant = "UPDATE channel SET name = $3, state = $4, body = $5, revision = $6 \
        WHERE tenant_id = $1 AND id = $2 AND revision = $7 \
        AND NOT EXISTS (SELECT 1 FROM channel o WHERE o.tenant_id = $1 AND o.name = $3 AND o.id <> $2)";
    DELETE: tenant = "DELETE FROM channel WHERE tenant_id = $1 AND id = $2 AND revision = $3";
    DELETE_SUBSCRIBERS: tenant = "DELETE FROM subscriber WHERE tenant_id = $1 AND channel_id = $2";
    DELETE_PUBLICATIONS: tenant = "DELETE FROM publication WHERE tenant_id = $1 AND subscriber_id IN \
        (SELECT s.id FROM subscriber s WHERE s.tenant_id = $1 AND s.channel_id = $2)";
    READ: tenant = "SELECT body FROM channel WHERE tenant_id = $1 AND id = $2";
    LIST: tenant = "SELECT body FROM channel WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

    INSERT_SUBSCRIBER: tenant = "INSERT INTO subscriber (tenant_id, id, channel_id, name, state, body, revision) \
        SELECT $1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT) \
        WHERE (SELECT COUNT(*) FROM subscriber WHERE tenant_id = $1 AND channel_id = $3) < $8 \
        ON CONFLICT (tenant_id, channel_id, name) DO NOTHING";
    PUT_SUBSCRIBER: tenant = "UPDATE subscriber SET name = $3, state = $4, body = $5, revision = $6 \
        WHERE tenant_id = $1 AND id = $2 AND revision = $7 AND NOT EXISTS \
        (SELECT 1 FROM subscriber o WHERE o.tenant_id = $1 AND o.channel_id = $8 AND o.name = $3 AND o.id <> $2)";
    DELETE_SUBSCRIBER: tenant = "DELETE FROM subscriber WHERE tenant_id = $1 AND id = $2 AND revision = $3";
    DELETE_OWN: tenant = "DELETE FROM publication WHERE tenant_id = $1 AND subscriber_id = $2";
    READ_SUBSCRIBER: tenant = "SELECT body FROM subscriber WHERE tenant_id = $1 AND id = $2 AND channel_id = $3";
    LIST_SUBSCRIBERS: tenant = "SELECT body FROM subscriber WHERE tenant_id = $1 AND channel_id = $2 AND id < $3 \
        ORDER BY id DESC LIMIT $4";
    OF_TENANT: tenant = "SELECT c.body, s.body FROM subscriber s JOIN channel c ON c.tenant_id = s.tenant_id AND c.id = s.channel_id \
        WHERE s.tenant_id = $1 AND s.id > $2 ORDER BY s.id LIMIT $3";
    BOTH: tenant = "SELECT c.body, s.body FROM subscriber s JOIN channel c ON c.tenant_id = s.tenant_id AND c.id = s.channel_id \
        WHERE s.tenant_id = $1 AND s.id = $2";

    // A file that is there already was met in an earlier run of the same step.
    PUBLISH: tenant = "INSERT INTO publication (tenant_id, subscriber_id, file_id, channel_id, path, event_id, sequence, state, \
        hops, replays, transfer_id, webhook_id, created_at, sent_at) \
        SELECT $1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT), $8, CAST($9 AS BIGINT), 0, NULL, NULL, CAST($10 AS BIGINT), NULL \
        WHERE EXISTS (SELECT 1 FROM subscriber s WHERE s.tenant_id = $1 AND s.id = $2) \
        ON CONFLICT (tenant_id, subscriber_id, file_id) DO NOTHING";
    SEND: tenant = "UPDATE publication SET state = 'sent', transfer_id = $4, webhook_id = $5, sent_at = $6 \
        WHERE tenant_id = $1 AND subscriber_id = $2 AND file_id = $3 AND state = 'waiting'";
    WAITING: tenant = publications!("WHERE p.tenant_id = $1 AND p.subscriber_id = $2 AND p.state = 'waiting' \
        ORDER BY p.sequence LIMIT $3");
    ONE: tenant = publications!("WHERE p.tenant_id = $1 AND p.subscriber_id = $2 AND p.file_id = $3");
    FILES: tenant = publications!("WHERE p.tenant_id = $1 AND p.subscriber_id = $2 AND p.file_id < $3 ORDER BY p.file_id DESC LIMIT $4");
    HOPS: tenant = "SELECT hops FROM publication WHERE tenant_id = $1 AND transfer_id = $2";
    COUNTS: tenant = concat!("SELECT v.status, COUNT(*) FROM (SELECT ", status!(), " AS status FROM publication p \
        LEFT JOIN transfer t ON t.tenant_id = p.tenant_id AND t.id = p.transfer_id \
        WHERE p.tenant_id = $1 AND p.subscriber_id = $2) v GROUP BY v.status");
    REPLAY: tenant = "UPDATE publication SET state = 'waiting', replays = replays + 1 WHERE tenant_id = $1 AND subscriber_id = $2 \
        AND state = 'sent' AND created_at >= $3 AND (CAST($4 AS TEXT) IS NULL OR file_id = $4)";
    REPLAY_FAILED: tenant = concat!("UPDATE publication SET state = 'waiting', replays = replays + 1 \
        WHERE tenant_id = $1 AND subscriber_id = $2 AND state = 'sent' AND file_id IN (SELECT v.file_id FROM (SELECT p.file_id, ",
        status!(), " AS status FROM publication p LEFT JOIN transfer t ON t.tenant_id = p.tenant_id AND t.id = p.transfer_id \
        WHERE p.tenant_id = $1 AND p.subscriber_id = $2 AND p.state = 'sent') v WHERE v.status = 'failed')");
    LAGGING: across = "SELECT h.tenant_id, COALESCE(c.sequence, 0), h.size FROM journal_head h \
        LEFT JOIN journal_cursor c ON c.tenant_id = h.tenant_id AND c.consumer = 'channels' \
        WHERE h.size > COALESCE(c.sequence, 0) AND EXISTS (SELECT 1 FROM channel n WHERE n.tenant_id = h.tenant_id)";
    OWING: across = "SELECT s.tenant_id, s.id FROM subscriber s JOIN channel c ON c.tenant_id = s.tenant_id AND c.id = s.channel_id \
        WHERE s.state = 'active' AND c.state = 'active' AND EXISTS (SELECT 1 FROM publication p \
        WHERE p.tenant_id = s.tenant_id AND p.subscriber_id = s.id AND p.state = 'waiting') LIMIT $1";
}

/// The conflict of channel verbs when the name is taken, there are enough, or it was changed since it was read.
pub const CHANNEL: &str = "channel";
/// The same of subscriber verbs.
pub const SUBSCRIBER: &str = "subscriber";
/// The conflict of [`Change::send_publication`]: somebody else did.
pub const SENT: &str = "publication_sent";

impl Change {
    /// Adds a channel unless its name is taken or the tenant has `most` already; the conflict is [`CHANNEL`].
    pub fn insert_channel(&mut self, channel: &Channel, most: u64) -> &mut Self {
        let row = values![
            channel.id,
            channel.name.as_str(),
            word(&channel.state),
            json(channel),
            channel.revision,
            most
        ];
        self.add(INSERT, row, Guard::One, CHANNEL);
        self.begin_consumer("channels")
    }

    /// Replaces a channel that is one revision older than this one; the conflict is [`CHANNEL`].
    pub fn put_channel(&mut self, channel: &Channel) -> &mut Self {
        let row = values![
            channel.id,
            channel.name.as_str(),
            word(&channel.state),
            json(channel),
            channel.revision,
            channel.revision.saturating_sub(1)
        ];
        self.add(PUT, row, Guard::One, CHANNEL)
    }

    /// Removes a channel as it was read, with its subscribers and what waits for them; the conflict is [`CHANNEL`].
    pub fn delete_channel(&mut self, channel: &Channel) -> &mut Self {
        let id = channel.id;
        self.add(DELETE_PUBLICATIONS, values![id], Guard::Any, CHANNEL);
        self.add(DELETE_SUBSCRIBERS, values![id], Guard::Any, CHANNEL);
        let row = values![id, channel.revision];
        self.add(DELETE, row, Guard::One, CHANNEL)
    }

    /// Adds a subscriber unless its name is taken or the channel has `most` already; the conflict is [`SUBSCRIBER`].
    pub fn insert_subscriber(&mut self, subscriber: &Subscriber, most: u64) -> &mut Self {
        let row = values![
            subscriber.id,
            subscriber.channel,
            subscriber.name.as_str(),
            word(&subscriber.state),
            json(subscriber),
            subscriber.revision,
            most
        ];
        self.add(INSERT_SUBSCRIBER, row, Guard::One, SUBSCRIBER)
    }

    /// Replaces a subscriber that is one revision older than this one; the conflict is [`SUBSCRIBER`].
    pub fn put_subscriber(&mut self, subscriber: &Subscriber) -> &mut Self {
        let row = values![
            subscriber.id,
            subscriber.name.as_str(),
            word(&subscriber.state),
            json(subscriber),
            subscriber.revision,
            subscriber.revision.saturating_sub(1),
            subscriber.channel
        ];
        self.add(PUT_SUBSCRIBER, row, Guard::One, SUBSCRIBER)
    }

    /// Removes a subscriber as it was read, with what waits for it; the conflict is [`SUBSCRIBER`].
    pub fn delete_subscriber(&mut self, subscriber: &Subscriber) -> &mut Self {
        let id = subscriber.id;
        self.add(DELETE_OWN, values![id], Guard::Any, SUBSCRIBER);
        let row = values![id, subscriber.revision];
        self.add(DELETE_SUBSCRIBER, row, Guard::One, SUBSCRIBER)
    }

    /// Adds a publication unless the subscriber has one of this file version, or is gone.
    pub fn publish(&mut self, publication: &Publication) -> &mut Self {
        let row = values![
            publication.subscriber,
            publication.file,
            publication.channel,
            publication.path.as_str(),
            publication.event,
            publication.sequence,
            word(&publication.state),
            publication.hops,
            publication.created_at
        ];
        self.add(PUBLISH, row, Guard::Any, "publication")
    }

    /// Notes that a waiting publication is handed on, with what and when; the conflict is [`SENT`].
    pub fn send_publication(&mut self, publication: &Publication) -> &mut Self {
        let row = values![
            publication.subscriber,
            publication.file,
            publication.transfer,
            publication.webhook,
            publication.sent_at
        ];
        self.add(SEND, row, Guard::One, SENT)
    }

    /// Lets publications of a subscriber wait once more.
    pub fn replay(&mut self, subscriber: SubscriberId, which: Replay) -> &mut Self {
        let (since, file) = match which {
            Replay::Failed => {
                return self.add(
                    REPLAY_FAILED,
                    values![subscriber],
                    Guard::Any,
                    "publication",
                );
            }
            Replay::All => (i64::MIN, None),
            Replay::Since(time) => (time.ms(), None),
            Replay::File(file) => (i64::MIN, Some(file)),
        };
        let row = values![subscriber, since, file];
        self.add(REPLAY, row, Guard::Any, "publication")
    }
}

impl Reader {
    /// One channel.
    pub async fn channel(&self, id: ChannelId) -> Result<Option<Channel>, DbError> {
        self.document(READ, values![id]).await
    }

    /// Channels, newest first.
    pub async fn channels(&self, page: &PageRequest) -> Result<Page<Channel>, DbError> {
        let row = values![crate::reader::before(page), page.limit + 1];
        self.documents(LIST, row, page.limit, |last: &Channel| last.id)
            .await
    }

    /// One subscriber of a channel.
    pub async fn subscriber(
        &self,
        channel: ChannelId,
        id: SubscriberId,
    ) -> Result<Option<Subscriber>, DbError> {
        self.document(READ_SUBSCRIBER, values![id, channel]).await
    }

    /// The subscribers of a channel, newest first.
    pub async fn subscribers(
        &self,
        channel: ChannelId,
        page: &PageRequest,
    ) -> Result<Page<Subscriber>, DbError> {
        let row = values![channel, crate::reader::before(page), page.limit + 1];
        let id = |last: &Subscriber| last.id;
        self.documents(LIST_SUBSCRIBERS, row, page.limit, id).await
    }

    /// Subscribers of all channels with their channels, by id, after one.
    pub async fn all_subscribers(
        &self,
        after: Option<SubscriberId>,
        limit: u32,
    ) -> Result<Vec<(Channel, Subscriber)>, DbError> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let rows = self.rows(OF_TENANT, values![after, limit]).await?;
        rows.iter().map(both).collect()
    }

    /// A subscriber with its channel.
    pub async fn subscriber_in_channel(
        &self,
        id: SubscriberId,
    ) -> Result<Option<(Channel, Subscriber)>, DbError> {
        let row = self.row(BOTH, values![id]).await?;
        row.map(|row| both(&row)).transpose()
    }

    /// What waits for a subscriber, in the order of arrival.
    pub async fn waiting(
        &self,
        subscriber: SubscriberId,
        limit: u32,
    ) -> Result<Vec<Publication>, DbError> {
        let rows = self.rows(WAITING, values![subscriber, limit]).await?;
        rows.iter()
            .map(|row| Ok(publication(row)?.publication))
            .collect()
    }

    /// A file for a subscriber.
    pub async fn publication(
        &self,
        subscriber: SubscriberId,
        file: FileId,
    ) -> Result<Option<PublicationView>, DbError> {
        let row = self.row(ONE, values![subscriber, file]).await?;
        row.map(|row| publication(&row)).transpose()
    }

    /// The files of a subscriber, newest first.
    pub async fn publications(
        &self,
        subscriber: SubscriberId,
        page: &PageRequest,
    ) -> Result<Page<PublicationView>, DbError> {
        let row = values![subscriber, crate::reader::before(page), page.limit + 1];
        let rows = self.rows(FILES, row).await?;
        let found = rows
            .iter()
            .map(publication)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(found, page.limit, |last| {
            crate::reader::by_id(last.publication.file)
        }))
    }

    /// How the files of a subscriber stand.
    pub async fn publication_counts(
        &self,
        subscriber: SubscriberId,
    ) -> Result<PublicationCounts, DbError> {
        let mut counts = PublicationCounts::default();
        for row in self.rows(COUNTS, values![subscriber]).await? {
            let count = row.uint(1)?;
            match row.text(0)? {
                "waiting" => counts.waiting += count,
                "completed" => counts.completed += count,
                "failed" => counts.failed += count,
                _ => counts.under_way += count,
            }
        }
        Ok(counts)
    }

    /// Through how many channels a file came that a transfer made; `None` if no channel asked for the transfer.
    pub async fn hops_of(&self, transfer: TransferId) -> Result<Option<u32>, DbError> {
        let row = self.row(HOPS, values![transfer]).await?;
        row.map(|row| Ok(row.uint(0)? as u32)).transpose()
    }
}

impl QueueDoor {
    /// Tenants with channels whose journals have entries that channels have not read: tenant, cursor, size.
    pub async fn lagging_channels(&self) -> Result<Vec<(TenantId, (u64, u64))>, DbError> {
        let rows = self.across(LAGGING, values![]).await?;
        rows.iter()
            .map(|row| Ok((row.parse(0)?, (row.uint(1)?, row.uint(2)?))))
            .collect()
    }

    /// Subscribers for whom something waits and that are not paused.
    pub async fn owing(&self, limit: u32) -> Result<Vec<(TenantId, SubscriberId)>, DbError> {
        let rows = self.across(OWING, values![limit]).await?;
        rows.iter()
            .map(|row| Ok((row.parse(0)?, row.parse(1)?)))
            .collect()
    }
}

fn both(row: &Row) -> Result<(Channel, Subscriber), DbError> {
    use crate::rows::from_json;
    Ok((from_json(row, 0)?, from_json(row, 1)?))
}

fn publication(row: &Row) -> Result<PublicationView, DbError> {
    let state: PublicationState = from_word(row, 6)?;
    Ok(PublicationView {
        publication: Publication {
            subscriber: row.parse(0)?,
            file: row.parse(1)?,
            channel: row.parse(2)?,
            path: row.text(3)?.to_owned(),
            event: row.parse(4)?,
            sequence: row.uint(5)?,
            state,
            hops: row.uint(7)? as u32,
            replays: row.uint(8)? as u32,
            transfer: row.opt_parse(9)?,
            webhook: row.opt_parse(10)?,
            created_at: row.time(11)?,
            sent_at: row.opt_time(12)?,
        },
        status: row.text(13)?.to_owned(),
    })
}
